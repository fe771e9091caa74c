//! Tests names of UTF-8 through the Rust API: the builder, scrapes, mounts, collectors, other processes' contributors.

use crate::{Outcome, contributor_of, refusal, text};
use prometheus_metrics::gather::{Selection, gather};
use prometheus_metrics::labels::{LabelName, MetricName};
use prometheus_metrics::registry::{Exemplar, Kind, Process};
use prometheus_metrics::{
    Collector, ErrorKind, Escaping, Format, LabelSet, MetricsError, Names, Registry, RegistryConfig, Sample,
    SampleFamily, encode,
};
use std::sync::Arc;

fn utf8() -> Result<Registry, MetricsError> {
    Registry::with_config(RegistryConfig::default().names(Names::Utf8))
}

fn shown(registry: &Registry, process: Option<&Process>, escaping: Escaping) -> String {
    let mut out = Vec::new();
    let selection = Selection::default().process(process).escaping(escaping);
    let Ok(()) = encode(&gather(registry, &selection), Format::PrometheusText, &mut out);
    String::from_utf8(out).expect("an exposition is UTF-8")
}

#[test]
fn a_builder_takes_names_by_the_rule_of_its_registry() -> Outcome {
    let registry = utf8()?;
    registry.metric("a.b", "A").labels(&["c.d"]).gauge_vec()?.with(&["v"])?.set(1.0);
    registry.counter("e.f_total", "E")?.inc();
    registry.histogram_vec("g.h", "G", &[], &[1.0])?.with(&[])?.observe(2.0)?;
    assert_eq!(
        shown(&registry, None, Escaping::AllowUtf8),
        "\
# HELP \"a.b\" A
# TYPE \"a.b\" gauge
{\"a.b\",\"c.d\"=\"v\"} 1

# HELP \"e.f_total\" E
# TYPE \"e.f_total\" counter
{\"e.f_total\"} 1

# HELP \"g.h\" G
# TYPE \"g.h\" histogram
{\"g.h_bucket\",le=\"1\"} 0
{\"g.h_bucket\",le=\"+Inf\"} 1
{\"g.h_sum\"} 2
{\"g.h_count\"} 1
"
    );
    assert!(
        text(&registry).contains("a_b{c_d=\"v\"} 1\n"),
        "without a scraper that asks, names have underscores"
    );
    assert_eq!(refusal(Registry::new().gauge("a.b", "")).0, ErrorKind::InvalidMetricName);
    assert_eq!(refusal(registry.gauge("a_b", "")).0, ErrorKind::DuplicateMetric);
    assert_eq!(refusal(registry.gauge("a\"b", "")).0, ErrorKind::InvalidMetricName);
    registry.set_names(Names::Legacy);
    assert_eq!(refusal(registry.gauge("x.y", "")).0, ErrorKind::InvalidMetricName);
    assert!(shown(&registry, None, Escaping::AllowUtf8).contains("a_b{c_d=\"v\"} 1\n"), "by the old rule");
    Ok(())
}

#[test]
fn each_type_says_by_which_rule_it_was_checked() -> Outcome {
    assert_eq!(MetricName::by(Names::Utf8, "a b")?.as_str(), "a b");
    assert_eq!(LabelName::by(Names::Utf8, "a:b")?.as_str(), "a:b");
    assert_eq!(LabelSet::by(Names::Utf8, [("a.b", "c")])?.get("a.b"), "c");
    assert_eq!(refusal(LabelSet::by(Names::Utf8, [("a.b", ""), ("a_b", "")])).0, ErrorKind::InvalidLabelName);
    for name in ["", "\u{85}", "\\", "\"", "\u{fffd}"] {
        assert_eq!(refusal(MetricName::by(Names::Utf8, name)).0, ErrorKind::InvalidMetricName);
        assert_eq!(refusal(LabelName::by(Names::Utf8, name)).0, ErrorKind::InvalidLabelName);
    }
    for name in ["__a.b", "__name__", "._name__"] {
        assert_eq!(refusal(LabelName::by(Names::Utf8, name)).0, ErrorKind::InvalidLabelName);
    }
    // The names of tracing systems are plain, and few servers read others.
    let labels = LabelSet::by(Names::Utf8, [("trace.id", "t")])?;
    assert_eq!(refusal(Exemplar::new(&labels, 1.0, 1.0)).0, ErrorKind::InvalidLabelName);
    Ok(())
}

struct Fixed(Vec<SampleFamily>);

impl Collector for Fixed {
    fn collect(&self) -> Vec<SampleFamily> {
        self.0.clone()
    }
}

#[test]
fn finished_samples_are_escaped_like_others() -> Outcome {
    let sample = |name: &str, labels: &[(&str, &str)], value| Sample::by(Names::Utf8, name, labels, value);
    let samples = vec![
        sample("a.b_sum", &[("x.y", "1")], 1.0)?,
        sample("a.b_count", &[("x.y", "1")], 2.0)?,
        sample("other.name", &[], 3.0)?,
    ];
    let registry = utf8()?;
    let family = SampleFamily::by(Names::Utf8, "a.b", "A", Kind::Summary, samples)?;
    registry.register_collector(Arc::new(Fixed(vec![family])));
    let head = "# HELP U__a_2e_b A\n# TYPE U__a_2e_b summary\n";
    let lines = "U__a_2e_b_sum{U__x_2e_y=\"1\"} 1\nU__a_2e_b_count{U__x_2e_y=\"1\"} 2\nU__other_2e_name 3\n";
    assert_eq!(shown(&registry, None, Escaping::Values), format!("{head}{lines}"));
    assert!(shown(&registry, None, Escaping::AllowUtf8).contains("\n{\"a.b_sum\",\"x.y\"=\"1\"} 1\n"));
    Ok(())
}

#[test]
fn contributors_are_merged_by_the_names_as_they_are() -> Outcome {
    let process = Process::new();
    let (one, other) = (contributor_of(&process), contributor_of(&process));
    for contributor in [&one, &other] {
        contributor.registry().set_names(Names::Utf8);
        contributor.registry().gauge_vec("a.b", "A", &["c.d"])?.with(&["v"])?.set(2.0);
    }
    one.registry().counter_vec("jobs", "J", &["x.y"])?.with(&["v"])?.inc();
    other.registry().counter_vec("jobs", "J", &["x_y"])?.with(&["v"])?.inc();
    other.registry().gauge("only_here", "")?.set(1.0);
    one.registry().gauge("only.here", "O")?.set(1.0);
    let exposition = shown(one.registry(), Some(&process), Escaping::AllowUtf8);
    assert!(exposition.contains("{\"a.b\",\"c.d\"=\"v\"} 4\n"), "{exposition}");
    assert!(exposition.contains("\njobs{\"x.y\"=\"v\"} 1\n") && !exposition.contains("x_y"), "{exposition}");
    assert!(!exposition.contains("only_here"), "one of both, because some scraper takes them for one");
    Ok(())
}

#[test]
fn appended_families_may_have_any_name() -> Outcome {
    let registry = utf8()?;
    registry.gauge("名é", "")?.set(1.0);
    registry.gauge("m.x", "M")?.set(1.0);
    let appended = utf8()?;
    appended.gauge("名ê", "")?.set(2.0);
    appended.gauge("m_x", "")?.set(3.0);
    let gathered =
        gather(&registry, &Selection::default().appended(&[&appended]).escaping(Escaping::AllowUtf8));
    assert_eq!(gathered.mismatched(), ["名ê", "m_x"], "with underscores they have the names of others");
    Ok(())
}
