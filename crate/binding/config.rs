//! Settings: from the environment, then from options. The core checks both.

use crate::error::{Result, refused};
use napi_derive::napi;
use prometheus_metrics::config::{Given, MetricsConfig};
use std::time::Duration;

/// Checked settings.
#[napi]
pub struct NativeConfig {
    pub(crate) config: MetricsConfig,
}

/// The value of an option: one of these.
#[napi(object, object_to_js = false)]
pub struct GivenValue {
    /// A string.
    pub text: Option<String>,
    /// A number.
    pub number: Option<f64>,
    /// A boolean.
    pub flag: Option<bool>,
    /// An array of strings.
    pub list: Option<Vec<String>>,
    /// What else it is, in words.
    pub other: Option<String>,
}

/// All settings, durations in milliseconds.
#[napi(object, object_from_js = false)]
pub struct ConfigValues {
    /// Whether there is an endpoint.
    pub enabled: bool,
    /// The address listened on.
    pub host: String,
    /// The port listened on.
    pub port: u32,
    /// The Unix socket listened on instead.
    pub socket: Option<String>,
    /// The path of the exposition.
    pub path: String,
    /// 0 where the cache is off.
    pub cache_ttl_ms: f64,
    /// Whether bodies are compressed.
    pub compression_enabled: bool,
    /// Smaller bodies stay as they are.
    pub compression_min_size: f64,
    /// Series a metric may have.
    pub cardinality_max_per_metric: Option<f64>,
    /// Series a registry may have.
    pub cardinality_max_total: Option<f64>,
    /// Requests a second and client.
    pub rate_limit_rps: Option<f64>,
    /// Requests of one client at once.
    pub rate_limit_burst: Option<f64>,
    /// Whether LLM metrics are collected.
    pub collectors_llm: bool,
    /// Whether agent metrics are collected.
    pub collectors_agent: bool,
    /// Whether process metrics are collected.
    pub collectors_process: bool,
    /// Whether runtime metrics are collected.
    pub collectors_runtime: bool,
    /// Whether expositions end with the endpoint's own metrics.
    pub self_metrics: bool,
    /// How long collectors may take.
    pub timeout_ms: f64,
    /// How late the event loop may be.
    pub stall_after_ms: f64,
    /// How long a readiness check may take.
    pub ready_timeout_ms: f64,
    /// Tokens that are let in.
    pub bearer_tokens: Vec<String>,
    /// A file of tokens.
    pub bearer_token_file: Option<String>,
    /// Users that are let in.
    pub basic_users: Vec<String>,
    /// Whether health is guarded.
    pub protect_health: bool,
    /// Wrong credentials a minute and client.
    pub auth_failures_per_minute: f64,
    /// Addresses that are let in.
    pub allowlist: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<String>,
    /// A web configuration file.
    pub web_config_file: Option<String>,
    /// The certificate chain.
    pub tls_cert_file: Option<String>,
    /// Its key.
    pub tls_key_file: Option<String>,
    /// The authorities of client certificates.
    pub tls_client_ca_file: Option<String>,
    /// Whether clients need a certificate.
    pub tls_client_auth: Option<String>,
    /// Connections at once.
    pub max_connections: f64,
    /// Bytes of a request's head.
    pub max_header_bytes: f64,
    /// Headers of a request.
    pub max_headers: f64,
    /// How long a request's head may take.
    pub header_timeout_ms: f64,
    /// How long a connection may be idle.
    pub idle_timeout_ms: f64,
    /// How long a client may take to read.
    pub write_timeout_ms: f64,
    /// Bytes of expositions in memory.
    pub max_body_bytes: f64,
}

/// A setting, for the documentation.
#[napi(object, object_from_js = false)]
pub struct SettingNames {
    /// The environment variable.
    pub variable: String,
    /// The option that overrides it.
    pub option: String,
    /// What it may be.
    pub expected: String,
}

#[napi]
impl NativeConfig {
    /// Reads variables: names and values in turn.
    #[napi(constructor, catch_unwind)]
    pub fn new(variables: Vec<String>) -> Result<Self> {
        let pairs = variables.as_chunks::<2>().0.iter().map(|[name, value]| (name.as_str(), value.as_str()));
        Ok(Self { config: MetricsConfig::from_env(pairs).map_err(refused)? })
    }

    /// Sets an option.
    #[napi(catch_unwind)]
    pub fn set(&mut self, option: String, value: GivenValue) -> Result<()> {
        let GivenValue { text, number, flag, list, other } = value;
        let given = None
            .or(text.map(Given::Text))
            .or(number.map(Given::Number))
            .or(flag.map(Given::Flag))
            .or(list.map(Given::List))
            .unwrap_or(Given::Other(other.unwrap_or_default()));
        self.config.set(&option, &given).map_err(refused)
    }

    /// Names and limits of all settings.
    #[napi(catch_unwind)]
    pub fn settings() -> Vec<SettingNames> {
        MetricsConfig::settings()
            .map(|(variable, option, expected)| SettingNames {
                variable: variable.to_owned(),
                option: option.to_owned(),
                expected: expected.to_owned(),
            })
            .collect()
    }

    /// All settings.
    #[napi(catch_unwind)]
    pub fn values(&self) -> ConfigValues {
        let config = self.config.clone();
        let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
        ConfigValues {
            enabled: config.enabled,
            host: config.host.clone(),
            port: u32::from(config.port),
            socket: config.socket.clone(),
            path: config.path.clone(),
            cache_ttl_ms: config.cache().map_or(0.0, ms),
            compression_enabled: config.compression_enabled,
            compression_min_size: config.compression_min_size as f64,
            cardinality_max_per_metric: config.cardinality_max_per_metric.map(|limit| limit as f64),
            cardinality_max_total: config.cardinality_max_total.map(|limit| limit as f64),
            rate_limit_rps: config.rate_limit_rps,
            rate_limit_burst: config.rate_limit_burst.map(f64::from),
            collectors_llm: config.collectors_llm.unwrap_or_default(),
            collectors_agent: config.collectors_agent.unwrap_or_default(),
            collectors_process: config.collectors_process.unwrap_or_default(),
            collectors_runtime: config.collectors_runtime.unwrap_or_default(),
            self_metrics: config.self_metrics,
            timeout_ms: ms(config.scrape_timeout),
            stall_after_ms: ms(config.stall_after),
            ready_timeout_ms: ms(config.ready_timeout),
            bearer_tokens: config.bearer_tokens,
            bearer_token_file: config.bearer_token_file,
            basic_users: config.basic_users,
            protect_health: config.protect_health,
            auth_failures_per_minute: f64::from(config.auth_failures_per_minute),
            allowlist: config.allowlist,
            trusted_proxies: config.trusted_proxies,
            web_config_file: config.web_config_file,
            tls_cert_file: config.tls_cert_file,
            tls_key_file: config.tls_key_file,
            tls_client_ca_file: config.tls_client_ca_file,
            tls_client_auth: config.tls_client_auth,
            max_connections: config.max_connections as f64,
            max_header_bytes: config.max_header_bytes as f64,
            max_headers: config.max_headers as f64,
            header_timeout_ms: ms(config.header_timeout),
            idle_timeout_ms: ms(config.idle_timeout),
            write_timeout_ms: ms(config.write_timeout),
            max_body_bytes: config.max_body_bytes as f64,
        }
    }
}
