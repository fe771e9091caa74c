//! Tests the process collector, the runtime collector, and how a registry holds collectors.

use super::{Outcome, refusal, text};
use prometheus_metrics::collectors::ProcessFigure;
use prometheus_metrics::{Collector, ErrorKind, ProcessCollector, Registry, RuntimeCollector};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

fn value(collector: &impl Collector, name: &str) -> f64 {
    let families = collector.collect();
    let family = families.iter().find(|family| family.name() == name).expect("the platform tells it");
    family.samples()[0].value()
}

/// Samples of a registry, without their values.
fn sample_names(registry: &Registry) -> Vec<String> {
    let samples = text(registry);
    let samples = samples.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    samples.filter_map(|line| line.rsplit_once(' ')).map(|(name, _)| name.to_owned()).collect()
}

#[test]
#[cfg(target_os = "linux")]
fn linux_has_every_figure_of_the_process() -> Outcome {
    let registry = Registry::new();
    registry.register_named_collector(Arc::new(ProcessCollector::new()))?;
    assert_eq!(sample_names(&registry), ProcessFigure::ALL.map(|figure| figure.name().to_owned()));
    assert!(ProcessFigure::ALL.into_iter().all(ProcessFigure::is_available));
    Ok(())
}

#[test]
#[cfg(target_os = "linux")]
fn figures_of_the_process_are_those_of_the_kernel() -> Outcome {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kib = |name: &str| -> Option<f64> {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    let collector = ProcessCollector::new();
    for (name, line) in [
        ("process_resident_memory_bytes", "VmRSS:"),
        ("process_virtual_memory_bytes", "VmSize:"),
        ("process_heap_bytes", "VmData:"),
    ] {
        let (shown, read) = (value(&collector, name), kib(line).ok_or(name)? * 1024.0);
        // Other tests start threads, each with a stack of 2 MiB and a heap of 64 MiB of address space.
        assert!((shown - read).abs() < 2e9, "{name}: {shown}, {read}");
        assert!(shown > 100_000.0 && shown % 1024.0 == 0.0, "{name}: {shown}");
    }
    assert!(value(&collector, "process_threads") >= 1.0);
    assert!(value(&collector, "process_open_fds") >= 3.0);
    assert!(value(&collector, "process_max_fds") >= value(&collector, "process_open_fds"));
    Ok(())
}

#[test]
#[cfg(unix)]
fn cpu_time_is_the_sum_of_user_and_system_time() {
    let families = ProcessCollector::only(&[
        ProcessFigure::CpuUserSeconds,
        ProcessFigure::CpuSystemSeconds,
        ProcessFigure::CpuSeconds,
    ])
    .collect();
    let values: Vec<f64> = families.iter().map(|family| family.samples()[0].value()).collect();
    assert_eq!(values.len(), 3);
    assert_eq!(values[2], values[0] + values[1]);
}

#[test]
fn the_process_was_started_before_now_and_not_long_ago() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let start = value(&ProcessCollector::new(), "process_start_time_seconds");
    // The kernel reports its own start in whole seconds.
    assert!(start < now + 1.5 && now - start < 3600.0, "{start}, {now}");
}

#[test]
fn a_prefix_and_labels_are_on_every_sample() -> Outcome {
    let collector = ProcessCollector::only(&[ProcessFigure::CpuSeconds, ProcessFigure::StartTimeSeconds])
        .with_prefix("app_")?
        .with_labels(&[("service", "gateway"), ("zone", "a\"b")])?;
    let registry = Registry::new();
    registry.register_collector(Arc::new(collector));
    assert_eq!(
        sample_names(&registry),
        [
            r#"app_process_cpu_seconds_total{service="gateway",zone="a\"b"}"#,
            r#"app_process_start_time_seconds{service="gateway",zone="a\"b"}"#,
        ]
    );
    Ok(())
}

#[test]
fn invalid_names_are_refused() {
    assert_eq!(refusal(ProcessCollector::new().with_prefix("0")).0, ErrorKind::InvalidMetricName);
    assert_eq!(refusal(ProcessCollector::new().with_labels(&[("a-b", "")])).0, ErrorKind::InvalidLabelName);
    let twice = [("a", "1"), ("a", "2")];
    assert_eq!(refusal(ProcessCollector::new().with_labels(&twice)).0, ErrorKind::InvalidLabelName);
    assert_eq!(refusal(RuntimeCollector::new().with_prefix("a b")).0, ErrorKind::InvalidMetricName);
    assert_eq!(refusal(RuntimeCollector::new().with_build_info(&twice)).0, ErrorKind::InvalidLabelName);
}

#[test]
fn the_names_of_a_named_collector_are_its_own() -> Outcome {
    let registry = Registry::new();
    let id = registry.register_named_collector(Arc::new(RuntimeCollector::new()))?;
    let taken = "rust_runtime_uptime_seconds";
    assert_eq!(refusal(registry.gauge(taken, "Taken")).0, ErrorKind::DuplicateMetric);
    assert_eq!(refusal(registry.register_foreign(taken)).0, ErrorKind::DuplicateMetric);
    let again = registry.register_named_collector(Arc::new(RuntimeCollector::new()));
    assert_eq!(refusal(again).0, ErrorKind::DuplicateMetric);
    registry.remove(id);
    registry.gauge(taken, "Free again")?;
    // The other way round too. A refused collector is not registered.
    let refused = registry.register_named_collector(Arc::new(RuntimeCollector::new()));
    assert_eq!(refusal(refused).0, ErrorKind::DuplicateMetric);
    assert_eq!(sample_names(&registry), [taken]);
    Ok(())
}

#[test]
fn the_runtime_is_described() -> Outcome {
    let collector = RuntimeCollector::new()
        .with_prefix("app_")?
        .with_build_info(&[("package", "gateway"), ("version", "1.4.0")])?;
    let threads = std::thread::available_parallelism()?.get();
    let first = value(&collector, "app_rust_runtime_uptime_seconds");
    std::thread::sleep(std::time::Duration::from_millis(20));
    let second = value(&collector, "app_rust_runtime_uptime_seconds");
    assert!(second - first >= 0.02 && second < 60.0, "{first} then {second}");

    let registry = Registry::new();
    registry.register_named_collector(Arc::new(collector))?;
    let shown = text(&registry);
    let lines: Vec<&str> = shown.lines().filter(|line| !line.contains("uptime")).collect();
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    assert_eq!(
        lines,
        [
            "# HELP app_rust_runtime_info How the program was compiled".to_owned(),
            "# TYPE app_rust_runtime_info gauge".to_owned(),
            format!(
                "app_rust_runtime_info{{os=\"{os}\",arch=\"{arch}\",profile=\"{profile}\",panic=\"unwind\"}} 1"
            ),
            String::new(),
            "# HELP app_rust_runtime_available_parallelism Threads that can run at once".to_owned(),
            "# TYPE app_rust_runtime_available_parallelism gauge".to_owned(),
            format!("app_rust_runtime_available_parallelism {threads}"),
            String::new(),
            String::new(),
            "# HELP build_info What was built".to_owned(),
            "# TYPE build_info gauge".to_owned(),
            "build_info{package=\"gateway\",version=\"1.4.0\"} 1".to_owned(),
        ]
    );
    Ok(())
}
