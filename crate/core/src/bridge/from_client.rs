//! Reads the families of a registry of `prometheus-client`. That crate hands its values only to its own encoders, so the
//! text that it writes is parsed.

use crate::error::Result;
use crate::model::{Kind, Sample, SampleFamily};
use crate::registry::Collector;
use crate::sync::{Arc, AtomicBool, Ordering};
use crate::testing::{Dialect, FamilyKind, ParsedFamily, parse};

use prometheus_client::encoding::text::encode_registry;
use prometheus_client::registry::Registry;
use std::collections::HashMap;
use std::fmt;

/// Writes the text of a registry of `prometheus-client`.
type Write = dyn Fn(&mut String) -> fmt::Result + Send + Sync;

/// A collector that shows a registry of `prometheus-client`.
///
/// Families keep their names, types, units, labels and help texts. An `info` metric becomes a gauge. Families of one
/// name (of subregistries with different labels) become one family. A family that is not valid OpenMetrics is left out,
/// with a warning through `tracing`. Each scrape encodes and parses the whole registry.
///
/// ```
/// use prometheus_client::metrics::counter::Counter;
/// use prometheus_metrics::bridge::FromPrometheusClient;
/// use prometheus_metrics::{Format, Registry};
/// use std::sync::Arc;
///
/// let jobs: Counter = Counter::default();
/// let mut theirs = prometheus_client::registry::Registry::default();
/// theirs.register("jobs", "Jobs done", jobs.clone());
///
/// let registry = Registry::new();
/// registry.register_named_collector(Arc::new(FromPrometheusClient::new(Arc::new(theirs))))?;
/// jobs.inc();
/// assert_eq!(
///     registry.encode(Format::PrometheusText),
///     "# HELP jobs_total Jobs done.\n# TYPE jobs_total counter\njobs_total 1\n"
/// );
/// # Ok::<(), prometheus_metrics::MetricsError>(())
/// ```
pub struct FromPrometheusClient {
    write: Box<Write>,
    /// True while the last reading was incomplete, so that one fault is not reported at each scrape.
    has_warned: AtomicBool,
}

impl fmt::Debug for FromPrometheusClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromPrometheusClient").finish_non_exhaustive()
    }
}

impl FromPrometheusClient {
    /// Shows this registry.
    #[must_use]
    pub fn new(registry: Arc<Registry>) -> Self {
        Self::from_text(move |text| encode_registry(text, &registry))
    }

    /// Shows the registry whose text this function writes. For a registry that is not in an `Arc`, or behind a lock:
    /// `|text| encode_registry(text, &registry.lock())`.
    #[must_use]
    pub fn from_text(write: impl Fn(&mut String) -> fmt::Result + Send + Sync + 'static) -> Self {
        Self { write: Box::new(write), has_warned: AtomicBool::new(false) }
    }

    /// Reports faults, unless those of the last reading were reported.
    fn report(&self, faults: &[String]) {
        let had_warned = self.has_warned.swap(!faults.is_empty(), Ordering::Relaxed);
        if let (false, Some(first)) = (had_warned, faults.first()) {
            tracing::warn!(
                "{} families of a registry of prometheus-client are left out of scrapes. The first: {first}",
                faults.len()
            );
        }
    }
}

impl Collector for FromPrometheusClient {
    /// The names of the families that the registry has now.
    fn names(&self) -> Vec<String> {
        self.collect().iter().map(|family| family.name().to_owned()).collect()
    }

    fn collect(&self) -> Vec<SampleFamily> {
        let mut text = String::new();
        let is_complete = (self.write)(&mut text).is_ok();
        let mut drafts = Drafts::default();
        let mut blocks = blocks(text.strip_suffix("# EOF\n").unwrap_or(&text));
        if !is_complete {
            let cut = blocks.pop().unwrap_or_default();
            drafts.faults.push(format!("its encoder failed in {:?}", cut.lines().next().unwrap_or_default()));
        }
        blocks.into_iter().for_each(|block| drafts.read(block));
        self.report(&drafts.faults);
        drafts.families
    }
}

/// Cuts a text into one block for each family. Each is parsed alone, so that one invalid family does not hide the others,
/// and so that two families may have one name.
fn blocks(text: &str) -> Vec<&str> {
    let starts = text.match_indices("# HELP ").map(|(at, _)| at);
    let mut starts: Vec<usize> = starts.filter(|at| *at == 0 || text.as_bytes()[at - 1] == b'\n').collect();
    starts.push(text.len());
    starts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect()
}

/// The families that were read, and why others were not.
#[derive(Default)]
struct Drafts {
    families: Vec<SampleFamily>,
    by_name: HashMap<String, usize>,
    faults: Vec<String>,
}

impl Drafts {
    fn read(&mut self, block: &str) {
        match parse(&format!("{block}# EOF\n"), Dialect::OpenMetrics) {
            Ok(families) => families.iter().for_each(|family| self.add(family)),
            Err(error) => self.faults.push(error.to_string()),
        }
    }

    fn add(&mut self, parsed: &ParsedFamily) {
        let family = match converted(parsed) {
            Ok(family) => family,
            Err(error) => return self.faults.push(error.to_string()),
        };
        match self.by_name.get(family.name()).map(|at| &mut self.families[*at]) {
            None => {
                self.by_name.insert(family.name().to_owned(), self.families.len());
                self.families.push(family);
            }
            Some(first) if first.kind() == family.kind() => {
                let samples = first.samples().iter().chain(family.samples()).cloned().collect();
                *first = first.with_samples(samples);
            }
            Some(first) => self.faults.push(format!(
                "{} is a {} and a {}",
                family.name(),
                first.kind().as_str(),
                family.kind().as_str()
            )),
        }
    }
}

fn converted(parsed: &ParsedFamily) -> Result<SampleFamily> {
    let (suffix, kind) = match parsed.kind {
        FamilyKind::Counter => ("_total", Kind::Counter),
        FamilyKind::Gauge => ("", Kind::Gauge),
        FamilyKind::Histogram => ("", Kind::Histogram),
        FamilyKind::Summary => ("", Kind::Summary),
        FamilyKind::Info => ("_info", Kind::Gauge),
        FamilyKind::GaugeHistogram | FamilyKind::StateSet | FamilyKind::Unknown => ("", Kind::Unknown),
    };
    let samples = parsed.samples.iter().map(|sample| {
        let labels: Vec<(&str, &str)> =
            sample.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Sample::new(&sample.name, &labels, sample.value)
    });
    let name = format!("{}{suffix}", parsed.name);
    let family = SampleFamily::new(&name, &parsed.help, kind, samples.collect::<Result<_>>()?)?;
    Ok(family.with_unit((!parsed.unit.is_empty()).then(|| parsed.unit.clone())))
}
