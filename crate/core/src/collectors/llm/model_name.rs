//! Turns a model's name into a label value: one name for all dated versions of a model, without the name of an account.

use regex_lite::Regex;
use std::sync::LazyLock;

/// Matches `-2024-08-06`, `-20241022`, `@20240229`. Group 1 is what must follow: Bedrock's version, or the end.
static DATE: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"[-@]20\d{2}-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])($|-v\d|:)";
    Regex::new(pattern).expect("the pattern is a constant")
});

/// The name of a model without its date. For a fine-tuned model, `ft:` and the name of its base model.
///
/// ```
/// use prometheus_metrics::collectors::normalize_model;
///
/// assert_eq!(normalize_model("gpt-4o-mini-2024-07-18"), "gpt-4o-mini");
/// assert_eq!(normalize_model("ft:gpt-4o-mini-2024-07-18:acme::abc123"), "ft:gpt-4o-mini");
/// ```
#[must_use]
pub fn normalize_model(model: &str) -> String {
    let base = model.strip_prefix("ft:").and_then(|rest| rest.split(':').next());
    match base {
        Some(base) if !base.is_empty() => format!("ft:{}", without_date(base)),
        _ => without_date(model),
    }
}

fn without_date(model: &str) -> String {
    let Some(found) = DATE.captures(model) else { return model.to_owned() };
    match (found.get(0), found.get(1)) {
        (Some(date), Some(behind)) => format!("{}{}", &model[..date.start()], &model[behind.start()..]),
        _ => model.to_owned(),
    }
}
