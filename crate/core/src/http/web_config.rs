//! Reads and checks the web configuration file of the Prometheus exporters (exporter-toolkit), so that one file works
//! for these exporters and this library. It must not know how the settings are applied.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::pem::{Pem, read_bounded};
use super::tls_config::{ClientAuth, TlsConfig, TlsVersion};
use super::yaml::{self, Node, Value};
use crate::config::MetricsConfig;
use crate::error::{MetricsError, Result};

/// The largest accepted file.
const MAX_FILE_BYTES: u64 = 1024 * 1024;
/// The headers that a file may set, each with its allowed values; an empty list allows every value.
const HEADERS: [(&str, &[&str]); 5] = [
    ("Content-Security-Policy", &[]),
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
];

/// The content of a web configuration file.
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct WebConfig {
    /// `tls_server_config`, `None` without TLS. File names are relative to the configuration file.
    pub tls: Option<TlsConfig>,
    /// `basic_auth_users`: names and bcrypt hashes, which `Authenticator::new` checks.
    pub basic_users: Vec<(String, String)>,
    /// `http_server_config.headers`: added to every response.
    pub headers: Vec<(String, String)>,
    /// `rate_limit`. `None`: no limit.
    pub rate_limit: Option<RateLimit>,
}

/// One request per `interval`, and `burst` requests at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// The time until one more request is allowed; never zero.
    pub interval: Duration,
    /// How many requests are allowed at once.
    pub burst: NonZeroU32,
}

impl WebConfig {
    /// Reads the file that the settings name. Without one, the configuration is empty.
    pub(crate) fn of(config: &MetricsConfig) -> Result<Self> {
        config
            .web_config_file
            .as_ref()
            .map_or_else(|| Ok(Self::default()), |file| Self::read(Path::new(file)))
            .map_err(|error| config.blame(&error, &["webConfigFile"]))
    }

    /// Reads a file.
    ///
    /// `http2` is accepted and has no effect: the exporter speaks only HTTP/1.1, which every client supports.
    ///
    /// # Errors
    /// `InvalidConfig` naming the file and the line, for a file that is missing, larger than 1 MiB or not YAML, an
    /// unknown or repeated key, an invalid value, an alias, a tag, or a second document. No message shows a hash or a
    /// key.
    pub fn read(path: &Path) -> Result<Self> {
        let refused = |message: String| MetricsError::invalid_config(message);
        let bytes = read_bounded(path, MAX_FILE_BYTES).map_err(|what| {
            refused(format!("Expected a readable web configuration in {path:?} but received {what}"))
        })?;
        let text = String::from_utf8(bytes)
            .map_err(|_| refused(format!("Expected UTF-8 in {path:?} but received other bytes")))?;
        let directory = path.parent().unwrap_or(Path::new(""));
        parse(&text, directory).map_err(|refusal| {
            refused(format!("{} ({}, line {})", refusal.message, path.display(), refusal.line))
        })
    }
}

impl std::fmt::Debug for WebConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebConfig")
            .field("tls", &self.tls)
            .field("basic_users", &self.basic_users.iter().map(|(user, _)| user).collect::<Vec<_>>())
            .field("headers", &self.headers)
            .field("rate_limit", &self.rate_limit)
            .finish()
    }
}

type Read<T> = std::result::Result<T, yaml::Refusal>;

fn parse(text: &str, directory: &Path) -> Read<WebConfig> {
    let mut config = WebConfig::default();
    let mut root = Section::new("the file", yaml::parse(text)?)?;
    if let Some(node) = root.take("tls_server_config") {
        config.tls = tls(node, directory)?;
    }
    if let Some(node) = root.take("http_server_config") {
        config.headers = http(node)?;
    }
    if let Some(node) = root.take("basic_auth_users") {
        for (user, _, hash) in Section::new("basic_auth_users", node)?.entries {
            // Never show the value: it may be the password itself.
            let Value::Text(hash) = hash.value else {
                return Err(hash.refuse(format!(
                    "Expected a bcrypt hash for user {user:?} but received {}",
                    hash.value.kind()
                )));
            };
            config.basic_users.push((user, hash));
        }
    }
    if let Some(node) = root.take("rate_limit") {
        config.rate_limit = rate_limit(node)?;
    }
    root.finish()?;
    Ok(config)
}

fn tls(node: Node, directory: &Path) -> Read<Option<TlsConfig>> {
    let line = node.line;
    let mut section = Section::new("tls_server_config", node)?;
    let cert = section.pem("cert", "cert_file", directory)?;
    let key = section.pem("key", "key_file", directory)?;
    let client_ca = section.pem("client_ca", "client_ca_file", directory)?;
    let client_auth = section.parsed("client_auth_type", ClientAuth::parse)?;
    let min_version = section.parsed("min_version", oldest_version)?;
    let max_version = section.parsed("max_version", TlsVersion::parse)?;
    let cipher_suites = section.texts("cipher_suites")?;
    let curve_preferences = section.texts("curve_preferences")?;
    let client_allowed_sans = section.texts("client_allowed_sans")?;
    let prefer_server_cipher_suites = section.flag("prefer_server_cipher_suites")?;
    section.finish()?;
    if cert.is_none() && key.is_none() && client_ca.is_none() && client_auth.is_none() {
        return Ok(None);
    }
    let missing = |what: &str| yaml::Refusal {
        line,
        message: format!("Expected {what} in tls_server_config but received none"),
    };
    let cert = cert.ok_or_else(|| missing("cert_file or cert"))?;
    let key = key.ok_or_else(|| missing("key_file or key"))?;
    let mut config = TlsConfig::new(cert, key);
    config.client_ca = client_ca;
    config.client_auth = client_auth.unwrap_or_default();
    config.min_version = min_version.unwrap_or(config.min_version);
    config.max_version = max_version.unwrap_or(config.max_version);
    config.cipher_suites = cipher_suites;
    config.curve_preferences = curve_preferences;
    config.client_allowed_sans = client_allowed_sans;
    config.prefer_server_cipher_suites = prefer_server_cipher_suites.unwrap_or(true);
    Ok(Some(config))
}

/// Accepts older versions in a file, but the oldest version in use is TLS 1.2.
fn oldest_version(text: &str) -> Result<TlsVersion> {
    match text {
        "TLS10" | "TLS11" => Ok(TlsVersion::Tls12),
        _ => TlsVersion::parse(text),
    }
}

fn http(node: Node) -> Read<Vec<(String, String)>> {
    let mut section = Section::new("http_server_config", node)?;
    section.flag("http2")?;
    let mut headers = Vec::new();
    if let Some(node) = section.take("headers") {
        for (name, line, value) in Section::new("headers", node)?.entries {
            headers.extend(header(name, line, value)?);
        }
    }
    section.finish()?;
    Ok(headers)
}

/// A header to set; `None` if its value is empty.
fn header(name: String, line: usize, node: Node) -> Read<Option<(String, String)>> {
    let Some((_, allowed)) = HEADERS.iter().find(|(known, _)| *known == name) else {
        let known = HEADERS.map(|(known, _)| known).join(", ");
        return Err(yaml::Refusal {
            line,
            message: format!("Expected one of {known} for headers but received {name:?}"),
        });
    };
    let value = match &node.value {
        Value::Null => return Ok(None),
        Value::Text(text) if text.is_empty() => return Ok(None),
        Value::Text(text) => text.clone(),
        other => return Err(node.refuse(format!("Expected text for {name} but received {}", other.kind()))),
    };
    if !allowed.is_empty() && !allowed.contains(&value.as_str()) {
        return Err(
            node.refuse(format!("Expected {} for {name} but received {value:?}", allowed.join(" or ")))
        );
    }
    if !value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return Err(
            node.refuse(format!("Expected visible ASCII characters for {name} but received {value:?}"))
        );
    }
    Ok(Some((name, value)))
}

fn rate_limit(node: Node) -> Read<Option<RateLimit>> {
    let line = node.line;
    let mut section = Section::new("rate_limit", node)?;
    let interval = section.parsed("interval", duration)?.unwrap_or_default();
    let burst = section.parsed("burst", whole_number)?;
    section.finish()?;
    if interval.is_zero() {
        return Ok(None);
    }
    let burst = burst.and_then(NonZeroU32::new).ok_or_else(|| yaml::Refusal {
        line,
        message: "Expected a whole number from 1 for burst beside interval but received 0 or nothing"
            .to_owned(),
    })?;
    Ok(Some(RateLimit { interval, burst }))
}

fn whole_number(text: &str) -> Result<u32> {
    text.parse().map_err(|_| {
        MetricsError::invalid_config(format!("Expected a whole number from 0 but received {text:?}"))
    })
}

/// A duration in Go's notation: `1h2m3.5s`, `250ms`, `0`.
fn duration(text: &str) -> Result<Duration> {
    let refused = || {
        MetricsError::invalid_config(format!(
            "Expected a duration such as 250ms, 1s or 1m30s but received {text:?}"
        ))
    };
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let (mut seconds, mut rest) = (0.0, text);
    while !rest.is_empty() || text.is_empty() {
        let digits = rest.find(|c: char| c != '.' && !c.is_ascii_digit()).ok_or_else(refused)?;
        let (number, after) = rest.split_at(digits);
        let unit = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let unit_seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(refused()),
        };
        seconds += number.parse::<f64>().map_err(|_| refused())? * unit_seconds;
        rest = after;
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| refused())
}

/// A mapping whose known keys are taken out one by one. Keys that are left at the end are unknown.
struct Section {
    name: &'static str,
    entries: Vec<(String, usize, Node)>,
}

impl Section {
    fn new(name: &'static str, node: Node) -> Read<Self> {
        match node.value {
            Value::Mapping(entries) => Ok(Self { name, entries }),
            Value::Null => Ok(Self { name, entries: Vec::new() }),
            _ => {
                Err(node.refuse(format!("Expected a mapping for {name} but received {}", node.value.kind())))
            }
        }
    }

    fn take(&mut self, key: &str) -> Option<Node> {
        let position = self.entries.iter().position(|(known, _, _)| known == key)?;
        Some(self.entries.remove(position).2)
    }

    /// The line and text of a scalar; `None` if it is missing or empty.
    fn text(&mut self, key: &str) -> Read<Option<(usize, String)>> {
        match self.take(key) {
            None | Some(Node { value: Value::Null, .. }) => Ok(None),
            Some(Node { line, value: Value::Text(text) }) => {
                Ok(Some((line, text)).filter(|(_, text)| !text.is_empty()))
            }
            Some(node) => {
                Err(node.refuse(format!("Expected text for {key} but received {}", node.value.kind())))
            }
        }
    }

    fn parsed<T>(&mut self, key: &str, parse: impl FnOnce(&str) -> Result<T>) -> Read<Option<T>> {
        let Some((line, text)) = self.text(key)? else { return Ok(None) };
        let refused = |error: MetricsError| yaml::Refusal { line, message: format!("{key}: {error}") };
        parse(&text).map(Some).map_err(refused)
    }

    /// A boolean of YAML 1.1, as in Go's parser.
    fn flag(&mut self, key: &str) -> Read<Option<bool>> {
        let Some((line, text)) = self.text(key)? else { return Ok(None) };
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "y" => Ok(Some(true)),
            "false" | "no" | "off" | "n" => Ok(Some(false)),
            _ => Err(yaml::Refusal {
                line,
                message: format!("Expected true or false for {key} but received {text:?}"),
            }),
        }
    }

    fn texts(&mut self, key: &str) -> Read<Vec<String>> {
        let Some(node) = self.take(key) else { return Ok(Vec::new()) };
        let nodes = match node.value {
            Value::Null => return Ok(Vec::new()),
            Value::List(nodes) => nodes,
            _ => {
                return Err(
                    node.refuse(format!("Expected a list for {key} but received {}", node.value.kind()))
                );
            }
        };
        let text = |node: Node| match node.value {
            Value::Text(text) => Ok(text),
            _ => Err(node.refuse(format!("Expected text in {key} but received {}", node.value.kind()))),
        };
        nodes.into_iter().map(text).collect()
    }

    /// PEM from the key that holds the text, or from the key that names a file.
    fn pem(&mut self, inline: &str, file: &str, directory: &Path) -> Read<Option<Pem>> {
        let text = self.text(inline)?;
        let name = self.text(file)?;
        match (text, name) {
            (Some(_), Some((line, _))) => Err(yaml::Refusal {
                line,
                message: format!("Expected {file} or {inline} in {} but received both", self.name),
            }),
            (Some((_, text)), None) => Ok(Some(Pem::Text(text))),
            (None, name) => Ok(name.map(|(_, name)| Pem::File(directory.join(PathBuf::from(name))))),
        }
    }

    fn finish(self) -> Read<()> {
        match self.entries.into_iter().next() {
            None => Ok(()),
            Some((key, line, _)) => Err(yaml::Refusal {
                line,
                message: format!("Expected a known key in {} but received {key:?}", self.name),
            }),
        }
    }
}

impl Node {
    fn refuse(&self, message: String) -> yaml::Refusal {
        yaml::Refusal { line: self.line, message }
    }
}
