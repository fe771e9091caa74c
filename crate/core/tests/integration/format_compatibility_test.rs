//! Tests that other projects' programs read the expositions correctly: Prometheus and promtool, the Go library that
//! Grafana's agent reads with, and VictoriaMetrics. The values that they report must be the recorded ones.
//! `.ci/judges.sh` installs and runs them; a missing program fails the test.

#[expect(dead_code, reason = "the other integration tests use the rest")]
mod program;
#[expect(dead_code, reason = "the other integration tests use the rest")]
mod wire;

use prometheus_metrics::http::{Exporter, ExporterOptions, Question};
use prometheus_metrics::{Format, MetricsError, Registry};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use wire::{Client, get, quiet, start_with};

type Outcome = Result<(), Box<dyn std::error::Error>>;
type Failure = Box<dyn std::error::Error>;

/// Values by series; a series is its name and its labels.
type Readings = BTreeMap<(String, BTreeMap<String, String>), f64>;

/// Label values that are hard to escape or to read back.
const AWKWARD: [&str; 9] =
    ["plain", "a\"b", "a\\b", "a\nb", "\\n", "é🦀", "{x=\"y\"} 1", "# EOF", " leading and trailing "];
const NUMBERS: [f64; 9] =
    [0.0, -1.5, 1e21, 1e-7, 5e-324, f64::MAX, 0.1 + 0.2, f64::INFINITY, f64::NEG_INFINITY];
const BOUNDS: [f64; 4] = [0.001, 0.5, 1.0, 1e6];

/// A registry, and the values that a reader of it must find. `le` has the form of the format that is read.
struct Recorded {
    registry: Arc<Registry>,
    series: Readings,
}

impl Recorded {
    fn new(format: Format) -> Result<Self, MetricsError> {
        let registry = Arc::new(Registry::new());
        let mut recorded = Self { registry: Arc::clone(&registry), series: Readings::new() };
        let counter = registry.counter_vec(
            "judged_requests_total",
            "Help with \"quotes\", \\ and\nlines",
            &["value"],
        )?;
        for (number, value) in AWKWARD.into_iter().enumerate() {
            counter.with(&[value])?.add(number as f64 + 0.5)?;
            recorded.expect("judged_requests_total", &[("value", value)], number as f64 + 0.5);
        }
        let gauge = registry.gauge_vec("judged_level", "Numbers of every kind", &["number"])?;
        for (number, value) in NUMBERS.into_iter().enumerate() {
            gauge.with(&[&number.to_string()])?.set(value);
            recorded.expect("judged_level", &[("number", &number.to_string())], value);
        }
        recorded.histogram(format)?;
        Ok(recorded)
    }

    fn histogram(&mut self, format: Format) -> Result<(), MetricsError> {
        let histogram = self.registry.histogram_vec("judged_seconds", "Observations", &["route"], &BOUNDS)?;
        let observed = [0.0005, 0.25, 0.5, 2.0, 3e6];
        for value in observed {
            histogram.with(&["/a"])?.observe(value)?;
        }
        let bounds = match format {
            Format::OpenMetrics => ["0.001", "0.5", "1.0", "1e+06", "+Inf"],
            _ => ["0.001", "0.5", "1", "1000000", "+Inf"],
        };
        for (bound, count) in bounds.into_iter().zip([1.0, 3.0, 3.0, 4.0, 5.0]) {
            self.expect("judged_seconds_bucket", &[("route", "/a"), ("le", bound)], count);
        }
        self.expect("judged_seconds_sum", &[("route", "/a")], observed.iter().sum());
        self.expect("judged_seconds_count", &[("route", "/a")], 5.0);
        Ok(())
    }

    fn expect(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.series.insert((name.to_owned(), labels), value);
    }

    /// An exporter of the registry, with the metrics about the exporter itself.
    fn exporter(&self) -> Result<Exporter, MetricsError> {
        self.exporter_of(ExporterOptions::default())
    }

    fn exporter_of(&self, options: ExporterOptions) -> Result<Exporter, MetricsError> {
        let config = quiet().self_metrics(true).compression_min_size(0);
        start_with(&self.registry, &config, options)
    }
}

/// Checks that the values that were read are the recorded ones, ignoring the metrics of the exporter itself.
fn assert_read(read: Readings, recorded: &Readings, same: fn(f64, f64) -> bool) {
    let names = |readings: &Readings| -> Vec<(String, BTreeMap<String, String>)> {
        readings.keys().filter(|(name, _)| name.starts_with("judged_")).cloned().collect()
    };
    assert_eq!(names(&read), names(recorded));
    for (series, value) in recorded {
        assert!(same(read[series], *value), "{series:?} is {} and was {value}", read[series]);
    }
}

fn equal(read: f64, recorded: f64) -> bool {
    read == recorded
}

/// VictoriaMetrics stores decimal numbers: the last of 17 digits may change, and a number smaller than its smallest
/// exponent becomes zero.
fn nearly(read: f64, recorded: f64) -> bool {
    read == recorded || (read - recorded).abs() <= 1e-12 * recorded.abs() || recorded == f64::from_bits(1)
}

#[test]
fn test_prometheus_server_parse() -> Outcome {
    let recorded = Recorded::new(Format::OpenMetrics)?;
    let exporter = recorded.exporter()?;

    // promtool checks the text format, because this Prometheus asks for OpenMetrics.
    let text = get(&exporter, "/metrics", &["accept: text/plain;version=0.0.4"])?.body;
    let output = run("promtool", &["check", "metrics"], &text)?;
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    let complaints: Vec<&str> = said.lines().filter(|line| !is_allowed(line)).collect();
    assert_eq!(complaints, [""; 0]);
    // Exit code 3 means complaints only; a parse error is 1.
    assert!(matches!(output.status.code(), Some(0 | 3)), "{:?}", output.status);

    let prometheus = Server::start("prometheus", &exporter, |folder, config, address| {
        vec![
            format!("--config.file={}", config.display()),
            format!("--storage.tsdb.path={}", folder.join("tsdb").display()),
            format!("--web.listen-address={address}"),
            "--log.level=warn".to_owned(),
        ]
    })?;
    assert_read(prometheus.readings()?, &recorded.series, equal);
    let targets = prometheus.api("targets", &[])?;
    let target = &targets["activeTargets"][0];
    assert_eq!((&target["health"], &target["lastError"]), (&json!("up"), &json!("")));
    // Prometheus does not report a series that comes twice, but it counts its samples.
    let stored = prometheus
        .readings()?
        .keys()
        .filter(|(name, _)| name != "up" && !name.starts_with("scrape_"))
        .count();
    let scraped = prometheus.query("scrape_samples_scraped")?;
    assert_eq!(scraped.into_values().collect::<Vec<_>>(), [stored as f64]);
    Ok(())
}

#[test]
fn test_grafana_agent_parse() -> Outcome {
    let recorded = Recorded::new(Format::PrometheusText)?;
    let exporter = recorded.exporter()?;
    let reader = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/judges-expfmt");
    for headers in [&["accept: text/plain;version=0.0.4"][..], &["accept-encoding: gzip"]] {
        let answer = get(&exporter, "/metrics", headers)?;
        let content_type = answer.header("content-type").ok_or("no content type")?;
        let output = run(&reader.display().to_string(), &[content_type], answer.text()?.as_bytes())?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let read: Value = serde_json::from_slice(&output.stdout)?;
        let mut readings = Readings::new();
        for family in read["families"].as_array().ok_or("no families")? {
            for sample in family["samples"].as_array().ok_or("no samples")? {
                let series = series_of(sample["name"].as_str(), &sample["labels"])?;
                // expfmt reads bounds as numbers and writes them in Go's form, so they are compared as numbers.
                let value = sample["value"].as_str().ok_or("no value")?.parse()?;
                assert!(readings.insert(with_numeric_le(series), value).is_none(), "a series comes twice");
            }
        }
        let expected =
            recorded.series.iter().map(|(series, value)| (with_numeric_le(series.clone()), *value));
        assert_read(readings, &expected.collect(), equal);
        let problems = read["problems"].as_array().ok_or("no problems")?;
        let problems: Vec<&str> =
            problems.iter().filter_map(Value::as_str).filter(|line| !is_allowed(line)).collect();
        assert_eq!(problems, [""; 0]);
        let help = "Help with \"quotes\", \\ and\nlines";
        let family = read["families"]
            .as_array()
            .and_then(|all| all.iter().find(|one| one["name"] == "judged_requests_total"));
        assert_eq!(
            family.map(|family| (&family["type"], &family["help"])),
            Some((&json!("COUNTER"), &json!(help)))
        );
    }
    Ok(())
}

#[test]
fn test_victoria_metrics_parse() -> Outcome {
    let recorded = Recorded::new(Format::PrometheusText)?;
    // The program authorizes every request, so it sees the headers of all of them.
    let program = program::letting_in(|_| true);
    let exporter = recorded.exporter_of(program.options().has_callback(true))?;
    let victoria = Server::start("victoria-metrics", &exporter, |folder, config, address| {
        vec![
            format!("-promscrape.config={}", config.display()),
            format!("-storageDataPath={}", folder.join("storage").display()),
            format!("-httpListenAddr={address}"),
            // By default VictoriaMetrics hides the last 30 seconds, and the test takes less.
            "-search.latencyOffset=0s".to_owned(),
            "-loggerLevel=WARN".to_owned(),
        ]
    })?;
    assert_read(victoria.readings()?, &recorded.series, nearly);
    // VictoriaMetrics asks for gzip, so it read compressed expositions.
    let gzip = ("accept-encoding".to_owned(), "gzip".to_owned());
    let asked = program.asked.lock();
    let mut visitors = asked.iter().filter_map(|question| match question {
        Question::Authorize(visitor) => Some(visitor),
        _ => None,
    });
    assert!(visitors.all(|visitor| visitor.headers.contains(&gzip)), "{asked:?}");
    Ok(())
}

/// The one complaint of a linter that is allowed: this metric had its name before the rule.
fn is_allowed(line: &str) -> bool {
    line.starts_with("llmdevops_metrics_series_count") && line.contains("\"_count\" suffix")
}

fn series_of(name: Option<&str>, labels: &Value) -> Result<(String, BTreeMap<String, String>), Failure> {
    let labels = labels.as_object().ok_or("no labels")?;
    let labels = labels
        .iter()
        .map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect::<Option<_>>()
        .ok_or("expected a string as label value")?;
    Ok((name.ok_or("no name")?.to_owned(), labels))
}

fn with_numeric_le(mut series: (String, BTreeMap<String, String>)) -> (String, BTreeMap<String, String>) {
    if let Some(le) = series.1.get_mut("le")
        && let Ok(bound) = le.parse::<f64>()
    {
        *le = bound.to_string();
    }
    series
}

fn run(program: &str, arguments: &[&str], input: &[u8]) -> Result<Output, Failure> {
    let mut child = spawn(
        Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped()),
    )?;
    let mut stdin = child.stdin.take().ok_or("no standard input")?;
    // The programs write only after they have read everything, so neither pipe can fill up while the other one waits.
    stdin.write_all(input)?;
    drop(stdin);
    Ok(child.wait_with_output()?)
}

fn spawn(command: &mut Command) -> Result<Child, Failure> {
    let program = command.get_program().to_owned();
    command.spawn().map_err(|error| {
        format!("cannot start {}; run .ci/judges.sh, which installs it: {error}", program.display()).into()
    })
}

/// A server that scrapes one exporter every second and stores its data in a temporary folder. The server is stopped and
/// the folder removed when the test ends.
struct Server {
    child: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl Server {
    /// Starts a server and waits until it has scraped. `arguments` makes its arguments from its folder, its scrape
    /// configuration and the address to listen on.
    fn start(
        program: &str,
        exporter: &Exporter,
        arguments: fn(&Path, &Path, SocketAddr) -> Vec<String>,
    ) -> Result<Self, Failure> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("format-judges-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let config = folder.join("scrape.yml");
        // Every JSON text is also YAML.
        let scraped = json!({
            "global": { "scrape_interval": "1s", "scrape_timeout": "1s" },
            "scrape_configs": [{
                "job_name": "judged",
                "static_configs": [{ "targets": [wire::address(exporter).to_string()] }],
            }],
        });
        std::fs::write(&config, scraped.to_string())?;
        // Reserve a free port and release it: neither program can report a port that it chose itself.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let log = std::fs::File::create(folder.join("log"))?;
        let child = spawn(Command::new(program).args(arguments(&folder, &config, address)).stderr(log))?;
        let mut server = Self { child, address, folder };
        server.wait_for_scrapes()?;
        Ok(server)
    }

    fn wait_for_scrapes(&mut self) -> Outcome {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            // Wait for the second scrape, because the first one changes the metrics of the exporter.
            match self.query("count_over_time(up[1h])").map(|result| result.into_values().next()) {
                Ok(Some(scrapes)) if scrapes >= 2.0 => return Ok(()),
                _ if self.child.try_wait()?.is_some() => {
                    return Err(std::fs::read_to_string(self.folder.join("log"))?.into());
                }
                last if Instant::now() > deadline => {
                    return Err(format!("no second scrape within 60 seconds: {last:?}").into());
                }
                _ => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    /// All stored series of the exporter.
    fn readings(&self) -> Result<Readings, Failure> {
        self.query("{job=\"judged\"}")
    }

    fn query(&self, expression: &str) -> Result<Readings, Failure> {
        // `nocache` is for VictoriaMetrics, which otherwise may answer with values from before the last scrape.
        let result = self.api("query", &[("query", expression), ("nocache", "1")])?["result"].take();
        let mut readings = Readings::new();
        for one in result.as_array().ok_or("no result")? {
            let (_, mut labels) = series_of(Some(""), &one["metric"])?;
            labels.retain(|name, _| !matches!(name.as_str(), "job" | "instance"));
            let name = labels.remove("__name__").unwrap_or_default();
            readings.insert((name, labels), one["value"][1].as_str().ok_or("no value")?.parse()?);
        }
        Ok(readings)
    }

    fn api(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value, Failure> {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let mut client = Client::connect_to(self.address)?;
        // HTTP/1.0 has no chunked bodies: the body ends with the connection.
        client.send(format!("GET /api/v1/{path}?{query} HTTP/1.0\r\n\r\n"))?;
        let answer = String::from_utf8(client.rest()?)?;
        let (_, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
        let mut answer: Value = serde_json::from_str(body)?;
        match answer["status"].as_str() {
            Some("success") => Ok(answer["data"].take()),
            _ => Err(answer.to_string().into()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
