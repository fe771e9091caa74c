//! Tells variables of this library from those of others: `METRICS_*` names that look misspelled, and variables that
//! Kubernetes sets for each Service of the namespace ("service links"). It must not read values of settings.

use super::settings::{Place, SETTINGS, Setting};

/// The prefix of all variables. Other programs use it too.
const PREFIX: &str = "METRICS_";

/// The units that a name may end with.
const UNITS: [&str; 3] = ["_MS", "_SECONDS", "_S"];

/// Whether Kubernetes has set this port: for a Service called `metrics-endpoint`, each pod of the namespace gets
/// `METRICS_ENDPOINT_PORT=tcp://10.96.0.12:9090`.
pub(super) fn is_service_link(name: &str, value: &str) -> bool {
    name.ends_with("_PORT") && is_link_value(value)
}

fn is_link_value(value: &str) -> bool {
    ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme))
}

/// The warning about a variable that is ignored; nothing if it is read, or may well belong to another program.
pub(super) fn warning(name: &str, value: &str, has_listener: bool) -> Option<String> {
    if let Some(setting) = SETTINGS.iter().find(|setting| setting.variable == name) {
        let is_read = has_listener || setting.place() != Place::Exporter;
        return (is_read && is_service_link(name, value)).then(|| link_warning(setting, value));
    }
    let stem = name.strip_prefix(PREFIX)?;
    if value.is_empty() || is_link_value(value) || is_part_of_link(stem) {
        return None;
    }
    let near = nearest(stem)?;
    Some(format!("Unknown variable {name} is ignored. Did you mean {near}?"))
}

fn link_warning(setting: &Setting, value: &str) -> String {
    let Setting { variable, option, accepted, .. } = setting;
    format!(
        "Expected {} for {variable} but received \"{value}\", which Kubernetes sets for a Service of that name. The \
         variable is ignored. Set \"enableServiceLinks: false\" in the pod, or use the option \"{option}\"",
        accepted.expected
    )
}

/// Whether the name is one of the other six that a service link consists of, such as `…_PORT_9090_TCP_ADDR`.
fn is_part_of_link(stem: &str) -> bool {
    let numbered = |(_, rest): (&str, &str)| {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        digits > 0 && rest[digits..].starts_with('_')
    };
    stem.contains("SERVICE_HOST")
        || stem.contains("SERVICE_PORT")
        || stem.split_once("PORT_").is_some_and(numbered)
}

/// The variable of the most similar name, if it is similar enough for a spelling mistake.
fn nearest(stem: &str) -> Option<&'static str> {
    let wanted = without_unit(stem);
    // In a short name, two letters make another word.
    let most = if wanted.len() < 6 { 1 } else { 2 };
    let distances = SETTINGS.iter().map(|setting| {
        let known = setting.variable.trim_start_matches(PREFIX);
        (distance(without_unit(known).as_bytes(), wanted.as_bytes()), setting.variable)
    });
    distances.filter(|(distance, _)| *distance <= most).min().map(|(_, variable)| variable)
}

fn without_unit(stem: &str) -> &str {
    UNITS.iter().find_map(|unit| stem.strip_suffix(unit)).unwrap_or(stem)
}

/// How many letters to insert, remove, replace or swap with their neighbour to turn one word into the other.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut next = vec![i];
        for j in 1..=b.len() {
            let replaced = row[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(row[j] + 1).min(next[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_name_is_shown_with_the_right_one() {
        for (wrong, right) in [
            ("METRICS_ENDPONT_PORT", "METRICS_ENDPOINT_PORT"),
            ("METRICS_ENDPOINT_PROT", "METRICS_ENDPOINT_PORT"),
            ("METRICS_ENDPOINT_HOTS", "METRICS_ENDPOINT_HOST"),
            ("METRICS_ENABLE", "METRICS_ENABLED"),
            ("METRICS_CACHE_TTL", "METRICS_CACHE_TTL_MS"),
            ("METRICS_CACHE_TTL_SECONDS", "METRICS_CACHE_TTL_MS"),
            ("METRICS_AUTH_BEARER_TOKEN", "METRICS_AUTH_BEARER_TOKENS"),
            ("METRICS_ALOWLIST", "METRICS_ALLOWLIST"),
        ] {
            let expected = format!("Unknown variable {wrong} is ignored. Did you mean {right}?");
            assert_eq!(warning(wrong, "1", true), Some(expected));
        }
    }

    #[test]
    fn variables_of_other_programs_are_left_alone() {
        for name in [
            "METRICS_PORT",
            "METRICS_HOST",
            "METRICS_PATH",
            "METRICS_PREFIX",
            "METRICS_INTERVAL_MS",
            "METRICS_ENDPOINT",
            "METRICS_ENDPOINT_URL",
            "METRICS_NAMESPACE",
            "STATSD_ENDPOINT_PORT",
            "METRICS_",
            "METRICS_É",
        ] {
            assert_eq!(warning(name, "1", true), None, "{name}");
        }
        assert_eq!(warning("METRICS_ENDPONT_PORT", "", true), None, "it is not set");
        for setting in SETTINGS {
            assert_eq!(warning(setting.variable, "1", true), None);
        }
    }

    #[test]
    fn service_links_are_told_apart_from_mistakes() {
        for (name, value) in [
            ("METRICS_PORT", "tcp://10.96.0.12:9090"),
            ("METRICS_ENDPOINTS_PORT", "tcp://10.96.0.12:9090"),
            ("METRICS_ENDPOINT_SERVICE_HOST", "10.96.0.12"),
            ("METRICS_ENDPOINT_SERVICE_PORT", "9090"),
            ("METRICS_ENDPOINT_SERVICE_PORT_WEB", "9090"),
            ("METRICS_ENDPOINT_PORT_1_TCP", "tcp://10.96.0.12:1"),
            ("METRICS_ENDPOINT_PORT_9090_TCP_PROTO", "tcp"),
            ("METRICS_ENDPOINT_PORT_9090_TCP_PORT", "9090"),
            ("METRICS_ENDPOINT_PORT_9090_TCP_ADDR", "10.96.0.12"),
        ] {
            assert_eq!(warning(name, value, true), None, "{name}");
        }
        let expected = "Expected an integer from 0 to 65535 for METRICS_ENDPOINT_PORT but received \
                        \"tcp://10.96.0.12:9090\", which Kubernetes sets for a Service of that name. The variable is \
                        ignored. Set \"enableServiceLinks: false\" in the pod, or use the option \"port\"";
        assert_eq!(
            warning("METRICS_ENDPOINT_PORT", "tcp://10.96.0.12:9090", true).as_deref(),
            Some(expected)
        );
        assert_eq!(warning("METRICS_ENDPOINT_PORT", "tcp://10.96.0.12:9090", false), None, "a handler");
    }
}
