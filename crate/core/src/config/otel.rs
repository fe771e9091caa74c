//! Reads the variables of OpenTelemetry's exporters for a pusher of OTLP. Settings of this library come first.

use super::MetricsConfig;
use super::value::Given;
use crate::error::{MetricsError, Result};
use percent_encoding::percent_decode_str;

/// The prefix of what is meant for all signals, and for metrics alone, which comes first.
const PREFIXES: [&str; 2] = ["OTEL_EXPORTER_OTLP_METRICS_", "OTEL_EXPORTER_OTLP_"];

/// The ends of their names, and the settings that they stand for.
const EXPORTER: [(&str, &str); 4] = [
    ("TIMEOUT", "pushTimeoutMs"),
    ("CERTIFICATE", "pushTlsCaFile"),
    ("CLIENT_CERTIFICATE", "pushTlsCertFile"),
    ("CLIENT_KEY", "pushTlsKeyFile"),
];

const OTHERS: [(&str, &str); 2] =
    [("OTEL_METRIC_EXPORT_INTERVAL", "pushIntervalMs"), ("OTEL_SERVICE_NAME", "pushJob")];

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
        let find = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
        };
        let of_exporter = |tail: &str| {
            PREFIXES.iter().find_map(|prefix| {
                let name = format!("{prefix}{tail}");
                find(&name).map(|value| (name, value))
            })
        };
        if let Some((name, url)) = of_exporter("ENDPOINT") {
            // That of all signals is a base.
            let path = if name == "OTEL_EXPORTER_OTLP_ENDPOINT" { "/v1/metrics" } else { "" };
            self.take(&name, "pushUrl", Given::Variable(url.trim_end_matches('/').to_owned() + path))?;
        }
        if let Some((name, headers)) = of_exporter("HEADERS") {
            self.take(&name, "pushHeaders", Given::List(headers.split(',').map(decoded).collect()))?;
        }
        for (tail, option) in EXPORTER {
            if let Some((name, value)) = of_exporter(tail) {
                self.take(&name, option, Given::Variable(value.to_owned()))?;
            }
        }
        for (name, option) in OTHERS {
            if let Some(value) = find(name) {
                self.take(name, option, Given::Variable(value.to_owned()))?;
            }
        }
        const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";
        for pair in find(ATTRIBUTES).unwrap_or_default().split(',') {
            let Some((name, value)) = pair.split_once('=') else { continue };
            match decoded(name).as_str() {
                "service.name" => self.take(ATTRIBUTES, "pushJob", Given::Text(decoded(value)))?,
                "service.instance.id" => {
                    self.take(ATTRIBUTES, "pushInstance", Given::Text(decoded(value)))?
                }
                name => self.push_resource.push((name.to_owned(), decoded(value))),
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
        config.read_otel(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://other")]).expect("valid");
        assert_eq!(config.push_url.as_deref(), Some("http://own"));
    }

    #[test]
    fn a_bad_variable_is_named() {
        let error = read("otlp", &[("OTEL_METRIC_EXPORT_INTERVAL", "soon")]).expect_err("it is refused");
        let expected = "Expected milliseconds from 100 to 86400000 for intervalMs but received \"soon\", from OTEL_METRIC_EXPORT_INTERVAL";
        assert_eq!(error.to_string(), expected);
    }
}
