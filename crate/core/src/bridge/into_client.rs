//! Writes the families of a registry of this library through the encoders of `prometheus-client`.

use crate::labels::{escape, pairs};
use crate::model::{Kind, Sample, SampleFamily, Source};
use crate::registry::Registry;
use crate::serialization::{FamilyWriter, Shown};
use crate::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use std::collections::{HashMap, HashSet};
use std::fmt;

/// A collector of `prometheus-client` that shows a registry of this library.
///
/// Values, labels, default labels and help texts are those of the registry's own OpenMetrics exposition. Summaries, and
/// histograms that a [`Collector`](crate::Collector) made, keep their samples but have the type `unknown`: that crate can
/// write neither.
///
/// ```
/// use prometheus_metrics::Registry;
/// use prometheus_metrics::bridge::IntoPrometheusClient;
/// use std::sync::Arc;
///
/// let registry = Arc::new(Registry::new());
/// registry.counter("jobs_total", "Jobs done")?.inc();
///
/// let mut theirs = prometheus_client::registry::Registry::default();
/// theirs.register_collector(Box::new(IntoPrometheusClient::new(registry)));
/// let mut text = String::new();
/// prometheus_client::encoding::text::encode(&mut text, &theirs)?;
/// assert_eq!(text, "# HELP jobs Jobs done\n# TYPE jobs counter\njobs_total 1.0\n# EOF\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct IntoPrometheusClient {
    registry: Arc<Registry>,
}

impl fmt::Debug for IntoPrometheusClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntoPrometheusClient").finish_non_exhaustive()
    }
}

impl IntoPrometheusClient {
    /// Shows this registry.
    #[must_use]
    pub const fn new(registry: Arc<Registry>) -> Self {
        Self { registry }
    }
}

impl Collector for IntoPrometheusClient {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let gathered = self.registry.gather();
        let names = gathered.families.iter().map(Shown::name).collect();
        let mut writer = Writer { encoder, names, defaults: &gathered.default_labels };
        gathered.families.iter().try_for_each(|family| family.show(&mut writer))
    }
}

struct Writer<'a, 'e> {
    encoder: DescriptorEncoder<'e>,
    /// The names of all families.
    names: HashSet<&'a str>,
    defaults: &'a [(String, String)],
}

impl Writer<'_, '_> {
    /// The name and type of a family. The encoder adds `_total` to the names of counters. If a family `x` exists too, a
    /// counter `x_total` keeps its name and has no type.
    fn named<'n>(&self, name: &'n str, kind: Kind) -> (&'n str, MetricType) {
        match kind {
            Kind::Counter => {
                let base = name.strip_suffix("_total").unwrap_or(name);
                let is_free = base == name && !self.names.contains(format!("{name}_total").as_str())
                    || base != name && !base.is_empty() && !self.names.contains(base);
                if is_free { (base, MetricType::Counter) } else { (name, MetricType::Unknown) }
            }
            Kind::Gauge | Kind::Info | Kind::StateSet => (name, MetricType::Gauge),
            Kind::Histogram => (name, MetricType::Histogram),
            Kind::Summary | Kind::Unknown => (name, MetricType::Unknown),
        }
    }

    /// Writes the quantiles, the sums and the counts of a summary as a family each.
    fn write_summary(&mut self, family: &impl Source) -> fmt::Result {
        let (name, help) = (family.descriptor().name(), escaped(family.descriptor().help()));
        let mut metric = self.encoder.encode_descriptor(name, &help, None, MetricType::Unknown)?;
        let mut values = Vec::new();
        family.for_each(|series| {
            let quantiles = family.descriptor().quantiles();
            series.quantiles(quantiles, &mut values);
            let mut labels = labels(series.labels, self.defaults);
            labels.retain(|(name, _)| name != "quantile");
            labels.push(("quantile".to_owned(), String::new()));
            quantiles.iter().zip(&values).try_for_each(|(quantile, value)| {
                labels.iter_mut().rev().take(1).for_each(|(_, text)| *text = quantile.to_string());
                with_labels(&mut metric, &labels, |metric| metric.encode_gauge(value))
            })
        })?;
        for (cell, suffix) in [(1, "_sum"), (0, "_count")] {
            let name = format!("{name}{suffix}");
            let mut metric = self.encoder.encode_descriptor(&name, &help, None, MetricType::Unknown)?;
            family.for_each(|series| {
                let labels = labels(series.labels, self.defaults);
                with_labels(&mut metric, &labels, |metric| metric.encode_gauge(&series.values[cell]))
            })?;
        }
        Ok(())
    }

    /// Writes samples of one name.
    fn write_samples(&mut self, name: &str, kind: Kind, help: &str, samples: &[&Sample]) -> fmt::Result {
        let (name, kind) = self.named(name, kind);
        let mut metric = self.encoder.encode_descriptor(name, &escaped(help), None, kind)?;
        samples.iter().try_for_each(|sample| {
            let labels = labels(sample.labels(), self.defaults);
            with_labels(&mut metric, &labels, |metric| write_number(metric, kind, sample.value()))
        })
    }
}

impl FamilyWriter for Writer<'_, '_> {
    type Error = fmt::Error;

    fn cells<F: Source>(&mut self, family: &F) -> fmt::Result {
        let descriptor = family.descriptor();
        if descriptor.kind() == Kind::Summary {
            return self.write_summary(family);
        }
        let info = format!("{}_info", descriptor.name().trim_end_matches("_info"));
        let own = if descriptor.kind() == Kind::Info { &info } else { descriptor.name() };
        let (name, kind) = self.named(own, descriptor.kind());
        let help = escaped(descriptor.help());
        let mut metric = self.encoder.encode_descriptor(name, &help, None, kind)?;
        family.for_each(|series| {
            let labels = labels(series.labels, self.defaults);
            with_labels(&mut metric, &labels, |metric| match (kind, series.values.split_last()) {
                (MetricType::Histogram, Some((sum, counts))) => {
                    write_histogram(metric, descriptor.buckets(), counts, *sum)
                }
                (_, Some((value, _))) => write_number(metric, kind, *value),
                (_, None) => Ok(()),
            })
        })
    }

    fn samples(&mut self, family: &SampleFamily) -> fmt::Result {
        let mut names: Vec<&str> = Vec::new();
        for sample in family.samples() {
            if !names.contains(&sample.name()) {
                names.push(sample.name());
            }
        }
        names.into_iter().try_for_each(|name| {
            let samples: Vec<&Sample> =
                family.samples().iter().filter(|sample| sample.name() == name).collect();
            let is_whole = name == family.name() && matches!(family.kind(), Kind::Counter | Kind::Gauge);
            let kind = if is_whole { family.kind() } else { Kind::Unknown };
            self.write_samples(name, kind, family.help(), &samples)
        })
    }
}

/// Calls `write` with an encoder that has the labels. Without labels that encoder would write empty braces.
fn with_labels(
    metric: &mut MetricEncoder<'_>,
    labels: &Vec<(String, String)>,
    write: impl FnOnce(&mut MetricEncoder<'_>) -> fmt::Result,
) -> fmt::Result {
    if labels.is_empty() { write(metric) } else { write(&mut metric.encode_family(labels)?) }
}

fn write_number(metric: &mut MetricEncoder<'_>, kind: MetricType, value: f64) -> fmt::Result {
    match kind {
        MetricType::Counter => metric.encode_counter::<NoLabelSet, f64, f64>(&value, None),
        _ => metric.encode_gauge(&value),
    }
}

/// The encoder adds the counts of the buckets up itself.
fn write_histogram(metric: &mut MetricEncoder<'_>, bounds: &[f64], counts: &[f64], sum: f64) -> fmt::Result {
    let bounds = bounds.iter().copied().chain([f64::INFINITY]);
    let buckets: Vec<(f64, u64)> = bounds.zip(counts.iter().map(|count| *count as u64)).collect();
    let count = buckets.iter().map(|(_, count)| count).sum();
    let exemplars: Option<&HashMap<usize, Exemplar<NoLabelSet, f64>>> = None;
    metric.encode_histogram(sum, count, &buckets, exemplars)
}

/// A series' own labels, and the default labels that it does not have itself.
fn labels(rendered: &[u8], defaults: &[(String, String)]) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let unescaped = |value: &[u8]| {
        let mut out = Vec::new();
        escape::unescape(value, &mut out);
        text(&out)
    };
    let mut labels: Vec<(String, String)> =
        pairs(rendered).map(|pair| (text(pair.name), unescaped(pair.value))).collect();
    let own = labels.len();
    for default in defaults {
        if labels[..own].iter().all(|(name, _)| *name != default.0) {
            labels.push(default.clone());
        }
    }
    labels
}

/// The encoder writes a help text as it is, and a line break would end its comment.
fn escaped(help: &str) -> String {
    let mut out = Vec::new();
    escape::help(help, false, &mut out);
    String::from_utf8(out).unwrap_or_default()
}
