//! The page for people at `/`: where things are, and which families are the largest.

use crate::registry::Gathered;

/// Families that are listed.
const LISTED: usize = 20;

/// Writes the page.
pub(crate) fn page(gathered: &Gathered, metrics_path: &str) -> String {
    let mut families: Vec<_> = gathered.families().collect();
    let total = families.len();
    families.sort_by_key(|(_, _, series)| std::cmp::Reverse(*series));
    let rows: String = families
        .iter()
        .take(LISTED)
        .map(|(name, kind, series)| {
            format!("<tr><td>{}</td><td>{}</td><td>{series}</td></tr>\n", escaped(name), kind.as_str())
        })
        .collect();
    let path = escaped(metrics_path);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Metrics</title>\n\
         <style>body{{font:16px system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem}}\
         td,th{{text-align:left;padding:.15rem 1rem .15rem 0}}td:last-child,th:last-child{{text-align:right}}</style>\n\
         </head><body>\n<h1>Metrics</h1>\n\
         <ul><li><a href=\"{path}\">{path}</a></li><li><a href=\"/health\">/health</a></li>\
         <li><a href=\"/ready\">/ready</a></li></ul>\n\
         <p>prometheus-metrics {version}: {series} series in {total} families.</p>\n\
         <table><thead><tr><th>Family</th><th>Type</th><th>Series</th></tr></thead><tbody>\n{rows}</tbody></table>\n\
         </body></html>\n",
        version = env!("CARGO_PKG_VERSION"),
        series = gathered.series_count(),
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
