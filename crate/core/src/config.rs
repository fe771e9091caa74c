//! The settings of an endpoint, from the environment (`METRICS_*`) and from options, which override it. One table says
//! of each setting what it is called in both, what it may be, and where it goes; both sources are checked by it.

use crate::error::{ErrorKind, MetricsError, Result};
use std::time::Duration;

/// Bodies below this many bytes are not compressed: gzip's frame and the scraper's inflating cost more than they save.
pub const DEFAULT_MIN_SIZE: usize = 1024;

/// The settings of an endpoint. `Default` has every default.
#[derive(Clone, PartialEq)]
pub struct MetricsConfig {
    /// Whether there is an endpoint at all.
    pub enabled: bool,
    /// The address that is listened on.
    pub host: String,
    /// The port that is listened on; 0 takes a free one.
    pub port: u16,
    /// A Unix socket that is listened on instead.
    pub socket: Option<String>,
    /// The path of the exposition.
    pub path: String,
    /// Whether expositions are kept; a time to live that is given switches it on.
    pub cache_enabled: Option<bool>,
    /// How long an exposition is kept.
    pub cache_ttl: Option<Duration>,
    /// Whether bodies are compressed for scrapers that take it.
    pub compression_enabled: bool,
    /// Smaller bodies stay as they are, in bytes.
    pub compression_min_size: usize,
    /// Series a metric may have.
    pub cardinality_max_per_metric: Option<usize>,
    /// Series a registry may have.
    pub cardinality_max_total: Option<usize>,
    /// Requests a second and client; none is no limit.
    pub rate_limit_rps: Option<f64>,
    /// Requests of one client at once; twice the rate where it is not given.
    pub rate_limit_burst: Option<u32>,
    /// Whether LLM metrics are collected.
    pub collectors_llm: Option<bool>,
    /// Whether agent metrics are collected.
    pub collectors_agent: Option<bool>,
    /// Whether process metrics are collected.
    pub collectors_process: Option<bool>,
    /// Whether runtime metrics are collected.
    pub collectors_runtime: Option<bool>,
    /// Whether expositions end with what the endpoint says of itself.
    pub self_metrics: bool,
    /// How long collectors may take where the scraper does not say.
    pub scrape_timeout: Duration,
    /// How late the event loop may be before `/health` says so.
    pub stall_after: Duration,
    /// How long a readiness check may take.
    pub ready_timeout: Duration,
    /// Tokens that are let in.
    pub bearer_tokens: Vec<String>,
    /// A file whose lines are tokens that are let in.
    pub bearer_token_file: Option<String>,
    /// Users that are let in: `name:bcrypt hash`.
    pub basic_users: Vec<String>,
    /// Whether `/health` and `/ready` are guarded like the rest.
    pub protect_health: bool,
    /// Wrong credentials a minute and client before further ones are refused unseen.
    pub auth_failures_per_minute: u32,
    /// Addresses and CIDR blocks that are let in; none lets in all.
    pub allowlist: Vec<String>,
    /// Addresses and CIDR blocks whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<String>,
    /// A web configuration file of exporter-toolkit.
    pub web_config_file: Option<String>,
    /// The certificate chain, PEM.
    pub tls_cert_file: Option<String>,
    /// Its key, PEM.
    pub tls_key_file: Option<String>,
    /// The authorities of client certificates, PEM.
    pub tls_client_ca_file: Option<String>,
    /// Whether clients need a certificate, in Go's words.
    pub tls_client_auth: Option<String>,
    /// Connections at once.
    pub max_connections: usize,
    /// Bytes of a request's head.
    pub max_header_bytes: usize,
    /// Headers of a request.
    pub max_headers: usize,
    /// How long a request's head may take to come.
    pub header_timeout: Duration,
    /// How long a connection may be without a request.
    pub idle_timeout: Duration,
    /// How long a client may take to read an answer.
    pub write_timeout: Duration,
    /// Bytes of expositions in memory, above which scrapes are refused.
    pub max_body_bytes: usize,
}

impl Default for MetricsConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            host: "0.0.0.0".to_owned(),
            port: 9090,
            socket: None,
            path: "/metrics".to_owned(),
            cache_enabled: None,
            cache_ttl: None,
            compression_enabled: true,
            compression_min_size: DEFAULT_MIN_SIZE,
            cardinality_max_per_metric: None,
            cardinality_max_total: None,
            rate_limit_rps: None,
            rate_limit_burst: None,
            collectors_llm: None,
            collectors_agent: None,
            collectors_process: None,
            collectors_runtime: None,
            self_metrics: true,
            scrape_timeout: Duration::from_secs(10),
            stall_after: Duration::from_secs(5),
            ready_timeout: Duration::from_secs(1),
            bearer_tokens: Vec::new(),
            bearer_token_file: None,
            basic_users: Vec::new(),
            protect_health: false,
            auth_failures_per_minute: 30,
            allowlist: Vec::new(),
            trusted_proxies: Vec::new(),
            web_config_file: None,
            tls_cert_file: None,
            tls_key_file: None,
            tls_client_ca_file: None,
            tls_client_auth: None,
            max_connections: 512,
            max_header_bytes: 16 * 1024,
            max_headers: 64,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(120),
            write_timeout: Duration::from_secs(30),
            max_body_bytes: 256 * 1024 * 1024,
        }
    }
}

impl std::fmt::Debug for MetricsConfig {
    /// Shows no secret, and of the rest what tells one endpoint from another.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MetricsConfig")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("socket", &self.socket)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// A setting as somebody gave it.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// The text of an environment variable, which may stand for anything.
    Variable(String),
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
    /// A switch.
    Flag(bool),
    /// Several texts.
    List(Vec<String>),
    /// Something else, described in words.
    Other(String),
}

/// A setting: its two names, what it may be, and where it goes. `apply` answers `None` for what it may not be.
struct Setting {
    variable: &'static str,
    option: &'static str,
    expected: &'static str,
    /// Its value is never shown.
    secret: bool,
    apply: fn(&mut MetricsConfig, &Given) -> Option<()>,
}

const fn setting(
    variable: &'static str,
    option: &'static str,
    expected: &'static str,
    apply: fn(&mut MetricsConfig, &Given) -> Option<()>,
) -> Setting {
    Setting { variable, option, expected, secret: false, apply }
}

const fn secret(
    variable: &'static str,
    option: &'static str,
    expected: &'static str,
    apply: fn(&mut MetricsConfig, &Given) -> Option<()>,
) -> Setting {
    Setting { variable, option, expected, secret: true, apply }
}

const FLAG: &str = "true or false";
const MILLISECONDS: &str = "milliseconds from 1 to 86400000";
const COUNT: &str = "an integer from 1 to 4294967295";
const FILE: &str = "the name of a file";
const LIST: &str = "texts without commas";

#[rustfmt::skip]
static SETTINGS: &[Setting] = &[
    setting("METRICS_ENABLED", "enabled", FLAG, |c, v| { c.enabled = v.flag()?; Some(()) }),
    setting("METRICS_ENDPOINT_HOST", "host", "an address to listen on", |c, v| { c.host = v.text()?; Some(()) }),
    setting("METRICS_ENDPOINT_PORT", "port", "an integer from 0 to 65535", |c, v| { c.port = v.integer(0.0, 65_535.0)? as u16; Some(()) }),
    setting("METRICS_ENDPOINT_SOCKET", "socket", "the name of a Unix socket", |c, v| { c.socket = Some(v.text()?); Some(()) }),
    setting("METRICS_ENDPOINT_PATH", "path", "a path of ASCII that begins with /, other than /, /health and /ready", |c, v| { c.path = v.path()?; Some(()) }),
    setting("METRICS_CACHE_ENABLED", "cacheEnabled", FLAG, |c, v| { c.cache_enabled = Some(v.flag()?); Some(()) }),
    setting("METRICS_CACHE_TTL_MS", "cacheTtlMs", "milliseconds from 0 to 86400000", |c, v| { c.cache_ttl = Some(v.milliseconds(0.0)?); Some(()) }),
    setting("METRICS_COMPRESSION_ENABLED", "compressionEnabled", FLAG, |c, v| { c.compression_enabled = v.flag()?; Some(()) }),
    setting("METRICS_COMPRESSION_MIN_SIZE", "compressionMinSize", "an integer from 0 to 4294967295", |c, v| { c.compression_min_size = v.integer(0.0, U32_MAX)? as usize; Some(()) }),
    setting("METRICS_CARDINALITY_MAX_PER_METRIC", "cardinalityMaxPerMetric", COUNT, |c, v| { c.cardinality_max_per_metric = Some(v.integer(1.0, U32_MAX)? as usize); Some(()) }),
    setting("METRICS_CARDINALITY_MAX_TOTAL", "cardinalityMaxTotal", COUNT, |c, v| { c.cardinality_max_total = Some(v.integer(1.0, U32_MAX)? as usize); Some(()) }),
    setting("METRICS_RATE_LIMIT_RPS", "rateLimitRps", "a number from 0.001 to 1000000", |c, v| { c.rate_limit_rps = Some(v.between(0.001, 1e6)?); Some(()) }),
    setting("METRICS_RATE_LIMIT_BURST", "rateLimitBurst", "an integer from 1 to 1000000", |c, v| { c.rate_limit_burst = Some(v.integer(1.0, 1e6)? as u32); Some(()) }),
    setting("METRICS_COLLECTORS_LLM", "collectorsLlm", FLAG, |c, v| { c.collectors_llm = Some(v.flag()?); Some(()) }),
    setting("METRICS_COLLECTORS_AGENT", "collectorsAgent", FLAG, |c, v| { c.collectors_agent = Some(v.flag()?); Some(()) }),
    setting("METRICS_COLLECTORS_PROCESS", "collectorsProcess", FLAG, |c, v| { c.collectors_process = Some(v.flag()?); Some(()) }),
    setting("METRICS_COLLECTORS_RUNTIME", "collectorsRuntime", FLAG, |c, v| { c.collectors_runtime = Some(v.flag()?); Some(()) }),
    setting("METRICS_SELF_METRICS", "selfMetrics", FLAG, |c, v| { c.self_metrics = v.flag()?; Some(()) }),
    setting("METRICS_SCRAPE_TIMEOUT_MS", "timeoutMs", MILLISECONDS, |c, v| { c.scrape_timeout = v.milliseconds(1.0)?; Some(()) }),
    setting("METRICS_HEALTH_STALL_MS", "stallAfterMs", MILLISECONDS, |c, v| { c.stall_after = v.milliseconds(1.0)?; Some(()) }),
    setting("METRICS_READY_TIMEOUT_MS", "readyTimeoutMs", MILLISECONDS, |c, v| { c.ready_timeout = v.milliseconds(1.0)?; Some(()) }),
    secret("METRICS_AUTH_BEARER_TOKENS", "bearerTokens", LIST, |c, v| { c.bearer_tokens = v.list()?; Some(()) }),
    setting("METRICS_AUTH_BEARER_TOKEN_FILE", "bearerTokenFile", FILE, |c, v| { c.bearer_token_file = Some(v.text()?); Some(()) }),
    secret("METRICS_AUTH_BASIC_USERS", "basicUsers", "users as name:bcrypt-hash", |c, v| { c.basic_users = v.users()?; Some(()) }),
    setting("METRICS_AUTH_PROTECT_HEALTH", "protectHealth", FLAG, |c, v| { c.protect_health = v.flag()?; Some(()) }),
    setting("METRICS_AUTH_FAILURES_PER_MINUTE", "authFailuresPerMinute", "an integer from 1 to 1000000", |c, v| { c.auth_failures_per_minute = v.integer(1.0, 1e6)? as u32; Some(()) }),
    setting("METRICS_ALLOWLIST", "allowlist", LIST, |c, v| { c.allowlist = v.list()?; Some(()) }),
    setting("METRICS_TRUSTED_PROXIES", "trustedProxies", LIST, |c, v| { c.trusted_proxies = v.list()?; Some(()) }),
    setting("METRICS_WEB_CONFIG_FILE", "webConfigFile", FILE, |c, v| { c.web_config_file = Some(v.text()?); Some(()) }),
    setting("METRICS_TLS_CERT_FILE", "tlsCertFile", FILE, |c, v| { c.tls_cert_file = Some(v.text()?); Some(()) }),
    setting("METRICS_TLS_KEY_FILE", "tlsKeyFile", FILE, |c, v| { c.tls_key_file = Some(v.text()?); Some(()) }),
    setting("METRICS_TLS_CLIENT_CA_FILE", "tlsClientCaFile", FILE, |c, v| { c.tls_client_ca_file = Some(v.text()?); Some(()) }),
    setting("METRICS_TLS_CLIENT_AUTH", "tlsClientAuth", "NoClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert", |c, v| { c.tls_client_auth = Some(v.text()?); Some(()) }),
    setting("METRICS_LIMIT_CONNECTIONS", "maxConnections", "an integer from 1 to 65535", |c, v| { c.max_connections = v.integer(1.0, 65_535.0)? as usize; Some(()) }),
    setting("METRICS_LIMIT_HEADER_BYTES", "maxHeaderBytes", "an integer from 8192 to 1048576", |c, v| { c.max_header_bytes = v.integer(8192.0, 1_048_576.0)? as usize; Some(()) }),
    setting("METRICS_LIMIT_HEADERS", "maxHeaders", "an integer from 1 to 1000", |c, v| { c.max_headers = v.integer(1.0, 1000.0)? as usize; Some(()) }),
    setting("METRICS_HEADER_TIMEOUT_MS", "headerTimeoutMs", MILLISECONDS, |c, v| { c.header_timeout = v.milliseconds(1.0)?; Some(()) }),
    setting("METRICS_IDLE_TIMEOUT_MS", "idleTimeoutMs", MILLISECONDS, |c, v| { c.idle_timeout = v.milliseconds(1.0)?; Some(()) }),
    setting("METRICS_WRITE_TIMEOUT_MS", "writeTimeoutMs", MILLISECONDS, |c, v| { c.write_timeout = v.milliseconds(1.0)?; Some(()) }),
    setting("METRICS_LIMIT_BODY_BYTES", "maxBodyBytes", "an integer from 1048576 to 4294967295", |c, v| { c.max_body_bytes = v.integer(1_048_576.0, U32_MAX)? as usize; Some(()) }),
];

const U32_MAX: f64 = u32::MAX as f64;
const DAY_MS: f64 = 86_400_000.0;

impl MetricsConfig {
    /// Reads the `METRICS_*` variables among `variables`, on top of the defaults. An empty one is none.
    ///
    /// # Errors
    /// `InvalidConfig`, naming the variable, what was expected and what came.
    pub fn from_env<'a>(variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let mut config = Self::default();
        for (name, value) in variables {
            let Some(setting) = SETTINGS.iter().find(|setting| setting.variable == name) else { continue };
            if !value.trim().is_empty() {
                config.apply(setting, setting.variable, &Given::Variable(value.trim().to_owned()))?;
            }
        }
        Ok(config)
    }

    /// Sets an option by its name in options (`cacheTtlMs`).
    ///
    /// # Errors
    /// `InvalidConfig`, naming the option, what was expected and what came.
    pub fn set(&mut self, option: &str, given: &Given) -> Result<()> {
        match SETTINGS.iter().find(|setting| setting.option == option) {
            Some(setting) => self.apply(setting, setting.option, given),
            None => Err(MetricsError::new(
                ErrorKind::InvalidConfig,
                format!("Expected the name of an option but received \"{option}\""),
            )),
        }
    }

    fn apply(&mut self, setting: &Setting, name: &str, given: &Given) -> Result<()> {
        (setting.apply)(self, given).ok_or_else(|| {
            let received = if setting.secret { "something else".to_owned() } else { given.describe() };
            MetricsError::new(
                ErrorKind::InvalidConfig,
                format!("Expected {} for {name} but received {received}", setting.expected),
            )
        })
    }

    /// The environment variables, each with the name of the option that overrides it and what it may be.
    pub fn settings() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
        SETTINGS.iter().map(|setting| (setting.variable, setting.option, setting.expected))
    }

    /// How long expositions are kept; none where they are not. A time to live that is given switches the cache on,
    /// unless it is switched off; switched on without one, it is a second.
    #[must_use]
    pub fn cache(&self) -> Option<Duration> {
        let ttl = match self.cache_enabled {
            Some(false) => None,
            Some(true) => Some(self.cache_ttl.unwrap_or(Duration::from_secs(1))),
            None => self.cache_ttl,
        };
        ttl.filter(|ttl| !ttl.is_zero())
    }
}

impl Given {
    fn flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            Self::Variable(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Some(true),
                "false" | "0" | "no" | "off" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Variable(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn integer(&self, least: f64, most: f64) -> Option<f64> {
        self.number().filter(|number| number.fract() == 0.0 && (least..=most).contains(number))
    }

    fn between(&self, least: f64, most: f64) -> Option<f64> {
        self.number().filter(|number| (least..=most).contains(number))
    }

    fn milliseconds(&self, least: f64) -> Option<Duration> {
        let number = self.number().filter(|number| (least..=DAY_MS).contains(number))?;
        Some(Duration::from_secs_f64(number / 1000.0))
    }

    fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) | Self::Variable(text) if !text.is_empty() => Some(text.clone()),
            _ => None,
        }
    }

    fn path(&self) -> Option<String> {
        let usable = |path: &String| {
            path.starts_with('/')
                && path.bytes().all(|byte| byte.is_ascii_graphic())
                && !matches!(path.as_str(), "/" | "/health" | "/ready")
                && !path.contains(['?', '#'])
        };
        self.text().filter(usable)
    }

    fn list(&self) -> Option<Vec<String>> {
        let entries = match self {
            Self::List(entries) => entries.clone(),
            Self::Variable(text) => text.split(',').map(|entry| entry.trim().to_owned()).collect(),
            _ => return None,
        };
        entries.iter().all(|entry| !entry.is_empty()).then_some(entries)
    }

    fn users(&self) -> Option<Vec<String>> {
        self.list().filter(|users| users.iter().all(|user| user.contains(':')))
    }

    fn describe(&self) -> String {
        match self {
            Self::Variable(text) => format!("{text:?}"),
            Self::Text(text) => format!("{text:?} of type string"),
            // Rust's "inf" is nobody else's word.
            Self::Number(number) if number.is_infinite() => {
                format!("{}Infinity of type number", if *number < 0.0 { "-" } else { "" })
            }
            Self::Number(number) => format!("{number} of type number"),
            Self::Flag(flag) => format!("{flag} of type boolean"),
            Self::List(entries) => format!("{entries:?} of type Array"),
            Self::Other(words) => words.clone(),
        }
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
}
