//! The settings of an endpoint, from the environment (`METRICS_*`) and from options, which override it. `settings.rs`
//! defines each setting once, `value.rs` reads values, `blame.rs` names the source of a bad one, `environment.rs` knows which variables are not ours, `define.rs` has
//! the macro. It does not depend on the readers of a setting.

mod blame;
mod define;
mod environment;
#[cfg(feature = "push")]
mod otel;
mod settings;
mod sources;
mod value;

pub use settings::{DEFAULT_MIN_SIZE, MetricsConfig};
// With these the addon reads options and writes their types. They can change in any version.
#[doc(hidden)]
pub use settings::{Place, Setting};
#[doc(hidden)]
pub use value::{Given, Shape, Value};

use crate::error::{ErrorKind, MetricsError, Result};
use settings::SETTINGS;
use std::time::Duration;

/// How long the cache keeps an exposition if it is turned on without a time.
const CACHE_TTL: Duration = Duration::from_secs(1);

impl std::fmt::Debug for MetricsConfig {
    /// Shows the fields that tell one endpoint from another, and no secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MetricsConfig")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("socket", &self.socket)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl MetricsConfig {
    /// Reads the `METRICS_*` variables among `variables`. The others keep their defaults; an empty variable counts as not
    /// set. Unknown variables are ignored, and so is a port that Kubernetes has set for a Service of the same name:
    /// [`MetricsConfig::env_warnings`] tells of both.
    ///
    /// # Errors
    /// `InvalidConfig` with the variable, the expected and the received value.
    pub fn from_env<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        Self::read(variables, |_| true)
    }

    /// Like [`MetricsConfig::from_env`], for a handler on a server of the program: neither reads nor checks the settings of
    /// an exporter's listener, which the handler does not have.
    ///
    /// # Errors
    /// `InvalidConfig` with the variable, the expected and the received value.
    pub fn handler_from_env<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        Self::read(variables, |setting| setting.place() != Place::Exporter)
    }

    fn read<'a>(
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
        applies: fn(&Setting) -> bool,
    ) -> Result<Self> {
        let mut config = Self::default();
        for (name, value) in variables {
            let Some(setting) = SETTINGS.iter().find(|setting| setting.variable == name) else { continue };
            let value = value.trim();
            if applies(setting) && !value.is_empty() && !environment::is_service_link(name, value) {
                config.apply(setting, true, &Given::Variable(value.to_owned()))?;
            }
        }
        Ok(config)
    }

    /// Warnings about `METRICS_*` variables that are ignored: names that look like a misspelled setting, and ports that
    /// Kubernetes has set for a Service of the same name. Other unknown names may belong to other programs. A handler has
    /// no listener, so a listener's settings do not matter to it.
    #[must_use]
    pub fn env_warnings<'a>(
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
        has_listener: bool,
    ) -> Vec<String> {
        variables
            .into_iter()
            .filter_map(|(name, value)| environment::warning(name, value.trim(), has_listener))
            .collect()
    }

    #[doc(hidden)]
    /// Sets an option by its name in options (`cacheTtlMs`).
    ///
    /// # Errors
    /// `InvalidConfig` with the option, the expected and the received value.
    pub fn set(&mut self, option: &str, given: &Given) -> Result<()> {
        match SETTINGS.iter().find(|setting| setting.option == option) {
            Some(setting) => self.apply(setting, false, given),
            None => Err(MetricsError::new(
                ErrorKind::InvalidConfig,
                format!("Expected the name of an option but received \"{option}\""),
            )),
        }
    }

    fn apply(&mut self, setting: &Setting, is_variable: bool, given: &Given) -> Result<()> {
        let name = if is_variable { setting.variable.to_owned() } else { setting.option_name() };
        if let Some(at) = SETTINGS.iter().position(|known| known.option == setting.option) {
            self.sources.remember(at, is_variable);
        }
        let accepted = &setting.accepted;
        accepted.read(given).and_then(|value| (setting.store)(self, value)).ok_or_else(|| {
            MetricsError::new(
                ErrorKind::InvalidConfig,
                format!(
                    "Expected {} for {name} but received {}",
                    accepted.expected,
                    accepted.describe(given)
                ),
            )
        })
    }

    /// The environment variables, each with the option that overrides it and the accepted values.
    pub fn settings() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
        SETTINGS.iter().map(|setting| (setting.variable, setting.option, setting.accepted.expected))
    }

    #[doc(hidden)]
    /// The values in effect of an endpoint's settings, by the names of the options. The two settings of the cache are one
    /// value here, `cacheTtlMs`, which is 0 if the cache is off; a switch without a default is off.
    pub fn values(&self) -> impl Iterator<Item = (&'static str, Option<Value>)> {
        let effective = Self { cache_ttl: Some(self.cache().unwrap_or_default()), ..self.clone() };
        let is_shown =
            |setting: &&Setting| setting.option != "cacheEnabled" && setting.place() != Place::Pusher;
        SETTINGS.iter().filter(is_shown).map(move |setting| {
            let unset = (setting.accepted.shape == Shape::Flag).then_some(Value::Flag(false));
            (setting.option, (setting.load)(&effective).or(unset))
        })
    }

    /// How long expositions are kept; nothing if the cache is off. `cache_ttl` and `cache_enabled` are combined here;
    /// `http/handler.rs` makes the cache. A time turns the cache on, unless the switch turns it off. The switch alone means
    /// one second.
    #[must_use]
    pub fn cache(&self) -> Option<Duration> {
        let ttl = match self.cache_enabled {
            Some(false) => None,
            Some(true) => Some(self.cache_ttl.unwrap_or(CACHE_TTL)),
            None => self.cache_ttl,
        };
        ttl.filter(|ttl| !ttl.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(name: &str, value: &str) -> String {
        MetricsConfig::from_env([(name, value)]).expect_err("it is refused").to_string()
    }

    #[test]
    fn variables_are_read_and_others_are_not() {
        let config = MetricsConfig::from_env([
            ("METRICS_ENDPOINT_PORT", "0"),
            ("METRICS_CACHE_TTL_MS", "250"),
            ("METRICS_ALLOWLIST", "10.0.0.0/8, ::1"),
            ("METRICS_COMPRESSION_ENABLED", "off"),
            ("METRICS_ENDPOINT_HOST", ""),
            ("PATH", "/bin"),
        ])
        .expect("all are valid");
        let expected = MetricsConfig {
            port: 0,
            cache_ttl: Some(Duration::from_millis(250)),
            allowlist: vec!["10.0.0.0/8".to_owned(), "::1".to_owned()],
            compression_enabled: false,
            ..MetricsConfig::default()
        };
        assert_eq!(config, expected);
    }

    #[test]
    fn a_port_that_kubernetes_set_is_ignored() {
        for link in ["tcp://10.96.0.12:9090", "udp://10.96.0.12:9090", "sctp://[fd00::1]:9090"] {
            let config = MetricsConfig::from_env([("METRICS_ENDPOINT_PORT", link)]).expect("it is ignored");
            assert_eq!(config, MetricsConfig::default());
        }
        let message = "Expected an integer from 0 to 65535 for METRICS_ENDPOINT_PORT but received \"http://10.96.0.12\"";
        assert_eq!(refusal("METRICS_ENDPOINT_PORT", "http://10.96.0.12"), message);
        let message = "Expected an integer from 1 to 1000 for METRICS_LIMIT_HEADERS but received \"tcp://10.96.0.12:9090\"";
        assert_eq!(refusal("METRICS_LIMIT_HEADERS", "tcp://10.96.0.12:9090"), message);
    }

    #[test]
    fn a_handler_ignores_the_settings_of_a_listener() {
        let bad = Setting::all().iter().filter(|setting| setting.place() == Place::Exporter);
        let variables: Vec<_> = bad.map(|setting| (setting.variable(), "tcp//")).collect();
        assert!(variables.contains(&("METRICS_ENDPOINT_PORT", "tcp//")), "{variables:?}");
        assert_eq!(
            MetricsConfig::handler_from_env(variables).expect("none is read"),
            MetricsConfig::default()
        );
        let refused = MetricsConfig::handler_from_env([("METRICS_ENDPOINT_PATH", "metrics")]);
        assert!(refused.is_err(), "a handler has a path");
    }

    #[test]
    fn a_bad_value_names_the_variable_what_was_expected_and_what_came() {
        let message = "Expected an integer from 0 to 65535 for METRICS_ENDPOINT_PORT but received \"70000\"";
        assert_eq!(refusal("METRICS_ENDPOINT_PORT", "70000"), message);
        let message = "Expected true or false for METRICS_CACHE_ENABLED but received \"maybe\"";
        assert_eq!(refusal("METRICS_CACHE_ENABLED", "maybe"), message);
        let message =
            "Expected users as name:bcrypt-hash for METRICS_AUTH_BASIC_USERS but received something else";
        assert_eq!(refusal("METRICS_AUTH_BASIC_USERS", "secret"), message);
    }

    #[test]
    fn an_option_is_checked_by_its_type_too() {
        let mut config = MetricsConfig::default();
        let refused = config.set("port", &Given::Text("80".to_owned())).expect_err("a text is no port");
        let message = "Expected an integer from 0 to 65535 for port but received \"80\" of type string";
        assert_eq!((refused.kind(), refused.to_string().as_str()), (ErrorKind::InvalidConfig, message));
        let infinite =
            |number| config.clone().set("port", &Given::Number(number)).expect_err("no port").to_string();
        let message = "Expected an integer from 0 to 65535 for port but received Infinity of type number";
        assert_eq!(infinite(f64::INFINITY), message);
        assert_eq!(infinite(f64::NEG_INFINITY), message.replace("Infinity", "-Infinity"));
        for bad in [f64::NAN, f64::INFINITY, -1.0, 0.5, 65_536.0] {
            assert!(config.set("port", &Given::Number(bad)).is_err(), "{bad}");
        }
        assert!(config.set("prot", &Given::Number(80.0)).is_err());
        assert!(config.set("basicUsers", &Given::List(vec!["no colon".to_owned()])).is_err());
        assert_eq!(config, MetricsConfig::default());
    }

    #[test]
    fn the_cache_is_off_unless_asked_for() {
        let cache = |variables: &[(&'static str, &'static str)]| {
            MetricsConfig::from_env(variables.iter().copied()).expect("all are valid").cache()
        };
        assert_eq!(cache(&[]), None);
        assert_eq!(cache(&[("METRICS_CACHE_ENABLED", "true")]), Some(Duration::from_secs(1)));
        assert_eq!(cache(&[("METRICS_CACHE_TTL_MS", "500")]), Some(Duration::from_millis(500)));
        assert_eq!(cache(&[("METRICS_CACHE_TTL_MS", "0")]), None);
        assert_eq!(cache(&[("METRICS_CACHE_ENABLED", "false"), ("METRICS_CACHE_TTL_MS", "500")]), None);
    }

    #[test]
    fn names_are_unique() {
        let mut seen = std::collections::HashSet::new();
        assert!(
            MetricsConfig::settings()
                .all(|(variable, option, _)| seen.insert(variable) && seen.insert(option))
        );
    }

    #[test]
    fn every_setting_fits_its_field() {
        for setting in Setting::all() {
            let sample = match setting.shape() {
                Shape::Flag => "true",
                Shape::Integer | Shape::Number | Shape::Milliseconds => "10000",
                Shape::Text => "text",
                Shape::Path => "/path",
                Shape::List | Shape::Users => "a:b",
                Shape::Pairs => "a=b",
            };
            // Settings with a range that does not reach 10,000, and those that begin above it.
            let config = [sample, "10", "1048576"]
                .iter()
                .find_map(|text| MetricsConfig::from_env([(setting.variable, *text)]).ok())
                .unwrap_or_else(|| panic!("{} takes neither sample", setting.variable));
            assert!((setting.load)(&config).is_some(), "{}", setting.variable);
        }
    }

    #[test]
    fn values_are_those_in_effect() {
        let value = |config: &MetricsConfig, option| {
            config.values().find(|(name, _)| *name == option).map(|(_, value)| value)
        };
        let config = MetricsConfig::default();
        assert_eq!(value(&config, "cacheEnabled"), None);
        assert_eq!(value(&config, "cacheTtlMs"), Some(Some(Value::Number(0.0))));
        assert_eq!(value(&config, "collectorsLlm"), Some(Some(Value::Flag(false))));
        assert_eq!(value(&config, "socket"), Some(None));
        assert_eq!(value(&config, "timeoutMs"), Some(Some(Value::Number(10_000.0))));
        let cached = MetricsConfig { cache_enabled: Some(true), ..config };
        assert_eq!(value(&cached, "cacheTtlMs"), Some(Some(Value::Number(1000.0))));
    }
}
