//! Runs each parser of untrusted bytes, one function per parser. Each function panics if the parser breaks a rule that
//! holds for every input. Inputs are lines of text, so that seeds and findings are readable.

use flate2::read::MultiGzDecoder;
use prometheus_metrics::config::{Given, MetricsConfig};
use prometheus_metrics::http::{
    Allowlist, AuthConfig, Authenticator, Coding, Embedding, Request, Response, ScrapeService, Step, Target,
    Verdict, client_address, coding, content_type,
};
use prometheus_metrics::testing::{Dialect, parse, parse_protobuf, parse_strict};
use prometheus_metrics::{ErrorKind, Format, Registry};
use std::io::Read;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

mod conversations;
pub use conversations::{chunked, connections, pieces};
#[cfg(target_os = "linux")]
mod process_files;
#[cfg(target_os = "linux")]
pub use process_files::process_file;

/// The statuses that an endpoint may answer with.
pub const STATUSES: [u16; 11] = [200, 400, 401, 403, 404, 405, 406, 413, 429, 500, 503];

const TOKEN: &str = "a-long-and-random-token";
/// bcrypt of `correct horse`, at the lowest cost.
const HASH: &str = "$2b$04$4KalQFBJxlb23PHJ.VJOSu.gVG5zg8q87ekANnaCdpOQke051tU76";

/// Names and patterns that the parsers look for. A generator combines them.
pub const WORDS: [&str; 44] = [
    "GET",
    "HEAD",
    "POST",
    " ",
    "\n",
    "/metrics",
    "/health",
    "/ready",
    "/",
    "?",
    "#",
    "&",
    "name[]=",
    "a_total",
    "%5B%5D",
    "accept: ",
    "accept-encoding: ",
    "authorization: ",
    "x-forwarded-for: ",
    "x-prometheus-scrape-timeout-seconds: ",
    "application/openmetrics-text",
    "text/plain",
    "*/*",
    ";version=",
    "1.0.0",
    "0.0.1",
    "0.0.4",
    ";q=",
    "0.5",
    "1e308",
    "-1",
    "NaN",
    ",",
    "gzip",
    "identity",
    "*",
    "Bearer ",
    "Basic ",
    "a-long-and-random-token",
    "c2NyYXBlcjpjb3JyZWN0IGhvcnNl",
    "10.0.0.0/8",
    "::ffff:10.0.0.1",
    "2001:db8::/32",
    "127.0.0.1",
];

/// A small registry with characters that the formats escape.
static REGISTRY: LazyLock<Arc<Registry>> = LazyLock::new(|| {
    let registry = Registry::new();
    let counter = registry.counter_vec("a_total", "A \\ \"help\"\ntext", &["label"]).expect("a valid family");
    for value in ["x", "a\"b\\c\nd", "é"] {
        counter.with(&[value]).expect("a label value").inc();
    }
    let histogram = registry.histogram_vec("b_seconds", "B", &[], &[1.0]).expect("a valid family");
    histogram.with(&[]).expect("a series").observe(0.5).expect("a number");
    Arc::new(registry)
});

/// A service that owns all paths, one for an application's router, and one that needs credentials.
static SERVICES: LazyLock<[ScrapeService; 3]> = LazyLock::new(|| {
    let service = |owns_all_paths: bool, config: &MetricsConfig| {
        let target = Arc::new(Target::new(Arc::clone(&REGISTRY), None).expect("a target"));
        let embedding = Embedding::default().owns_all_paths(owns_all_paths);
        ScrapeService::new(target, config, embedding).expect("valid settings")
    };
    let caching = MetricsConfig::default()
        .self_metrics(false)
        .cache_ttl(Some(Duration::from_secs(1)))
        .compression_min_size(300);
    let guarded = caching
        .clone()
        .bearer_tokens(vec![TOKEN.to_owned()])
        .basic_users(vec![format!("scraper:{HASH}")])
        .allowlist(vec!["10.0.0.0/8".to_owned(), "2001:db8::/32".to_owned(), "127.0.0.1".to_owned()])
        .trusted_proxies(vec!["127.0.0.1".to_owned()])
        // A burst of a million, the maximum.
        .auth_failures_per_minute(3_000_000);
    [service(true, &caching), service(false, &caching), service(true, &guarded)]
});

/// A request: a line with method, target and peer, separated by spaces, then one line per header. Every service answers
/// it.
pub fn request(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split('\n');
    let mut words = lines.next().unwrap_or_default().splitn(3, ' ');
    let headers: Vec<(String, &str)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim()))
        .collect();
    let request = Request {
        method: words.next().unwrap_or_default(),
        target: words.next().unwrap_or_default(),
        peer: words.next().and_then(|peer| peer.parse().ok()),
        has_body: headers.iter().any(|(name, _)| name == "content-length"),
        ..Request::default()
    }
    .with_headers(|name| headers.iter().find(|(own, _)| own == name).map(|(_, value)| *value));
    for service in &*SERVICES {
        match service.receive(&request) {
            Step::Answer(response) => check_answer(&request, &response),
            Step::Scrape(plan) => {
                let most = Duration::from_secs(600);
                assert!(plan.budget() <= most && !plan.budget().is_zero(), "{:?}", plan.budget());
                assert!(plan.names().is_sorted(), "names are in an order of their own");
                check_answer(&request, &service.scrape_now(&plan).0);
            }
            Step::NotOurs => {
                let path = request.target.split(['?', '#']).next().unwrap_or_default();
                assert!(!["/metrics", "/health", "/ready"].contains(&path), "{path} is ours");
            }
            Step::Verify(..) => assert!(request.authorization.is_some()),
            Step::Authorize(_) | Step::Check(_) => {
                panic!("the service asked a host, and this target has none")
            }
        }
    }
}

fn check_answer(request: &Request<'_>, response: &Response) {
    assert!(STATUSES.contains(&response.status), "{}", response.status);
    assert_ne!(response.status, 500, "{request:?}");
    let body = response.body.as_slice();
    assert_eq!(response.header("content-length"), Some(body.len().to_string().as_str()));
    for (name, value) in &response.headers {
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
        assert!(value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()), "{name}: {value}");
    }
    let is_page = response.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    let is_negotiated = response.header("vary").is_some();
    let is_gzip = response.header("content-encoding").is_some();
    assert!(is_negotiated || !is_gzip, "only expositions and the page are compressed");
    let mut plain = Vec::new();
    let read = if is_gzip {
        MultiGzDecoder::new(body).read_to_end(&mut plain)
    } else {
        (&body[..]).read_to_end(&mut plain)
    };
    read.expect("every body can be decompressed as its header says");
    if response.header("content-type").is_some_and(|kind| kind.starts_with(Format::Protobuf.content_type())) {
        assert!(parse_protobuf(&plain).is_ok());
        plain.clear();
    }
    let text = String::from_utf8(plain).expect("every other body is text");
    if !is_negotiated {
        return;
    }
    assert_eq!(response.status, 200);
    assert!(matches!(request.method, "GET" | "HEAD"), "{}", request.method);
    assert_eq!(response.head_only, request.method == "HEAD");
    if is_page {
        assert!(text.ends_with("</html>\n"), "the page is cut");
    } else {
        let wanted = content_type(request.accept);
        assert_eq!(response.header("content-type"), Some(&*wanted.header()));
        let is_openmetrics = matches!(wanted.format, Format::OpenMetrics | Format::OpenMetrics2);
        assert!(wanted.format == Format::Protobuf || text.ends_with("# EOF\n") == is_openmetrics, "{text}");
    }
    match coding(request.accept_encoding) {
        Coding::GzipOnly => assert!(is_gzip),
        Coding::Gzip => {}
        Coding::Identity => assert!(!is_gzip),
        Coding::NotAcceptable => panic!("not acceptable, and answered"),
    }
}

/// `Accept` on the first line, `Accept-Encoding` on the second. Case, repetition and unknown clauses change nothing.
pub fn negotiation(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (accept, accept_encoding) = text.split_once('\n').unwrap_or((&text, ""));
    let chosen = content_type(Some(accept));
    let header = chosen.header();
    let (media_type, escaping) = header.split_once("; escaping=").unwrap_or((&header, ""));
    let (format, version) = match media_type {
        "text/plain; version=0.0.4; charset=utf-8" => (Format::PrometheusText, "0.0.4"),
        "text/plain; version=1.0.0; charset=utf-8" => (Format::PrometheusText, "1.0.0"),
        "application/openmetrics-text; version=2.0.0; charset=utf-8" => (Format::OpenMetrics2, "2.0.0"),
        "application/openmetrics-text; version=1.0.0; charset=utf-8" => (Format::OpenMetrics, "1.0.0"),
        "application/openmetrics-text; version=0.0.1; charset=utf-8" => (Format::OpenMetrics, "0.0.1"),
        _ if media_type == Format::Protobuf.content_type() => (Format::Protobuf, ""),
        other => panic!("no content type of ours: {other}"),
    };
    assert_eq!(chosen.format, format);
    let lower = accept.to_ascii_lowercase();
    let asked_for = match format {
        Format::PrometheusText => "",
        Format::Protobuf => "application/vnd.google.protobuf",
        _ => "application/openmetrics-text",
    };
    assert!(lower.contains(asked_for), "not asked for");
    assert!(!["1.0.0", "2.0.0"].contains(&version) || accept.contains(version), "not asked for");
    assert!(["", "allow-utf-8", "underscores", "dots", "values"].contains(&escaping), "{escaping}");
    assert!(escaping == "underscores" || lower.contains(escaping), "not asked for");
    for same in
        [lower, format!("{accept},{accept}"), format!("{accept},image/png"), format!("image/png , {accept}")]
    {
        assert_eq!(content_type(Some(&same)), chosen, "{same:?}");
    }
    let coded = coding(Some(accept_encoding));
    let lower = accept_encoding.to_ascii_lowercase();
    if matches!(coded, Coding::Gzip | Coding::GzipOnly) {
        assert!(lower.contains("gzip") || lower.contains('*'), "not asked for");
    }
    for same in [lower, format!("{accept_encoding},{accept_encoding}"), format!("br;q=0.1,{accept_encoding}")]
    {
        assert_eq!(coding(Some(&same)), coded, "{same:?}");
    }
}

static AUTHENTICATOR: LazyLock<Authenticator> = LazyLock::new(|| {
    Authenticator::new(
        AuthConfig::default()
            .bearer_tokens(vec![TOKEN.to_owned()])
            .basic_users(vec![("scraper".to_owned(), HASH.to_owned())])
            .failures_per_minute(60_000_000)
            .failure_burst(1_000_000),
    )
    .expect("a valid configuration")
});

/// An `Authorization` header. It is granted only with the token or the password.
pub fn authorization(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let verdict = match AUTHENTICATOR.check(Some(&text), Some(IpAddr::from([192, 0, 2, 1]))) {
        Verdict::Verify(verification) => AUTHENTICATOR.verify(verification),
        verdict => verdict,
    };
    let (scheme, credentials) = text.trim_matches(' ').split_once(' ').unwrap_or_default();
    let credentials = credentials.trim_start_matches(' ');
    let right = match scheme.to_ascii_lowercase().as_str() {
        "bearer" => credentials == TOKEN,
        "basic" => credentials == "c2NyYXBlcjpjb3JyZWN0IGhvcnNl",
        _ => false,
    };
    match verdict {
        Verdict::Granted => assert!(right, "let in by {text:?}"),
        Verdict::Denied => assert!(!right, "kept out with {text:?}"),
        Verdict::Limited(wait) => assert!(!wait.is_zero()),
        Verdict::Verify(_) => panic!("verified twice"),
    }
}

/// Allowlist entries, separated by commas, on the first line, a peer on the second, `X-Forwarded-For` on the third.
pub fn addresses(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.splitn(3, '\n');
    let entries: Vec<String> = lines.next().unwrap_or_default().split(',').map(str::to_owned).collect();
    let peer: Option<IpAddr> = lines.next().and_then(|peer| peer.trim().parse().ok());
    let forwarded_for = lines.next();
    let allowlist = match Allowlist::parse(&entries) {
        Ok(allowlist) => allowlist,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::InvalidConfig);
            Allowlist::parse(&["127.0.0.0/8".to_owned()]).expect("a block")
        }
    };
    for address in entries.iter().filter_map(|entry| entry.parse::<IpAddr>().ok()) {
        assert!(allowlist.is_empty() || allowlist.contains(address) || Allowlist::parse(&entries).is_err());
    }
    let client = client_address(peer, forwarded_for, &allowlist);
    let canonical = peer.map(|peer| peer.to_canonical());
    let is_trusted = peer.is_none_or(|peer| allowlist.contains(peer));
    let forwarded = forwarded_for.unwrap_or_default();
    if client.map(|client| client.to_canonical()) != canonical {
        assert!(is_trusted, "{client:?} by the word of {peer:?}");
        assert!(client.is_some(), "an address became none");
        assert!(!forwarded.trim().is_empty(), "{client:?} from nowhere");
    }
}

/// A web configuration file. It is read, or refused with the file's name.
pub fn web_configuration(bytes: &[u8]) {
    let path = std::env::temp_dir().join(format!(
        "web-config-{}-{:?}.yml",
        std::process::id(),
        std::thread::current().id()
    ));
    std::fs::write(&path, bytes).expect("a temporary file");
    let file = path.display().to_string();
    let config = MetricsConfig::default().web_config_file(Some(file.clone()));
    let target = Arc::new(Target::new(Arc::clone(&REGISTRY), None).expect("a target"));
    let read = ScrapeService::new(target, &config, Embedding::default());
    std::fs::remove_file(&path).expect("a temporary file");
    match read {
        Ok(service) => {
            // Its headers are part of every response.
            let request = Request { method: "GET", target: "/health", ..Request::default() };
            let Step::Answer(response) = service.receive(&request) else {
                panic!("health has an answer at once")
            };
            for (name, value) in &response.headers {
                assert!(name.bytes().all(|byte| byte == b'-' || byte.is_ascii_alphanumeric()), "{name}");
                assert!(
                    value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()),
                    "{name}: {value:?}"
                );
            }
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::InvalidConfig);
            let message = error.to_string();
            let text = String::from_utf8_lossy(bytes);
            // A message may show keys, but no values. Without quotes, a value follows a colon and a space.
            if let Some(at) = message.find("$2").filter(|_| !text.contains(['"', '\'', '?'])) {
                let shown: String = message[at..].chars().take(12).collect();
                assert!(!text.contains(&format!(": {shown}")), "a hash is shown: {message}");
            }
        }
    }
}

/// Variables as lines of `NAME=value`. They are accepted, or refused with the variable's name and without a secret.
pub fn settings(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let variables: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once('=')).collect();
    match MetricsConfig::from_env(variables.iter().copied()) {
        Ok(config) => check_settings(&config),
        Err(error) => check_refusal(&error, &variables),
    }
    // The same settings as options, with every type that JavaScript can pass.
    let mut config = MetricsConfig::default();
    for (variable, value) in variables {
        let Some((_, option, _)) = MetricsConfig::settings().find(|(name, _, _)| *name == variable) else {
            continue;
        };
        let entries = value.split(',').map(str::to_owned).collect();
        let mut given =
            vec![Given::Text(value.to_owned()), Given::List(entries), Given::Flag(value.is_empty())];
        given.extend(value.parse().ok().map(Given::Number));
        for given in given {
            if let Err(error) = config.set(option, &given) {
                assert!(error.to_string().contains(option), "{error}");
            }
        }
        check_settings(&config);
    }
}

fn check_settings(config: &MetricsConfig) {
    let day = Duration::from_secs(24 * 60 * 60);
    for time in [
        config.scrape_timeout,
        config.stall_after,
        config.ready_timeout,
        config.header_timeout,
        config.idle_timeout,
        config.write_timeout,
    ] {
        assert!(!time.is_zero() && time <= day, "{time:?}");
    }
    assert!(config.cache().is_none_or(|ttl| !ttl.is_zero() && ttl <= day));
    assert!(config.path.starts_with('/') && !config.path.contains(['?', '#', ' ']), "{:?}", config.path);
    assert!(config.rate_limit_rps.is_none_or(|rate| rate > 0.0 && rate <= 1e6));
    assert!((8192..=1_048_576).contains(&config.max_header_bytes) && config.max_headers <= 1000);
    assert!(config.max_connections > 0 && config.max_body_bytes > 0 && config.auth_failures_per_minute > 0);
    assert!(config.basic_users.iter().all(|user| user.contains(':')));
    // Accepted settings can be used, except for files, which are not checked here.
    let config = config.clone().bearer_token_file(None).web_config_file(None);
    let target = Arc::new(Target::new(Arc::clone(&REGISTRY), None).expect("a target"));
    if let Err(error) = ScrapeService::new(target, &config, Embedding::default()) {
        assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    }
}

fn check_refusal(error: &prometheus_metrics::MetricsError, variables: &[(&str, &str)]) {
    let message = error.to_string();
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    let mut named =
        variables.iter().filter(|(name, _)| message.contains(&format!("for {name} but received")));
    let (name, value) = named.next().unwrap_or_else(|| panic!("no variable is named: {message}"));
    // Only values that are too long to be a word of the message itself.
    if ["METRICS_AUTH_BEARER_TOKENS", "METRICS_AUTH_BASIC_USERS"].contains(name) && value.trim().len() > 20 {
        assert!(!message.contains(value.trim()), "a secret is shown: {message}");
    }
}

/// An exposition in any format.
pub fn exposition(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Err(error) = parse_protobuf(bytes) {
        assert!(error.message.starts_with("Expected "), "{error}");
    }
    for dialect in [Dialect::Text, Dialect::Text1, Dialect::OpenMetrics, Dialect::OpenMetrics2] {
        let read = parse(&text, dialect);
        match parse_strict(&text, dialect) {
            // The strict parser returns the same result or an error.
            Ok(families) => assert_eq!(
                format!("{families:?}"),
                format!("{:?}", read.as_ref().ok().unwrap_or(&Vec::new()))
            ),
            Err(error) => check_place(&text, &error),
        }
        if let Err(error) = read {
            check_place(&text, &error);
            assert_eq!(parse_strict(&text, dialect), Err(error));
        }
    }
}

/// An error points into the text, or just after the end of a line.
fn check_place(text: &str, error: &prometheus_metrics::testing::ParseError) {
    let line = text.split('\n').nth(error.line.wrapping_sub(1));
    let line = line.unwrap_or_else(|| panic!("{error} has no line in {text:?}"));
    assert!((1..=line.chars().count() + 1).contains(&error.column), "{error} is not in {line:?}");
    assert!(error.message.starts_with("Expected "), "{error}");
}
