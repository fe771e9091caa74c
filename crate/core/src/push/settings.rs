//! Reads and checks the settings of a pusher. It must not know when and how requests are sent.

use crate::config::MetricsConfig;
use crate::error::{MetricsError, Result};
use crate::labels::{LabelName, redact_for_log};
use axum::http::{HeaderName, HeaderValue, Uri};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// What the receiver speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Remote write, of version 2.0 if the receiver knows it.
    RemoteWrite,
    /// Remote write 1.0.
    RemoteWrite1,
    Otlp,
    Pushgateway,
}

/// Where requests go.
#[derive(Clone)]
pub(super) struct Receiver {
    pub(super) protocol: Protocol,
    pub(super) is_secure: bool,
    pub(super) host: String,
    pub(super) port: u16,
    /// The value of the `Host` header. Messages and metrics name the receiver by it: the rest of the URL may be secret.
    pub(super) name: String,
    /// Path and query.
    pub(super) target: String,
    /// Headers of the settings.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// User and password in the URL.
    pub(super) user: Option<(String, String)>,
}

/// Labels that all series get, and the attributes of the process.
#[derive(Clone)]
pub(super) struct Identity {
    /// Those of series.
    pub(super) labels: Vec<(String, String)>,
    /// What OTLP has beside the series: attributes of the process.
    pub(super) resource: Vec<(String, String)>,
    /// The labels in the path of a Pushgateway.
    pub(super) group: Vec<(String, String)>,
    pub(super) instance: String,
    /// The instance is that of the settings.
    pub(super) is_given: bool,
    /// Pushers with the same text push the same values to the same receiver.
    pub(super) key: String,
}

impl Identity {
    /// Takes another instance.
    pub(super) fn rename(&mut self, instance: String) {
        let lists =
            [(&mut self.labels, INSTANCE), (&mut self.group, INSTANCE), (&mut self.resource, INSTANCE_ID)];
        for (list, wanted) in lists {
            let own = list.iter_mut().find(|(name, _)| name == wanted);
            own.into_iter().for_each(|(_, value)| value.clone_from(&instance));
        }
        self.instance = instance;
    }
}

/// The label of the instance, and its attribute in OTLP.
const INSTANCE: &str = "instance";
const INSTANCE_ID: &str = "service.instance.id";

/// Reads the settings.
///
/// # Errors
/// `InvalidConfig` with the setting, what was expected and what came.
pub(super) fn read(config: &MetricsConfig) -> Result<(Receiver, Identity)> {
    let protocol = match config.push_protocol.as_str() {
        "remote-write-1" => Protocol::RemoteWrite1,
        "otlp" => Protocol::Otlp,
        "pushgateway" => Protocol::Pushgateway,
        "remote-write" => Protocol::RemoteWrite,
        other => {
            let error = invalid("remote-write, remote-write-1, otlp or pushgateway", "pushProtocol", other);
            return Err(config.blame(&error, &["pushProtocol"]));
        }
    };
    let job = config.push_job.clone().unwrap_or_else(program);
    let instance = config.push_instance.clone().unwrap_or_else(unique_instance);
    let receiver = receiver(config, protocol)?;
    let mut labels = labels(config)?;
    labels.retain(|(name, _)| name != "job" && name != INSTANCE);
    // Who has other credentials writes to another tenant.
    let credentials = [
        &config.push_username,
        &config.push_password,
        &config.push_password_file,
        &config.push_bearer_token,
        &config.push_bearer_token_file,
        &config.push_tls_cert_file,
    ];
    let key = format!(
        "{protocol:?} {:?} {credentials:?} {:?} {job:?} {labels:?} {:?}",
        config.push_url, config.push_headers, config.push_resource
    );
    let named = |job_name: &str, instance_name: &str| {
        vec![(job_name.to_owned(), job.clone()), (instance_name.to_owned(), instance.clone())]
    };
    let (mut resource, mut group) = (Vec::new(), Vec::new());
    if protocol == Protocol::Otlp {
        resource = named("service.name", INSTANCE_ID);
        resource.push(("telemetry.sdk.name".to_owned(), "prometheus-metrics".to_owned()));
        resource.extend(config.push_resource.iter().cloned());
    } else {
        labels.splice(..0, named("job", INSTANCE));
    }
    if protocol == Protocol::Pushgateway {
        std::mem::swap(&mut labels, &mut group);
    }
    let is_given = config.push_instance.is_some();
    Ok((receiver, Identity { labels, resource, group, instance, is_given, key }))
}

fn receiver(config: &MetricsConfig, protocol: Protocol) -> Result<Receiver> {
    const EXPECTED: &str = "a URL that begins with http:// or https://";
    let Some(url) = config.push_url.as_deref() else {
        return Err(MetricsError::invalid_config(format!(
            "Expected {EXPECTED} for METRICS_PUSH_URL or the option url but received none"
        )));
    };
    let refused = || {
        let error = invalid(EXPECTED, "pushUrl", url);
        config.blame(&error, &["pushUrl"])
    };
    let uri: Uri = url.parse().map_err(|_| refused())?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err(refused()) };
    let is_secure = scheme == "https";
    if !is_secure && scheme != "http" || authority.host().is_empty() {
        return Err(refused());
    }
    let user = authority.as_str().rsplit_once('@').map(|(user, _)| {
        let (name, password) = user.split_once(':').unwrap_or((user, ""));
        (percent_decoded(name), percent_decoded(password))
    });
    let port = authority.port_u16();
    let host = authority.host();
    // Text that is not a port would be left out.
    let behind = authority.as_str().rsplit('@').next().and_then(|text| text.strip_prefix(host));
    if port.is_none() && !matches!(behind, Some("" | ":")) {
        return Err(refused());
    }
    let name = port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let mut headers = Vec::new();
    for pair in &config.push_headers {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match (HeaderName::try_from(name.trim()), HeaderValue::try_from(value.trim())) {
            (Ok(name), Ok(value)) if !is_own_header(&name) => headers.push((name, value)),
            _ => {
                let error = MetricsError::invalid_config(format!(
                    "Expected a valid header for pushHeaders, and none that describes the body, but received {:?}",
                    redact_for_log(name, 50)
                ));
                return Err(config.blame(&error, &["pushHeaders"]));
            }
        }
    }
    Ok(Receiver {
        protocol,
        is_secure,
        host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
        port: port.unwrap_or(if is_secure { 443 } else { 80 }),
        name,
        target: uri.path_and_query().map_or("/", |target| target.as_str()).to_owned(),
        headers,
        user,
    })
}

/// Headers that each request has already.
fn is_own_header(name: &HeaderName) -> bool {
    ["host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection"]
        .contains(&name.as_str())
}

/// The labels of the settings.
fn labels(config: &MetricsConfig) -> Result<Vec<(String, String)>> {
    let mut labels: Vec<(String, String)> = Vec::new();
    for pair in &config.push_labels {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let checked = LabelName::new(name).ok().filter(|_| {
            !matches!(name, "le" | "quantile" | "__name__") && labels.iter().all(|(known, _)| known != name)
        });
        if checked.is_none() {
            let error =
                invalid("each name of a label once, and neither le nor quantile,", "pushLabels", name);
            return Err(config.blame(&error, &["pushLabels"]));
        }
        labels.push((name.to_owned(), value.to_owned()));
    }
    Ok(labels)
}

fn invalid(expected: &str, setting: &str, received: &str) -> MetricsError {
    MetricsError::invalid_config(format!(
        "Expected {expected} for {setting} but received {:?}",
        redact_for_log(received, 200)
    ))
}

/// All but the characters that a path holds as they are.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The path of a group of metrics in a Pushgateway. `job` comes first.
pub(super) fn group_path(base: &str, labels: &[(String, String)]) -> String {
    let (base, query) = base.find('?').map_or((base, ""), |at| base.split_at(at));
    let mut path = format!("{}/metrics", base.trim_end_matches('/'));
    for (name, value) in labels {
        // A path cannot hold these otherwise: servers decode `%2F`, and clean `//`, `/./` and `/../` away.
        if value.contains('/') || matches!(value.as_str(), "" | "." | "..") {
            let encoded = URL_SAFE.encode(value);
            path += &format!("/{name}@base64/{}", if encoded.is_empty() { "=" } else { &encoded });
        } else {
            path += &format!("/{name}/{}", utf8_percent_encode(value, IN_PATH));
        }
    }
    path + query
}

fn percent_decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn program() -> String {
    let path = std::env::current_exe().ok();
    let name =
        path.as_deref().and_then(|path| path.file_stem()).map(|name| name.to_string_lossy().into_owned());
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| "program".to_owned())
}

/// How many pushers have got an instance.
static INSTANCES: AtomicU32 = AtomicU32::new(0);

/// A name that no other pusher has, of this or another process or machine.
fn unique_instance() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let instance = format!("{}:{}:{seconds}", host_name(), std::process::id());
    match INSTANCES.fetch_add(1, Ordering::Relaxed) {
        0 => instance,
        number => format!("{instance}:{number}"),
    }
}

fn host_name() -> String {
    #[cfg(unix)]
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").ok();
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| "localhost".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str) -> MetricsConfig {
        MetricsConfig::default().push_url(Some(url.to_owned()))
    }

    fn refusal(config: &MetricsConfig) -> String {
        read(config).err().expect("it is refused").to_string()
    }

    #[test]
    fn a_url_gives_its_parts() {
        let read = |url: &str| read(&config(url)).expect("it is valid").0;
        let receiver = read("https://me:se%40cret@metrics.example/api/v1/write?tenant=a");
        assert!(receiver.is_secure);
        assert_eq!((receiver.host.as_str(), receiver.port), ("metrics.example", 443));
        assert_eq!(
            (receiver.name.as_str(), receiver.target.as_str()),
            ("metrics.example", "/api/v1/write?tenant=a")
        );
        assert_eq!(receiver.user, Some(("me".to_owned(), "se@cret".to_owned())));
        let receiver = read("http://[::1]:9090");
        assert_eq!(
            (receiver.host.as_str(), receiver.port, receiver.name.as_str()),
            ("::1", 9090, "[::1]:9090")
        );
        assert_eq!(receiver.target, "/");
    }

    #[test]
    fn other_urls_are_refused_without_their_secrets() {
        for url in [
            "metrics.example",
            "/api",
            "ftp://a/b",
            "http://",
            "http:///x",
            "https://a b",
            "http://a:99999/",
            "http://a:9o9/",
        ] {
            assert!(refusal(&config(url)).starts_with("Expected a URL"), "{url}");
        }
        let message = refusal(&config("ftp://me:hunter2hunter2@host/x"));
        assert!(!message.contains("hunter2"), "{message}");
        assert!(refusal(&MetricsConfig::default()).contains("METRICS_PUSH_URL"));
    }

    #[test]
    fn labels_and_headers_are_checked() {
        let labels = |labels: &[&str]| {
            read(&config("http://a").push_labels(labels.iter().map(|&it| it.to_owned()).collect()))
        };
        assert!(labels(&["region=eu", "empty="]).is_ok());
        for wrong in [&["le=1"][..], &["a-b=1"], &["a=1", "a=2"], &["__name__=x"]] {
            assert!(labels(wrong).is_err(), "{wrong:?}");
        }
        let headers = |header: &str| read(&config("http://a").push_headers(vec![header.to_owned()]));
        assert!(headers("X-Scope-OrgID=tenant=1").is_ok());
        for wrong in ["a b=1", "Host=x", "x=a\nb", "content-length=1"] {
            assert!(headers(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_pushgateway_gets_the_labels_in_its_path() {
        let config = config("http://gateway/base/")
            .push_protocol("pushgateway".to_owned())
            .push_job(Some("nightly/backup".to_owned()))
            .push_instance(Some("host é".to_owned()))
            .push_labels(vec!["empty=".to_owned()]);
        let (receiver, identity) = read(&config).expect("it is valid");
        assert_eq!(
            group_path(&receiver.target, &identity.group),
            "/base/metrics/job@base64/bmlnaHRseS9iYWNrdXA=/instance/host%20%C3%A9/empty@base64/="
        );
        assert!(identity.labels.is_empty());
    }

    #[test]
    fn instances_are_unique() {
        let instance = || read(&config("http://a")).expect("it is valid").1.labels[1].clone();
        assert_ne!(instance(), instance());
    }
}
