//! The parts of an exposition as they were read. Knows neither format.

/// The type of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FamilyKind {
    /// `counter`
    Counter,
    /// `gauge`
    Gauge,
    /// `histogram`
    Histogram,
    /// `gaugehistogram`
    GaugeHistogram,
    /// `summary`
    Summary,
    /// `info`
    Info,
    /// `stateset`
    StateSet,
    /// `unknown`, `untyped`, or no TYPE at all.
    Unknown,
}

impl FamilyKind {
    /// The word for it, which is the one in TYPE but for `untyped`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::GaugeHistogram => "gaugehistogram",
            Self::Summary => "summary",
            Self::Info => "info",
            Self::StateSet => "stateset",
            Self::Unknown => "unknown",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "counter" => Self::Counter,
            "gauge" => Self::Gauge,
            "histogram" => Self::Histogram,
            "gaugehistogram" => Self::GaugeHistogram,
            "summary" => Self::Summary,
            "info" => Self::Info,
            "stateset" => Self::StateSet,
            "unknown" | "untyped" => Self::Unknown,
            _ => return None,
        })
    }
}

/// A family and its samples. In text each sample that no TYPE or HELP announced is a family of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedFamily {
    /// As TYPE and HELP have it; without them the sample's name.
    pub name: String,
    /// Its type.
    pub kind: FamilyKind,
    /// The help text, unescaped; empty where there is none.
    pub help: String,
    /// The unit; empty where there is none, as in text always.
    pub unit: String,
    /// The samples in their order.
    pub samples: Vec<ParsedSample>,
}

/// One sample.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedSample {
    /// The whole name, suffix included.
    pub name: String,
    /// Names and values as they stand, unescaped; values may be empty.
    pub labels: Vec<(String, String)>,
    /// The value; NaN beside a native histogram.
    pub value: f64,
    /// Seconds since the epoch, in both formats.
    pub timestamp: Option<f64>,
    /// The exemplar, in OpenMetrics.
    pub exemplar: Option<Box<ParsedExemplar>>,
    /// What stands in place of a value: Python's early form of native histograms in OpenMetrics.
    pub native_histogram: Option<Box<ParsedNativeHistogram>>,
}

impl ParsedSample {
    /// The value of a label; an absent one is `None`, an empty one `Some("")`.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(label, _)| label == name).map(|(_, value)| value.as_str())
    }
}

/// An exemplar.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedExemplar {
    /// Names and values as they stand, unescaped.
    pub labels: Vec<(String, String)>,
    /// The value.
    pub value: f64,
    /// Seconds since the epoch.
    pub timestamp: Option<f64>,
}

/// A native histogram. Its integers are given as doubles.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedNativeHistogram {
    /// Number of observations.
    pub count: f64,
    /// Their sum.
    pub sum: f64,
    /// How fine its buckets are.
    pub schema: f64,
    /// Observations nearer to zero than this are in the zero bucket.
    pub zero_threshold: f64,
    /// Observations in the zero bucket.
    pub zero_count: f64,
    /// Offsets and lengths of runs of buckets for positive values.
    pub positive_spans: Vec<(f64, f64)>,
    /// Offsets and lengths of runs of buckets for negative values.
    pub negative_spans: Vec<(f64, f64)>,
    /// What each bucket for positive values has more than the one before.
    pub positive_deltas: Vec<f64>,
    /// What each bucket for negative values has more than the one before.
    pub negative_deltas: Vec<f64>,
}
