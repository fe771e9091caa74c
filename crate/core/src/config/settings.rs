//! The list of settings. It defines each setting once: the field of `MetricsConfig`, the default, the check, the
//! documentation of both languages and JavaScript's types are made from it. It does not depend on the readers of a
//! setting. To find the place where a setting takes effect, search for its field (`.scrape_timeout`). Settings that work
//! together are read by a method of `MetricsConfig`: `cache_ttl` and `cache_enabled` by `.cache()`.

use super::define::{accepted, settings};
use super::sources::Sources;
use super::value::{Accepted, Field, Shape, Value};
use std::time::Duration;

/// Bodies below this many bytes are sent uncompressed: gzip's frame and the scraper's inflating cost more than they save.
pub const DEFAULT_MIN_SIZE: usize = 1024;

/// A setting: its names, its documentation, and what it accepts.
#[derive(Debug)]
pub struct Setting {
    pub(super) variable: &'static str,
    pub(super) option: &'static str,
    sentence: &'static str,
    default_words: &'static str,
    place: Place,
    pub(super) accepted: Accepted,
    /// Nothing if the field has another type than the value, which is a mistake in the list below.
    pub(super) store: fn(&mut MetricsConfig, Value) -> Option<()>,
    pub(super) load: fn(&MetricsConfig) -> Option<Value>,
}

/// Where JavaScript has the option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `startExporter()` and every handler.
    Everywhere,
    /// Only `startExporter()`.
    Exporter,
    /// Only `startPusher()`, without `push` at the beginning: `pushUrl` is `url`.
    Pusher,
    /// Not among the typed options. The variable applies wherever an endpoint is made.
    Variable,
}

impl Setting {
    /// All settings, in the order of the documentation.
    #[must_use]
    pub fn all() -> &'static [Self] {
        SETTINGS
    }

    /// Its name in the environment, such as `METRICS_CACHE_TTL_MS`.
    #[must_use]
    pub const fn variable(&self) -> &'static str {
        self.variable
    }

    /// The option that overrides the variable.
    #[must_use]
    pub const fn option(&self) -> &'static str {
        self.option
    }

    /// The option as the program writes it, for messages.
    pub(super) fn option_name(&self) -> String {
        let own = self.option.strip_prefix("push").filter(|_| self.place == Place::Pusher);
        own.map_or_else(|| self.option.to_owned(), |own| own[..1].to_ascii_lowercase() + &own[1..])
    }

    /// What the setting does.
    #[must_use]
    pub fn sentence(&self) -> &'static str {
        self.sentence.trim_start()
    }

    /// The default in words; empty if the default is a value, or if the setting has no default.
    #[must_use]
    pub const fn default_words(&self) -> &'static str {
        self.default_words
    }

    /// Where JavaScript has the option.
    #[must_use]
    pub const fn place(&self) -> Place {
        self.place
    }

    /// The form of its values.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        self.accepted.shape
    }

    /// The accepted values, as errors show them.
    #[must_use]
    pub const fn expected(&self) -> &'static str {
        self.accepted.expected
    }

    /// The only texts that the setting accepts; empty if it accepts others.
    #[must_use]
    pub const fn words(&self) -> &'static [&'static str] {
        self.accepted.words
    }
}

settings! {
    /// Whether there is an endpoint. If not, an exporter does not listen and a handler passes every request on.
    enabled: bool = true,
        ["METRICS_ENABLED", "enabled", Everywhere, flag];
    /// The address to listen on.
    host: String = "0.0.0.0".to_owned(),
        ["METRICS_ENDPOINT_HOST", "host", Exporter, text "an address to listen on"];
    /// The port to listen on. 0 takes a free one.
    port: u16 = 9090,
        ["METRICS_ENDPOINT_PORT", "port", Exporter, integer 0 to 65_535];
    /// A Unix socket to listen on instead of a port.
    socket: Option<String> = None,
        ["METRICS_ENDPOINT_SOCKET", "socket", Exporter, text "the name of a Unix socket"];
    /// The path of the exposition.
    path: String = "/metrics".to_owned(),
        ["METRICS_ENDPOINT_PATH", "path", Everywhere, path];
    /// Whether `/` is the live page, which shows the exposition in a browser. The variable is for exporters alone.
    page: Option<bool> = None, default "`true` for an exporter, `false` for a handler",
        ["METRICS_PAGE", "page", Everywhere, flag];
    /// `true` turns the cache on, for one second unless a time is set. `false` turns it off, even if a time is set.
    cache_enabled: Option<bool> = None, default "whether cacheTtlMs is set",
        ["METRICS_CACHE_ENABLED", "cacheEnabled", Everywhere, flag];
    /// How long an exposition is served again. 0 turns the cache off.
    cache_ttl: Option<Duration> = None,
        ["METRICS_CACHE_TTL_MS", "cacheTtlMs", Everywhere, milliseconds from 0];
    /// Whether bodies are gzipped for scrapers that accept it.
    compression_enabled: bool = true,
        ["METRICS_COMPRESSION_ENABLED", "compressionEnabled", Everywhere, flag];
    /// Bodies with fewer bytes than this are sent uncompressed.
    compression_min_size: usize = DEFAULT_MIN_SIZE,
        ["METRICS_COMPRESSION_MIN_SIZE", "compressionMinSize", Everywhere, integer 0 to 4_294_967_295];
    /// How many series a metric may have, unless the metric or its registry sets a limit.
    cardinality_max_per_metric: Option<usize> = None, default "10000",
        ["METRICS_CARDINALITY_MAX_PER_METRIC", "cardinalityMaxPerMetric", Variable, integer 1 to 4_294_967_295];
    /// How many series the registry may have, unless it sets a limit.
    cardinality_max_total: Option<usize> = None, default "1000000",
        ["METRICS_CARDINALITY_MAX_TOTAL", "cardinalityMaxTotal", Variable, integer 1 to 4_294_967_295];
    /// How many requests a second each client may send. `/health` and `/ready` are exempt.
    rate_limit_rps: Option<f64> = None, default "no limit",
        ["METRICS_RATE_LIMIT_RPS", "rateLimitRps", Everywhere, number 0.001 to 1_000_000];
    /// How many requests a client may send at once. Has no effect without `rateLimitRps`.
    rate_limit_burst: Option<u32> = None, default "twice rateLimitRps",
        ["METRICS_RATE_LIMIT_BURST", "rateLimitBurst", Everywhere, integer 1 to 1_000_000];
    /// Whether the exporter also makes an `LlmMetricsCollector`, if the registry has none yet.
    collectors_llm: Option<bool> = None,
        ["METRICS_COLLECTORS_LLM", "collectorsLlm", Variable, flag];
    /// Whether the exporter also makes an `AgentMetricsCollector`, if the registry has none yet.
    collectors_agent: Option<bool> = None,
        ["METRICS_COLLECTORS_AGENT", "collectorsAgent", Variable, flag];
    /// Whether the exporter also collects process metrics.
    collectors_process: Option<bool> = None,
        ["METRICS_COLLECTORS_PROCESS", "collectorsProcess", Exporter, flag];
    /// Whether the exporter also collects metrics of the runtime, such as Node.js' event loop.
    collectors_runtime: Option<bool> = None,
        ["METRICS_COLLECTORS_RUNTIME", "collectorsRuntime", Exporter, flag];
    /// Whether expositions end with the endpoint's own metrics (`llmdevops_metrics_*`).
    self_metrics: bool = true,
        ["METRICS_SELF_METRICS", "selfMetrics", Everywhere, flag];
    /// How long collectors may take, unless the scraper sends its own timeout.
    scrape_timeout: Duration = Duration::from_secs(10),
        ["METRICS_SCRAPE_TIMEOUT_MS", "timeoutMs", Everywhere, milliseconds from 1];
    /// How late the event loop may be before `/health` answers 503.
    stall_after: Duration = Duration::from_secs(5),
        ["METRICS_HEALTH_STALL_MS", "stallAfterMs", Exporter, milliseconds from 1];
    /// How long a readiness check may take.
    ready_timeout: Duration = Duration::from_secs(1),
        ["METRICS_READY_TIMEOUT_MS", "readyTimeoutMs", Everywhere, milliseconds from 1];
    /// Accepted tokens (`Authorization: Bearer …`).
    bearer_tokens: Vec<String> = Vec::new(),
        ["METRICS_AUTH_BEARER_TOKENS", "bearerTokens", Everywhere, secret list];
    /// A file with one accepted token a line.
    bearer_token_file: Option<String> = None,
        ["METRICS_AUTH_BEARER_TOKEN_FILE", "bearerTokenFile", Everywhere, file];
    /// Accepted users, each as `name:bcrypt-hash`.
    basic_users: Vec<String> = Vec::new(),
        ["METRICS_AUTH_BASIC_USERS", "basicUsers", Everywhere, secret users];
    /// Whether `/health` and `/ready` ask for credentials too.
    protect_health: bool = false,
        ["METRICS_AUTH_PROTECT_HEALTH", "protectHealth", Everywhere, flag];
    /// How many wrong credentials a minute a client may send. Further ones are refused without a check.
    auth_failures_per_minute: u32 = 30,
        ["METRICS_AUTH_FAILURES_PER_MINUTE", "authFailuresPerMinute", Everywhere, integer 1 to 1_000_000];
    /// Addresses and CIDR blocks of the clients that may connect.
    allowlist: Vec<String> = Vec::new(), default "all",
        ["METRICS_ALLOWLIST", "allowlist", Everywhere, list];
    /// Addresses and CIDR blocks of the proxies whose `X-Forwarded-For` header is believed.
    trusted_proxies: Vec<String> = Vec::new(), default "none",
        ["METRICS_TRUSTED_PROXIES", "trustedProxies", Everywhere, list];
    /// A web configuration file of exporter-toolkit: users and headers, and for an exporter TLS too.
    web_config_file: Option<String> = None,
        ["METRICS_WEB_CONFIG_FILE", "webConfigFile", Everywhere, file];
    /// The certificate chain, a PEM file. It is read again when it changes.
    tls_cert_file: Option<String> = None,
        ["METRICS_TLS_CERT_FILE", "tlsCertFile", Exporter, file];
    /// The certificate's key, a PEM file.
    tls_key_file: Option<String> = None,
        ["METRICS_TLS_KEY_FILE", "tlsKeyFile", Exporter, file];
    /// The authorities of client certificates, a PEM file.
    tls_client_ca_file: Option<String> = None,
        ["METRICS_TLS_CLIENT_CA_FILE", "tlsClientCaFile", Exporter, file];
    /// Whether clients need a certificate.
    tls_client_auth: Option<String> = None, default "'RequireAndVerifyClientCert' if tlsClientCaFile is set",
        ["METRICS_TLS_CLIENT_AUTH", "tlsClientAuth", Exporter,
            word "NoClientCert", "VerifyClientCertIfGiven" or "RequireAndVerifyClientCert"];
    /// How many connections may be open at once. A further one takes the place of another connection.
    max_connections: usize = 512,
        ["METRICS_LIMIT_CONNECTIONS", "maxConnections", Exporter, integer 1 to 65_535];
    /// How many of these one client address may hold. Trusted proxies and Unix sockets are exempt.
    max_connections_per_client: Option<usize> = None, default "half of maxConnections",
        ["METRICS_LIMIT_CONNECTIONS_PER_CLIENT", "maxConnectionsPerClient", Exporter, integer 1 to 65_535];
    /// How many more connections may be open for `/health` and `/ready` when all others are busy.
    health_connections: usize = 8,
        ["METRICS_LIMIT_HEALTH_CONNECTIONS", "healthConnections", Exporter, integer 0 to 1000];
    /// How many bytes the head of a request may have. Larger ones are answered with 431.
    max_header_bytes: usize = 16 * 1024,
        ["METRICS_LIMIT_HEADER_BYTES", "maxHeaderBytes", Exporter, integer 8192 to 1_048_576];
    /// How many headers a request may have. Requests with more are answered with 431.
    max_headers: usize = 64,
        ["METRICS_LIMIT_HEADERS", "maxHeaders", Exporter, integer 1 to 1000];
    /// How long the head of a request may take to arrive.
    header_timeout: Duration = Duration::from_secs(10),
        ["METRICS_HEADER_TIMEOUT_MS", "headerTimeoutMs", Exporter, milliseconds from 1];
    /// How long a connection may stay open without a request.
    idle_timeout: Duration = Duration::from_secs(120),
        ["METRICS_IDLE_TIMEOUT_MS", "idleTimeoutMs", Exporter, milliseconds from 1];
    /// How long a client may take to read an answer.
    write_timeout: Duration = Duration::from_secs(30),
        ["METRICS_WRITE_TIMEOUT_MS", "writeTimeoutMs", Everywhere, milliseconds from 1];
    /// How many bytes of expositions may be in memory. Above that, scrapes are answered with 503.
    max_body_bytes: usize = 256 * 1024 * 1024,
        ["METRICS_LIMIT_BODY_BYTES", "maxBodyBytes", Everywhere, integer 1_048_576 to 4_294_967_295];
    /// The folder in which the processes of a service share their metrics, as `shareProcesses({ dir })` does.
    processes_dir: Option<String> = None,
        ["METRICS_PROCESSES_DIR", "processesDir", Variable, text "a folder"];
    /// Where to push: the whole URL of a receiver of remote write or OTLP, or the address of a Pushgateway.
    push_url: Option<String> = None,
        ["METRICS_PUSH_URL", "pushUrl", Pusher, secret text "a URL that begins with http:// or https://"];
    /// `remote-write` is version 2.0, or 1.0 if the receiver does not know 2.0. `remote-write-1` is always 1.0.
    push_protocol: String = "remote-write".to_owned(),
        ["METRICS_PUSH_PROTOCOL", "pushProtocol", Pusher,
            word "remote-write", "remote-write-1", "otlp" or "pushgateway"];
    /// How often metrics are pushed.
    push_interval: Duration = Duration::from_secs(15),
        ["METRICS_PUSH_INTERVAL_MS", "pushIntervalMs", Pusher, milliseconds from 100];
    /// How long one request may take.
    push_timeout: Duration = Duration::from_secs(10),
        ["METRICS_PUSH_TIMEOUT_MS", "pushTimeoutMs", Pusher, milliseconds from 10];
    /// The label `job` of all series.
    push_job: Option<String> = None, default "the name of the executable",
        ["METRICS_PUSH_JOB", "pushJob", Pusher, text "a text that is not empty"];
    /// The label `instance` of all series. Two processes with the same one overwrite each other's values.
    push_instance: Option<String> = None, default "host, process id and time of the start",
        ["METRICS_PUSH_INSTANCE", "pushInstance", Pusher, text "a text that is not empty"];
    /// More labels of all series. In the variable: `name=value` pairs with commas between them.
    push_labels: Vec<String> = Vec::new(),
        ["METRICS_PUSH_LABELS", "pushLabels", Pusher, pairs];
    /// More headers of all requests. In the variable: `name=value` pairs with commas between them.
    push_headers: Vec<String> = Vec::new(),
        ["METRICS_PUSH_HEADERS", "pushHeaders", Pusher, secret pairs];
    /// The user of basic authentication.
    push_username: Option<String> = None,
        ["METRICS_PUSH_USERNAME", "pushUsername", Pusher, text "the name of a user"];
    /// The user's password.
    push_password: Option<String> = None,
        ["METRICS_PUSH_PASSWORD", "pushPassword", Pusher, secret text "a password"];
    /// A file with the password. It is read again for each push.
    push_password_file: Option<String> = None,
        ["METRICS_PUSH_PASSWORD_FILE", "pushPasswordFile", Pusher, file];
    /// A bearer token.
    push_bearer_token: Option<String> = None,
        ["METRICS_PUSH_BEARER_TOKEN", "pushBearerToken", Pusher, secret text "a token"];
    /// A file with the bearer token. It is read again for each push.
    push_bearer_token_file: Option<String> = None,
        ["METRICS_PUSH_BEARER_TOKEN_FILE", "pushBearerTokenFile", Pusher, file];
    /// The authorities of the receiver's certificate, a PEM file.
    push_tls_ca_file: Option<String> = None, default "the system's",
        ["METRICS_PUSH_TLS_CA_FILE", "pushTlsCaFile", Pusher, file];
    /// The pusher's certificate chain, a PEM file.
    push_tls_cert_file: Option<String> = None,
        ["METRICS_PUSH_TLS_CERT_FILE", "pushTlsCertFile", Pusher, file];
    /// The key of the pusher's certificate, a PEM file.
    push_tls_key_file: Option<String> = None,
        ["METRICS_PUSH_TLS_KEY_FILE", "pushTlsKeyFile", Pusher, file];
    /// How many pushes wait for a receiver that does not answer. The oldest is dropped for a new one.
    push_queue_length: usize = 60,
        ["METRICS_PUSH_QUEUE_LENGTH", "pushQueueLength", Pusher, integer 1 to 10_000];
    /// How many bytes these may have, compressed. The newest push always waits.
    push_queue_bytes: usize = 16 * 1024 * 1024,
        ["METRICS_PUSH_QUEUE_BYTES", "pushQueueBytes", Pusher, integer 1024 to 4_294_967_295];
}
