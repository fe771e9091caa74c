//! Collectors that come with the library: figures of the process and of the runtime, read when a scrape asks. They
//! know families and samples; neither registries nor formats, and no thread but the one that scrapes.

pub mod catalogue;
pub mod gen_ai;
mod process;
mod runtime;
mod snapshot;

pub use process::{ProcessCollector, ProcessFigure};
pub use runtime::RuntimeCollector;

use crate::error::Result;
use crate::labels::{LabelSet, MetricName};
use crate::registry::{Kind, Sample, SampleFamily};

/// What a collector puts before its names and on all its samples; checked when it is set.
#[derive(Debug, Clone, Default)]
struct Naming {
    prefix: String,
    labels: Vec<(String, String)>,
}

impl Naming {
    /// # Errors
    /// `InvalidMetricName` if names that begin so are none.
    fn set_prefix(&mut self, prefix: &str) -> Result<()> {
        MetricName::new(&format!("{prefix}name"))?;
        prefix.clone_into(&mut self.prefix);
        Ok(())
    }

    /// # Errors
    /// `InvalidLabelName` for a bad or repeated label.
    fn set_labels(&mut self, labels: &[(&str, &str)]) -> Result<()> {
        LabelSet::new(labels.iter().copied())?;
        self.labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Ok(())
    }

    fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// A family of one sample, which has the labels of its own first.
    fn family(
        &self,
        name: &str,
        help: &str,
        kind: Kind,
        own: &[(&str, &str)],
        value: f64,
    ) -> Result<SampleFamily> {
        let name = self.name(name);
        let common = self.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let labels: Vec<(&str, &str)> = own.iter().copied().chain(common).collect();
        SampleFamily::new(&name, help, kind, vec![Sample::new(&name, &labels, value)?])
    }
}
