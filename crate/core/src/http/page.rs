//! Writes the HTML page at `/`: links, and the largest families with their number of values by label.

use crate::gather::{Gathered, GatheredFamily};
use crate::serialization::Shown;

/// The most families in the list.
const LISTED: usize = 20;
/// Label values are counted only in families with at most this many series, which takes about 10 ms.
const COUNTED_SERIES: usize = 100_000;
/// The most labels shown of a family.
const LISTED_LABELS: usize = 4;

const STYLE: &str = "body{font:16px system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}\
    td,th{text-align:left;padding:.15rem 1rem .15rem 0}.n{text-align:right}";

/// Writes the page. `overflow` has the calls over a limit of each metric.
pub(crate) fn page(gathered: &Gathered, overflow: &[(String, f64)], metrics_path: &str) -> String {
    let mut families: Vec<&GatheredFamily> = gathered.families.iter().collect();
    let total = families.len();
    families.sort_by_key(|family| std::cmp::Reverse(family.series_count()));
    let rows: String = families.iter().take(LISTED).map(|family| row(family, overflow)).collect();
    let path = escaped(metrics_path);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Metrics</title>\n\
         <style>{STYLE}</style>\n\
         </head><body>\n<h1>Metrics</h1>\n\
         <ul><li><a href=\"{path}\">{path}</a></li><li><a href=\"/health\">/health</a></li>\
         <li><a href=\"/ready\">/ready</a></li></ul>\n\
         <p>prometheus-metrics {version}: {series} series in {total} families.</p>\n\
         <table><thead><tr><th>Family</th><th>Type</th><th class=\"n\">Series</th><th class=\"n\">At most</th>\
         <th class=\"n\">Calls beyond</th><th>Values by label</th></tr></thead><tbody>\n{rows}</tbody></table>\n\
         </body></html>\n",
        version = env!("CARGO_PKG_VERSION"),
        series = gathered.series_count(),
    )
}

fn row(family: &GatheredFamily, overflow: &[(String, f64)]) -> String {
    let series = family.series_count();
    // Not `sum()`: the sum of an empty iterator is -0.
    let own = overflow.iter().filter(|(name, _)| name == family.name());
    let beyond = own.fold(0.0, |sum, (_, calls)| sum + calls);
    format!(
        "<tr><td>{}</td><td>{}</td><td class=\"n\">{series}</td><td class=\"n\">{}</td><td class=\"n\">{beyond}</td>\
         <td>{}</td></tr>\n",
        escaped(family.name()),
        family.kind().as_str(),
        family.max_series().map_or_else(String::new, |max| max.to_string()),
        if series <= COUNTED_SERIES { labels(family) } else { "not counted".to_owned() },
    )
}

fn labels(family: &GatheredFamily) -> String {
    let values = family.label_values();
    let listed =
        values.iter().take(LISTED_LABELS).map(|(name, values)| format!("{} {values}", escaped(name)));
    listed.collect::<Vec<_>>().join(", ")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
