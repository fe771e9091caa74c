//! Reads the variables of OpenTelemetry's exporters for a pusher of OTLP. Settings of this library come first.

use super::MetricsConfig;
use super::value::Given;
use crate::error::{MetricsError, Result};
use percent_encoding::percent_decode_str;

/// What a setting is read from: the ends of the names of exporters' variables, or whole names.
const VARIABLES: [(&str, &str); 8] = [
    ("ENDPOINT", "pushUrl"),
    ("HEADERS", "pushHeaders"),
    ("TIMEOUT", "pushTimeoutMs"),
    ("CERTIFICATE", "pushTlsCaFile"),
    ("CLIENT_CERTIFICATE", "pushTlsCertFile"),
    ("CLIENT_KEY", "pushTlsKeyFile"),
    ("OTEL_METRIC_EXPORT_INTERVAL", "pushIntervalMs"),
    ("OTEL_SERVICE_NAME", "pushJob"),
];

/// The prefixes of what is meant for metrics alone, which comes first, and for all signals.
const PREFIXES: [&str; 2] = ["OTEL_EXPORTER_OTLP_METRICS_", "OTEL_EXPORTER_OTLP_"];

const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";

impl MetricsConfig {
    #[doc(hidden)]
    /// Takes the `OTEL_*` variables that concern a pusher, if its protocol is `otlp`: for settings that were not given.
    ///
    /// # Errors
    /// `InvalidConfig` with the variable, the expected and the received value.
    pub fn read_otel(&mut self, variables: &[(&str, &str)]) -> Result<()> {
        if self.push_protocol != "otlp" {
            return Ok(());
        }
        let find = |prefix: &str, tail: &str| {
            let mut named = variables.iter().filter(|(name, _)| name.strip_prefix(prefix) == Some(tail));
            named.next().map(|(name, value)| (*name, value.trim())).filter(|(_, value)| !value.is_empty())
        };
        // Headers and certificates are for the endpoint that they are set with, not for another receiver.
        let has_own_url = self.was_given("pushUrl");
        for (tail, option) in VARIABLES {
            let is_tls = option.starts_with("pushTls");
            let is_plain = self.push_url.as_deref().is_some_and(|url| url.starts_with("http:"));
            if (has_own_url && (is_tls || option == "pushHeaders")) || (is_plain && is_tls) {
                continue;
            }
            let prefixes = if tail.starts_with("OTEL") { &[""][..] } else { &PREFIXES };
            let Some((name, value)) = prefixes.iter().find_map(|prefix| find(prefix, tail)) else { continue };
            let given = match option {
                "pushHeaders" => Given::List(value.split(',').map(decoded).collect()),
                // That of all signals is a base.
                "pushUrl" if !name.starts_with(PREFIXES[0]) => {
                    Given::Variable(value.trim_end_matches('/').to_owned() + "/v1/metrics")
                }
                _ => Given::Variable(value.to_owned()),
            };
            self.take(name, option, given)?;
        }
        let attributes = find("", ATTRIBUTES).map_or("", |(_, value)| value);
        for (name, value) in attributes.split(',').filter_map(|pair| pair.split_once('=')) {
            let (name, value) = (decoded(name), decoded(value));
            match name.as_str() {
                "service.name" => self.take(ATTRIBUTES, "pushJob", Given::Text(value))?,
                "service.instance.id" => self.take(ATTRIBUTES, "pushInstance", Given::Text(value))?,
                _ => self.push_resource.push((name, value)),
            }
        }
        Ok(())
    }

    /// Sets what was not given.
    fn take(&mut self, variable: &str, option: &str, value: Given) -> Result<()> {
        if self.was_given(option) {
            return Ok(());
        }
        self.set(option, &value)
            .map_err(|error| MetricsError::invalid_config(format!("{error}, from {variable}")))
    }
}

/// Values of lists are written as in URLs.
fn decoded(text: &str) -> String {
    percent_decode_str(text.trim()).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn read(protocol: &str, variables: &[(&str, &str)]) -> Result<MetricsConfig> {
        let mut config = MetricsConfig::from_env([("METRICS_PUSH_PROTOCOL", protocol)])?;
        config.read_otel(variables)?;
        Ok(config)
    }

    #[test]
    fn variables_of_opentelemetry_stand_in_for_settings() {
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%2Cb, x=1"),
            ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "500"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "700"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "60000"),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,zone=eu%20west,service.instance.id=i-1"),
            ("OTEL_SERVICE_NAME", "shop"),
        ];
        let config = read("otlp", &variables).expect("all are valid");
        assert_eq!(config.push_url.as_deref(), Some("http://collector:4318/v1/metrics"));
        assert_eq!(config.push_headers, ["api-key=a,b", "x=1"]);
        assert_eq!(config.push_timeout, Duration::from_millis(500));
        assert_eq!(config.push_interval, Duration::from_secs(60));
        assert_eq!(config.push_job.as_deref(), Some("shop"));
        assert_eq!(config.push_instance.as_deref(), Some("i-1"));
        assert_eq!(config.push_resource, [("zone".to_owned(), "eu west".to_owned())]);
        let whole = [("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://a/b"), variables[0]];
        assert_eq!(read("otlp", &whole).expect("valid").push_url.as_deref(), Some("http://a/b"));
        assert_eq!(read("remote-write", &variables).expect("not read"), MetricsConfig::default());
    }

    #[test]
    fn settings_of_this_library_come_first() {
        let mut config =
            MetricsConfig::from_env([("METRICS_PUSH_PROTOCOL", "otlp"), ("METRICS_PUSH_URL", "http://own")])
                .expect("valid");
        let other = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://other"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=secret"),
            ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "key.pem"),
        ];
        config.read_otel(&other).expect("valid");
        assert_eq!(config.push_url.as_deref(), Some("http://own"));
        assert_eq!(
            (config.push_headers.len(), config.push_tls_key_file),
            (0, None),
            "they are for the other"
        );
        let plain = read("otlp", &other).expect("valid");
        assert_eq!((plain.push_headers.len(), plain.push_tls_key_file), (1, None), "it is not https");
    }

    #[test]
    fn a_bad_variable_is_named() {
        let error = read("otlp", &[("OTEL_METRIC_EXPORT_INTERVAL", "soon")]).expect_err("it is refused");
        let expected = "Expected milliseconds from 100 to 86400000 for intervalMs but received \"soon\", from OTEL_METRIC_EXPORT_INTERVAL";
        assert_eq!(error.to_string(), expected);
    }
}
