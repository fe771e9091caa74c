//! Turns a model's name into a label value: one name for all dated versions of a model, without accounts, projects,
//! deployments and tunings. `src/collectors/llm/model-name.ts` has the same rules; change both together.

use crate::registry::OVERFLOW_VALUE;
use regex_lite::Regex;
use std::sync::LazyLock;

/// Matches `-2024-08-06`, `-20241022`, `@20240229`. Group 1 is what must follow: Bedrock's version, or the end.
static DATE: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"[-@]20\d{2}-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])($|-v\d|:)";
    Regex::new(pattern).expect("the pattern is a constant")
});

/// `arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-v1:0`
static ARN: LazyLock<Regex> = LazyLock::new(|| constant(r"arn:aws[^/]*:([a-z-]+)/(.+)$"));
/// Resources of one account: their last part is a number, or a name that the account's owner chose.
static PRIVATE_PATH: LazyLock<Regex> =
    LazyLock::new(|| constant(r"(?:^|/)(?:endpoints|deployments|deployedModels|tunedModels)/"));
/// `projects/p/locations/l/publishers/google/models/gemini-2.5-flash`, `accounts/fireworks/models/llama-v3p1-8b-instruct`
static MODEL_PATH: LazyLock<Regex> =
    LazyLock::new(|| constant(r"^(?:projects|publishers|accounts|models)/(?:.*/)?([^/]+)$"));
/// A number or a UUID: the id of an endpoint or a tuning.
static ID: LazyLock<Regex> = LazyLock::new(|| {
    constant(r"(?i)^(?:[0-9]{6,}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?:-ft)?)$")
});

/// Amazon's resources whose last part is the name of a public model.
const PUBLIC_RESOURCES: [&str; 2] = ["foundation-model", "inference-profile"];

fn constant(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is a constant")
}

/// The name of a model without its date; `ft:` and the base model for a fine-tuned one; `other` for an id of an account.
///
/// ```
/// use prometheus_metrics::collectors::normalize_model;
///
/// assert_eq!(normalize_model("gpt-4o-mini-2024-07-18"), "gpt-4o-mini");
/// assert_eq!(normalize_model("ft:gpt-4o-mini-2024-07-18:acme::abc123"), "ft:gpt-4o-mini");
/// assert_eq!(normalize_model("projects/p/locations/l/endpoints/1234567"), "other");
/// ```
#[must_use]
pub fn normalize_model(model: &str) -> String {
    let base = model.strip_prefix("ft:").and_then(|rest| rest.split(':').next());
    if let Some(base) = base
        && !base.is_empty()
    {
        return format!("ft:{}", without_date(base));
    }
    let name = public_name(model);
    if ID.is_match(name) { OVERFLOW_VALUE.to_owned() } else { without_date(name) }
}

fn public_name(given: &str) -> &str {
    // Fireworks puts the deployment behind the model.
    let model = given.split('#').next().unwrap_or(given);
    if let Some(arn) = ARN.captures(model) {
        let resource = arn.get(1).map_or("", |part| part.as_str());
        let name = arn.get(2).map_or(OVERFLOW_VALUE, |part| part.as_str());
        return if PUBLIC_RESOURCES.contains(&resource) { name } else { OVERFLOW_VALUE };
    }
    if PRIVATE_PATH.is_match(model) {
        return OVERFLOW_VALUE;
    }
    MODEL_PATH.captures(model).and_then(|path| path.get(1)).map_or(model, |name| name.as_str())
}

fn without_date(model: &str) -> String {
    let Some(found) = DATE.captures(model) else { return model.to_owned() };
    match (found.get(0), found.get(1)) {
        (Some(date), Some(behind)) => format!("{}{}", &model[..date.start()], &model[behind.start()..]),
        _ => model.to_owned(),
    }
}
