//! Tests scrapes as real scrapers make them: with their headers, many at once, of large registries, while values change,
//! and with short timeouts. The grammar reads every exposition.

use crate::Outcome;
use crate::exposition::{ParsedFamily, ParsedSample, read};
use crate::http_endpoint_test::{small, value};
use crate::program::{Program, collecting_after, silent};
use crate::wire::{Client, get, quiet, request, start, start_with};
use parking_lot::Mutex;
use prometheus_metrics::config::MetricsConfig;
use prometheus_metrics::http::{Exporter, Question, Ticket};
use prometheus_metrics::registry::CardinalityLimits;
use prometheus_metrics::{Format, Registry, encode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The headers of a scraper, and the format that it must get.
struct Scraper {
    name: &'static str,
    headers: &'static [&'static str],
    format: Format,
}

const SCRAPERS: [Scraper; 7] = [
    Scraper {
        name: "Prometheus 2.42",
        headers: &[
            "accept: application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            "accept-encoding: gzip",
            "user-agent: Prometheus/2.42.0",
            "x-prometheus-scrape-timeout-seconds: 10",
        ],
        format: Format::OpenMetrics,
    },
    Scraper {
        name: "Prometheus 2.42, native histograms",
        headers: &[
            "accept: application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
            "accept-encoding: gzip",
        ],
        format: Format::Protobuf,
    },
    Scraper {
        name: "Prometheus 2.55",
        headers: &[
            "accept: application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            "accept-encoding: identity",
        ],
        format: Format::OpenMetrics,
    },
    Scraper {
        name: "Prometheus 3.4",
        headers: &[
            "accept: application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            "accept-encoding: gzip",
        ],
        format: Format::OpenMetrics,
    },
    Scraper {
        name: "vmagent",
        headers: &[
            "accept: text/plain;version=0.0.4;q=1,*/*;q=0.1",
            "accept-encoding: gzip",
            "x-prometheus-scrape-timeout-seconds: 1.000",
        ],
        format: Format::PrometheusText,
    },
    Scraper {
        name: "a browser",
        headers: &[
            "accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "accept-encoding: gzip, deflate, br, zstd",
        ],
        format: Format::PrometheusText,
    },
    Scraper { name: "curl", headers: &["accept: */*"], format: Format::PrometheusText },
];

/// The metrics of an endpoint about itself, in the order of its exposition.
const SELF_METRICS: [&str; 12] = [
    "llmdevops_metrics_scrape_duration_seconds",
    "llmdevops_metrics_scrape_size_bytes",
    "llmdevops_metrics_series_count",
    "llmdevops_metrics_cache_hits_total",
    "llmdevops_metrics_cache_misses_total",
    "llmdevops_metrics_body_bytes",
    "llmdevops_metrics_rejected_total",
    "llmdevops_metrics_displaced_total",
    "llmdevops_eventloop_stalled_seconds",
    "llmdevops_metrics_connections",
    "llmdevops_metrics_tls_reload_failures_total",
    "llmdevops_metrics_stale_scrapes_total",
];

#[test]
fn test_prometheus_scrape_format_valid() -> Outcome {
    let registry = small()?;
    let exporter = start(&registry, &quiet().self_metrics(true))?;
    exporter.service().target().collector_failed("slow");
    for Scraper { name, headers, format } in SCRAPERS {
        let answer = get(&exporter, "/metrics", headers)?;
        let escaping = if name == "Prometheus 3.4" { "; escaping=allow-utf-8" } else { "" };
        let content_type = format!("{}{escaping}", format.content_type());
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(&*content_type)), "{name}");
        let families = read(&answer.bytes()?, format)
            .map_err(|error| format!("{name}: {error}\n{:?}", answer.text()))?;
        let shown: Vec<String> = families.iter().map(|family| family.name.clone()).collect();
        let expected: Vec<String> = ["jobs_total", "job_seconds"]
            .into_iter()
            .chain(["llmdevops_metrics_collector_errors_total", "llmdevops_metrics_merge_mismatches_total"])
            .chain(SELF_METRICS)
            .map(|name| match format {
                Format::OpenMetrics => name.trim_end_matches("_total").to_owned(),
                _ => name.to_owned(),
            })
            // Protobuf shows no family without series.
            .filter(|name| format != Format::Protobuf || shown.contains(name))
            .collect();
        assert_eq!(shown, expected, "{name}");
        let mut own = Vec::new();
        let Ok(()) = encode(&registry.gather(), format, &mut own);
        assert_eq!(families[..2], read(&own, format)?, "{name}");
    }
    Ok(())
}

#[test]
fn test_prometheus_scrape_with_labels() -> Outcome {
    let values = [
        "",
        "plain",
        "a\"b",
        "a\\b",
        "a\nb",
        "\\n",
        "{a=\"b\"} 1",
        "é🦀",
        "\u{0}\t\r",
        " # {x=\"y\"} 1",
        "# EOF",
    ];
    let registry = Arc::new(Registry::new());
    let gauges = registry.gauge_vec("g", "Help with \\ and \"quotes\"\nand lines", &["a", "b"])?;
    let mut expected = Vec::new();
    for (number, value) in values.iter().enumerate() {
        gauges.with(&[value, "b"])?.set(number as f64);
        let mut labels = vec![("a".to_owned(), (*value).to_owned()), ("b".to_owned(), "b".to_owned())];
        labels.retain(|(_, value)| !value.is_empty());
        expected.push(ParsedSample { name: "g".to_owned(), labels, value: number as f64 });
    }
    let expected = ParsedFamily {
        name: "g".to_owned(),
        help: "Help with \\ and \"quotes\"\nand lines".to_owned(),
        kind: "gauge".to_owned(),
        samples: expected,
    };
    let exporter = start(&registry, &quiet())?;
    for Scraper { name, headers, format } in SCRAPERS {
        let answer = get(&exporter, "/metrics", headers)?;
        assert_eq!(read(&answer.bytes()?, format)?, std::slice::from_ref(&expected), "{name}");
    }
    Ok(())
}

/// A family with this many series; the value of each is its number.
fn numbered(series: u32) -> Result<Arc<Registry>, Box<dyn std::error::Error>> {
    let registry = Registry::new();
    let limits = CardinalityLimits::default().max_series(Some(series as usize));
    let gauges =
        registry.metric("numbered", "Series").labels(&["number", "kind"]).limits(limits).gauge_vec()?;
    for number in 0..series {
        gauges.with(&[&number.to_string(), "gauge"])?.set(f64::from(number));
    }
    Ok(Arc::new(registry))
}

#[test]
fn test_prometheus_scrape_large_registry() -> Outcome {
    const SERIES: u32 = 100_000;
    /// Much more than two expositions and their compressed forms need.
    const MAX_BODY_BYTES: f64 = 64.0 * 1024.0 * 1024.0;
    let registry = numbered(SERIES)?;
    let exporter = start(&registry, &quiet().self_metrics(true))?;
    // Scrape this family only: the metrics of the endpoint itself change with every scrape.
    let own = "/metrics?name[]=numbered";
    let expected = registry.encode(Format::PrometheusText);
    assert_eq!(expected.lines().count(), SERIES as usize + 2);
    let (plain, zipped) = (get(&exporter, own, &[])?, get(&exporter, own, &["accept-encoding: gzip"])?);
    assert!(plain.body == expected.as_bytes(), "{} bytes", plain.body.len());
    assert!(zipped.text()? == expected);
    assert!(zipped.body.len() < expected.len() / 5);

    // Each of 200 scrapers at once gets the whole exposition, and few copies of it are in memory.
    let connections: Vec<Client> = (0..200).map(|_| Client::connect(&exporter)).collect::<Result<_, _>>()?;
    let right = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for mut client in connections {
            let (right, zipped) = (&right, &zipped.body);
            scope.spawn(move || {
                // The values have not changed, so neither have the bytes.
                if client
                    .ask("GET", own, &["accept-encoding: gzip"])
                    .is_ok_and(|answer| answer.body == *zipped)
                {
                    right.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(right.into_inner(), 200);
    let held = get(&exporter, "/metrics?name[]=llmdevops_metrics_body_bytes", &[])?;
    assert!(value(&held, "llmdevops_metrics_body_bytes")? < MAX_BODY_BYTES);
    Ok(())
}

#[test]
fn test_prometheus_scrape_under_load() -> Outcome {
    const SCRAPERS_AT_ONCE: usize = 16;
    const SCRAPES_EACH: usize = 12;
    let registry = numbered(300)?;
    let counter = registry.counter("recorded_total", "Recorded under load")?;
    let seconds = registry.histogram_vec("seconds", "Observed under load", &[], &[0.5])?.with(&[])?;
    let exporter = start(&registry, &quiet())?;
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    counter.inc();
                    seconds.observe(0.25).expect("a number");
                    std::thread::yield_now();
                }
            });
        }
        let scrapers: Vec<_> = (0..SCRAPERS_AT_ONCE)
            .map(|number| {
                let (exporter, counter) = (&exporter, &counter);
                scope.spawn(move || scrape_again_and_again(exporter, counter, number, SCRAPES_EACH))
            })
            .collect();
        let outcomes: Vec<Result<(), String>> = scrapers
            .into_iter()
            .map(|scraper| scraper.join().unwrap_or_else(|_| Err("it panicked".to_owned())))
            .collect();
        over.store(true, Ordering::Relaxed);
        assert_eq!(outcomes, vec![Ok(()); SCRAPERS_AT_ONCE]);
    });
    Ok(())
}

/// Scrapes on one connection. Each scrape shows at least the count from before it and at most the count from after it.
fn scrape_again_and_again(
    exporter: &Exporter,
    counter: &prometheus_metrics::Counter,
    number: usize,
    times: usize,
) -> Result<(), String> {
    let Scraper { name, headers, format } = &SCRAPERS[number % SCRAPERS.len()];
    let mut client = Client::connect(exporter).map_err(|error| error.to_string())?;
    for _ in 0..times {
        let before = counter.value();
        let answer = client.ask("GET", "/metrics", headers).map_err(|error| error.to_string())?;
        let after = counter.value();
        let body = answer.bytes().map_err(|error| error.to_string())?;
        let families = read(&body, *format).map_err(|error| format!("{name}: {error}"))?;
        let samples: Vec<&ParsedSample> = families.iter().flat_map(|family| &family.samples).collect();
        let recorded =
            samples.iter().find(|sample| sample.name == "recorded_total").map_or(-1.0, |sample| sample.value);
        if !(before..=after).contains(&recorded) {
            return Err(format!("{name}: {recorded} recorded, between {before} and {after}"));
        }
        // 300 numbered series, the counter, and four samples of a histogram with two buckets.
        if samples.len() != 305 {
            return Err(format!("{name}: {} samples", samples.len()));
        }
    }
    Ok(())
}

#[test]
fn test_prometheus_scrape_timeout_handling() -> Outcome {
    const TIMEOUT: [&str; 1] = ["x-prometheus-scrape-timeout-seconds: 0.5"];
    let timed =
        |exporter: &Exporter, headers: &[&str]| -> Result<(f64, Duration), Box<dyn std::error::Error>> {
            let began = Instant::now();
            let answer = get(exporter, "/metrics", headers)?;
            Ok((value(&answer, "collected")?, began.elapsed()))
        };
    let registry = Arc::new(Registry::new());
    let gauge = registry.gauge("collected", "Set by the program")?;

    // A program that answers in time: the scrape waits for it.
    let set = gauge.clone();
    let program = collecting_after(Duration::from_millis(100), move || set.inc());
    let exporter = start_with(&registry, &quiet(), program.options())?;
    let (shown, took) = timed(&exporter, &TIMEOUT)?;
    assert_eq!(shown, 1.0);
    assert!(took >= Duration::from_millis(100));
    let budgets: Vec<Question> = std::mem::take(&mut *program.asked.lock());
    let nine_tenths = Duration::from_millis(450);
    assert_eq!(budgets, [Question::Collect { names: Vec::new(), budget: nine_tenths }]);
    // The program is asked for the filtered families only. Without a valid timeout header the configured time applies.
    timed(&exporter, &["x-prometheus-scrape-timeout-seconds: soon"])?;
    get(&exporter, "/metrics?name[]=collected", &[])?;
    let asked: Vec<Question> = std::mem::take(&mut *program.asked.lock());
    let budget = MetricsConfig::default().scrape_timeout;
    let names = vec!["collected".to_owned()];
    assert_eq!(asked, [Question::Collect { names: Vec::new(), budget }, Question::Collect { names, budget }]);

    // A program that answers late or never, or does not begin: the scraper gets the current values before its timeout.
    let late = collecting_after(Duration::from_secs(2), || {});
    let dropping = Program::new(|_, ticket| drop(ticket));
    let deaf = {
        let tickets: Mutex<Vec<Ticket>> = Mutex::default();
        Program::new(move |_, ticket| tickets.lock().push(ticket))
    };
    gauge.set(7.0);
    let cases = [
        ("late", late, 450..500),
        ("silent", silent(), 450..500),
        ("dropping", dropping, 0..200),
        ("deaf", deaf, 50..200),
    ];
    for (name, program, milliseconds) in cases {
        let exporter = start_with(&registry, &quiet(), program.options())?;
        let (shown, took) = timed(&exporter, &TIMEOUT)?;
        assert_eq!(shown, 7.0, "{name}");
        // 300 ms for the way of the answer and for a busy machine.
        let range = Duration::from_millis(milliseconds.start)..Duration::from_millis(milliseconds.end + 300);
        assert!(range.contains(&took), "{name}: {took:?}");
    }
    Ok(())
}

#[test]
fn a_scraper_that_disconnects_does_not_affect_others() -> Outcome {
    let registry = numbered(50_000)?;
    let exporter = start(&registry, &quiet())?;
    let expected = registry.encode(Format::PrometheusText);
    for patience in [0, 1, 4096] {
        let mut leaving = Client::connect(&exporter)?;
        leaving.send(request("GET", "/metrics", &[]))?;
        leaving.read_some(patience)?;
        drop(leaving);
        assert!(get(&exporter, "/metrics", &[])?.body == expected.as_bytes());
    }
    Ok(())
}
