//! Exposes the core's collectors as metrics that a JavaScript registry lists by name. Each has one family, which
//! scrapes read without JavaScript.

use crate::error::{Result, refused};
use crate::registry::NativeRegistry;
use crate::values::Values;
use napi_derive::napi;
use prometheus_metrics::collectors::{ProcessCollector, ProcessFigure};
use prometheus_metrics::registry::Registry;
use std::sync::Arc;

/// One metric of the process.
#[napi]
pub struct NativeProcessFigure {
    figure: ProcessFigure,
    prefix: String,
    collector: Arc<ProcessCollector>,
}

#[napi]
impl NativeProcessFigure {
    /// True for a point in time, which must not be added to another contributor's.
    #[napi(getter)]
    pub fn is_start_time(&self) -> bool {
        self.figure == ProcessFigure::StartTimeSeconds
    }

    /// The family's name.
    #[napi(getter)]
    pub fn name(&self) -> String {
        format!("{}{}", self.prefix, self.figure.name())
    }

    /// The help text.
    #[napi(getter)]
    pub fn help(&self) -> &'static str {
        self.figure.help()
    }

    /// `counter` or `gauge`.
    #[napi(getter, ts_return_type = "'counter' | 'gauge'")]
    pub fn kind(&self) -> &'static str {
        self.figure.kind().as_str()
    }

    /// The family as JSON, and its value.
    #[napi(catch_unwind)]
    pub fn read(&self) -> Values {
        let alone = Registry::new();
        alone.register_collector(Arc::clone(&self.collector) as _);
        Values::of(&alone.gather())
    }
}

/// The metrics of the process that this platform supports, in the order of the core. `labels` are names and values,
/// alternating.
#[napi(catch_unwind)]
pub fn process_figures(
    names: Vec<String>,
    prefix: String,
    labels: Vec<String>,
) -> Result<Vec<NativeProcessFigure>> {
    let labels: Vec<(&str, &str)> =
        labels.as_chunks::<2>().0.iter().map(|[name, value]| (name.as_str(), value.as_str())).collect();
    let wanted = |figure: &ProcessFigure| names.iter().any(|name| name == figure.name());
    let make = |figure: ProcessFigure| {
        let collector = ProcessCollector::only(&[figure]).with_prefix(&prefix)?.with_labels(&labels)?;
        Ok(NativeProcessFigure { figure, prefix: prefix.clone(), collector: Arc::new(collector) })
    };
    let available = ProcessFigure::ALL.into_iter().filter(|figure| wanted(figure) && figure.is_available());
    available.map(|figure| make(figure).map_err(refused)).collect()
}

#[napi]
impl NativeRegistry {
    /// Adds a metric of the process and returns its id in this registry.
    #[napi(catch_unwind)]
    pub fn add_process_figure(&self, figure: &NativeProcessFigure) -> Result<u32> {
        self.target.registry().register_named_collector(Arc::clone(&figure.collector) as _).map_err(refused)
    }
}
