//! Tests mounted registries: a scrape of a registry also shows the registries mounted in it, each with its own labels.

use crate::{Outcome, contributor_of, openmetrics, refusal, scrape, stopped_clock, text};
use prometheus_metrics::registry::{CardinalityConfig, CardinalityLimits, Kind, Process};
use prometheus_metrics::{
    Collector, ErrorKind, Format, MetricsError, Registry, RegistryConfig, Sample, SampleFamily, encode,
};
use std::sync::Arc;
use std::time::Duration;

type Labels = Vec<(String, String)>;

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn tenant(name: &str) -> Labels {
    labels(&[("tenant", name)])
}

/// A registry with one series of a counter.
fn counting(names: &[&str], values: &[&str]) -> Result<Arc<Registry>, MetricsError> {
    let registry = Registry::new();
    registry.counter_vec("c_total", "C", names)?.with(values)?.inc();
    Ok(Arc::new(registry))
}

/// The samples of a registry in which `mounted` is mounted under these labels.
fn shown_under(mounted: &Arc<Registry>, under: &[(&str, &str)]) -> Result<String, MetricsError> {
    let registry = Registry::new();
    registry.mount(mounted, labels(under))?;
    let text = text(&registry);
    Ok(text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n"))
}

#[test]
fn families_with_the_same_name_are_shown_as_one() -> Outcome {
    let registry = Registry::new();
    let (acme, zeta) = (Arc::new(Registry::new()), Arc::new(Registry::new()));
    registry.counter_vec("c_total", "C", &["x"])?.with(&["1"])?.inc();
    registry.gauge("last", "L")?.set(1.0);
    for (tenant, by) in [(&acme, 2.0), (&zeta, 3.0)] {
        let counters = tenant.counter_vec("c_total", "Another help", &["x", "y"])?;
        counters.with(&["1", ""])?.add(by)?;
        counters.with(&["", "2"])?.add(by)?;
        tenant.histogram_vec("h", "H", &[], &[1.0])?.with(&[])?.observe(by)?;
    }
    acme.set_default_labels(labels(&[("zone", "z"), ("x", "of the defaults"), ("tenant", "no")]))?;
    registry.set_default_labels(labels(&[("app", "a")]))?;
    registry.mount(&acme, labels(&[("tenant", "ac\"me"), ("plan", "free")]))?;
    registry.mount(&zeta, tenant("zeta"))?;
    let expected = "\
# HELP c_total C
# TYPE c_total counter
c_total{x=\"1\",app=\"a\"} 1
c_total{x=\"1\",zone=\"z\",tenant=\"ac\\\"me\",plan=\"free\",app=\"a\"} 2
c_total{y=\"2\",zone=\"z\",x=\"of the defaults\",tenant=\"ac\\\"me\",plan=\"free\",app=\"a\"} 2
c_total{x=\"1\",tenant=\"zeta\",app=\"a\"} 3
c_total{y=\"2\",tenant=\"zeta\",app=\"a\"} 3

# HELP last L
# TYPE last gauge
last{app=\"a\"} 1

# HELP h H
# TYPE h histogram
h_bucket{le=\"1\",app=\"a\",zone=\"z\",x=\"of the defaults\",tenant=\"ac\\\"me\",plan=\"free\"} 0
h_bucket{le=\"+Inf\",app=\"a\",zone=\"z\",x=\"of the defaults\",tenant=\"ac\\\"me\",plan=\"free\"} 1
h_sum{app=\"a\",zone=\"z\",x=\"of the defaults\",tenant=\"ac\\\"me\",plan=\"free\"} 2
h_count{app=\"a\",zone=\"z\",x=\"of the defaults\",tenant=\"ac\\\"me\",plan=\"free\"} 1
h_bucket{le=\"1\",app=\"a\",tenant=\"zeta\"} 0
h_bucket{le=\"+Inf\",app=\"a\",tenant=\"zeta\"} 1
h_sum{app=\"a\",tenant=\"zeta\"} 3
h_count{app=\"a\",tenant=\"zeta\"} 1
";
    assert_eq!(text(&registry), expected);
    let modern = expected
        .replace("\n\n", "\n")
        .replace("# HELP c_total", "# HELP c")
        .replace("# TYPE c_total", "# TYPE c")
        .replace("le=\"1\"", "le=\"1.0\"");
    assert_eq!(openmetrics(&registry), format!("{modern}# EOF\n"));

    // The mounted registry itself is unchanged.
    assert!(
        text(&zeta).starts_with("# HELP c_total Another help\n# TYPE c_total counter\nc_total{x=\"1\"} 3\n")
    );
    assert!(registry.unmount(&acme));
    assert!(!registry.unmount(&acme));
    assert!(!text(&registry).contains("me"), "{}", text(&registry));
    registry.clear();
    assert_eq!(text(&registry), text(&Registry::new()));
    Ok(())
}

#[test]
fn a_series_label_with_the_name_of_a_mount_label_is_renamed() -> Outcome {
    /// Label names, their values, the mount's labels, and the sample.
    type Case = (
        &'static [&'static str],
        &'static [&'static str],
        &'static [(&'static str, &'static str)],
        &'static str,
    );
    let cases: [Case; 5] = [
        (&["tenant"], &["me"], &[("tenant", "t")], "c_total{exported_tenant=\"me\",tenant=\"t\"} 1"),
        (
            &["a", "tenant", "exported_tenant"],
            &["1", "2", "3"],
            &[("tenant", "t")],
            "c_total{a=\"1\",exported_exported_tenant=\"2\",exported_tenant=\"3\",tenant=\"t\"} 1",
        ),
        (
            &["tenant", "exported_tenant"],
            &["1", "2"],
            &[("tenant", "t"), ("exported_tenant", "u")],
            "c_total{exported_exported_tenant=\"1\",exported_exported_exported_tenant=\"2\",tenant=\"t\",exported_tenant=\"u\"} 1",
        ),
        // An empty label is the same as a missing one, so there is nothing to rename.
        (&["tenant"], &[""], &[("tenant", "t")], "c_total{tenant=\"t\"} 1"),
        (
            &["a"],
            &["\"\\\n,tenant=\"x\""],
            &[("tenant", "t")],
            "c_total{a=\"\\\"\\\\\\n,tenant=\\\"x\\\"\",tenant=\"t\"} 1",
        ),
    ];
    for (names, values, under, expected) in cases {
        assert_eq!(shown_under(&counting(names, values)?, under)?, expected);
    }
    // A default label is left out if the series has a label of that name, also if it only has it after renaming.
    let registry = counting(&["tenant"], &["me"])?;
    registry.set_default_labels(labels(&[("exported_tenant", "d"), ("tenant", "d"), ("z", "d")]))?;
    assert_eq!(
        shown_under(&registry, &[("tenant", "t")])?,
        "c_total{exported_tenant=\"me\",z=\"d\",tenant=\"t\"} 1"
    );
    Ok(())
}

#[test]
fn nested_mounts_have_the_labels_of_both() -> Outcome {
    let (root, region, team) = (Registry::new(), Arc::new(Registry::new()), counting(&["x"], &["1"])?);
    region.counter_vec("c_total", "C", &["x"])?.with(&["2"])?.inc();
    region.mount(&team, labels(&[("team", "t"), ("region", "mine")]))?;
    region.set_default_labels(labels(&[("team", "none"), ("d", "1")]))?;
    root.mount(&region, labels(&[("region", "eu")]))?;
    let expected = "\
# HELP c_total C
# TYPE c_total counter
c_total{x=\"2\",team=\"none\",d=\"1\",region=\"eu\"} 1
c_total{x=\"1\",team=\"t\",exported_region=\"mine\",d=\"1\",region=\"eu\"} 1
";
    assert_eq!(text(&root), expected);
    Ok(())
}

#[test]
fn invalid_mounts_are_rejected() -> Outcome {
    let (root, first, second) =
        (Arc::new(Registry::new()), Arc::new(Registry::new()), Arc::new(Registry::new()));
    let itself = "Expected another registry to mount but received one that would contain itself";
    let invalid = |message: &str| (ErrorKind::InvalidConfig, message.to_owned());
    assert_eq!(refusal(root.mount(&root, tenant("t"))), invalid(itself));
    root.mount(&first, tenant("1"))?;
    first.mount(&second, tenant("2"))?;
    assert_eq!(refusal(first.mount(&root, tenant("t"))), invalid(itself));
    assert_eq!(refusal(second.mount(&root, tenant("t"))), invalid(itself));
    let twice = "Expected a registry that is not mounted here but received one that is";
    assert_eq!(refusal(root.mount(&first, tenant("3"))), invalid(twice));
    let same = "Expected labels that no other mounted registry has but received labels that one has";
    assert_eq!(refusal(root.mount(&second, tenant("1"))), invalid(same));
    assert_eq!(refusal(root.mount(&second, labels(&[("empty", ""), ("tenant", "1")]))), invalid(same));
    root.mount(&second, labels(&[("tenant", "1"), ("more", "2")]))?;
    for (name, message) in [
        ("no name", "At least one label name is invalid: no name"),
        ("le", "le is a reserved label keyword"),
        ("quantile", "quantile is a reserved label keyword"),
    ] {
        let refused = refusal(root.mount(&counting(&[], &[])?, labels(&[(name, "x")])));
        assert_eq!(refused, (ErrorKind::InvalidLabelName, message.to_owned()));
    }
    assert_eq!(
        refusal(root.mount(&counting(&[], &[])?, labels(&[("a", "x"), ("a", "y")]))).0,
        ErrorKind::InvalidLabelName
    );
    Ok(())
}

/// A collector that returns a gauge as finished samples.
struct Foreign(f64);

impl Collector for Foreign {
    fn names(&self) -> Vec<String> {
        vec!["foreign".to_owned()]
    }

    fn collect(&self) -> Vec<SampleFamily> {
        let sample = |x: &str| Sample::new("foreign", &[("x", x), ("tenant", "me")], self.0).expect("valid");
        let samples = vec![sample("1"), sample("2")];
        vec![SampleFamily::new("foreign", "F", Kind::Gauge, samples).expect("valid")]
    }
}

#[test]
fn samples_of_collectors_get_the_mount_labels_too() -> Outcome {
    let (root, acme) = (Registry::new(), Arc::new(Registry::new()));
    root.register_collector(Arc::new(Foreign(1.0)));
    acme.register_collector(Arc::new(Foreign(2.0)));
    acme.set_default_labels(labels(&[("d", "1")]))?;
    root.mount(&acme, tenant("acme"))?;
    let expected = "\
# HELP foreign F
# TYPE foreign gauge
foreign{x=\"1\",tenant=\"me\"} 1
foreign{x=\"2\",tenant=\"me\"} 1
foreign{x=\"1\",exported_tenant=\"me\",d=\"1\",tenant=\"acme\"} 2
foreign{x=\"2\",exported_tenant=\"me\",d=\"1\",tenant=\"acme\"} 2
";
    assert_eq!(text(&root), expected);
    Ok(())
}

#[test]
fn families_that_do_not_match_are_left_out_and_reported() -> Outcome {
    let root = Registry::new();
    let (one, two) = (Arc::new(Registry::new()), Arc::new(Registry::new()));
    root.gauge("m", "M")?.set(1.0);
    one.counter("m", "M")?.inc();
    one.histogram_vec("h", "H", &[], &[1.0])?.with(&[])?.observe(1.0)?;
    two.histogram_vec("h", "H", &[], &[2.0])?.with(&[])?.observe(1.0)?;
    two.counter("n", "N")?.inc();
    root.mount(&one, tenant("1"))?;
    root.mount(&two, tenant("2"))?;
    let expected = "\
# HELP m M
# TYPE m gauge
m 1

# HELP h H
# TYPE h histogram
h_bucket{le=\"1\",tenant=\"1\"} 1
h_bucket{le=\"+Inf\",tenant=\"1\"} 1
h_sum{tenant=\"1\"} 1
h_count{tenant=\"1\"} 1

# HELP n N
# TYPE n counter
n{tenant=\"2\"} 1
";
    let gathered = root.gather();
    let mut out = Vec::new();
    let Ok(()) = encode(&gathered, Format::PrometheusText, &mut out);
    assert_eq!(String::from_utf8(out)?, expected);
    assert_eq!(gathered.mismatched(), ["m", "h"]);
    assert_eq!(gathered.series_count(), 3);
    Ok(())
}

#[test]
fn each_registry_keeps_its_own_limits_and_ttl() -> Outcome {
    let clock = stopped_clock();
    let root = Registry::with_clock(Arc::clone(&clock));
    let limited = |max_total| -> Result<Arc<Registry>, MetricsError> {
        let family = CardinalityLimits::default();
        Ok(Arc::new(Registry::with_config(
            RegistryConfig::default()
                .cardinality(CardinalityConfig::default().family(family).max_total(Some(max_total)))
                .ttl(Some(Duration::from_secs(60)))
                .clock(Arc::clone(&clock)),
        )?))
    };
    let (small, large) = (limited(1)?, limited(10)?);
    root.mount(&small, tenant("small"))?;
    root.mount(&large, tenant("large"))?;
    for registry in [&small, &large] {
        let counters = registry.counter_vec("c_total", "C", &["x"])?;
        for x in ["1", "2"] {
            counters.with(&[x])?.inc();
        }
    }
    root.counter_vec("c_total", "C", &["x"])?.with(&["1"])?.inc();
    let expected = "\
# HELP c_total C
# TYPE c_total counter
c_total{x=\"1\"} 1
c_total{x=\"1\",tenant=\"small\"} 1
c_total{x=\"other\",tenant=\"small\"} 1
c_total{x=\"1\",tenant=\"large\"} 1
c_total{x=\"2\",tenant=\"large\"} 1
";
    assert_eq!(text(&root), expected);
    assert_eq!([&*small, &*large, &root].map(|registry| registry.cardinality_guard().series()), [2, 2, 1]);
    // A scrape of the outer registry also removes expired series of the mounted ones.
    clock.advance(Duration::from_secs(60));
    large.counter_vec("c_total", "C", &["x"])?.with(&["2"])?.inc();
    assert_eq!(
        text(&root),
        "# HELP c_total C\n# TYPE c_total counter\nc_total{x=\"1\"} 1\nc_total{x=\"2\",tenant=\"large\"} 2\n"
    );
    assert_eq!([&*small, &*large, &root].map(|registry| registry.cardinality_guard().series()), [0, 1, 1]);
    Ok(())
}

#[test]
fn mounts_are_shown_next_to_the_totals_of_a_process() -> Outcome {
    let process = Process::new();
    let (main, worker) = (contributor_of(&process), contributor_of(&process));
    for contributor in [&main, &worker] {
        contributor.registry().counter_vec("c_total", "C", &["x"])?.with(&["1"])?.inc();
    }
    main.registry().mount(&counting(&["x"], &["1"])?, tenant("t"))?;
    assert_eq!(
        scrape(main.registry(), Some(&process), &[], Format::PrometheusText),
        "# HELP c_total C\n# TYPE c_total counter\nc_total{x=\"1\"} 2\nc_total{x=\"1\",tenant=\"t\"} 1\n"
    );
    Ok(())
}
