//! The parts of an exposition as the parsers return them. It must not know the formats.

/// The type of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
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
    /// `unknown`, `untyped`, or without TYPE.
    Unknown,
}

impl FamilyKind {
    /// Its name in TYPE; `unknown` for `untyped` too.
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

/// A family and its samples. In text each sample without TYPE and HELP is a family of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedFamily {
    /// The name in TYPE and HELP; without them the sample's name. In OpenMetrics 2.0 and protobuf counters and infos have
    /// their suffix in it.
    pub name: String,
    /// Its type.
    pub kind: FamilyKind,
    /// The help text, unescaped; empty if it is missing.
    pub help: String,
    /// The unit; empty if it is missing, and always in text.
    pub unit: String,
    /// The samples in the order of the text.
    pub samples: Vec<ParsedSample>,
}

/// One sample.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedSample {
    /// The whole name, including the suffix.
    pub name: String,
    /// Names and values in the order of the text, unescaped; values can be empty.
    pub labels: Vec<(String, String)>,
    /// The value; NaN if there is a native histogram.
    pub value: f64,
    /// Seconds since the epoch, in every format.
    pub timestamp: Option<f64>,
    /// When the series began, in seconds since the epoch; only in OpenMetrics 2.0 and protobuf.
    pub start: Option<f64>,
    /// The exemplar; not in text.
    pub exemplar: Option<Box<ParsedExemplar>>,
    /// A native histogram in place of the value: in OpenMetrics 2.0, in protobuf, and in the early notation of Python's
    /// parser of OpenMetrics.
    pub native_histogram: Option<Box<ParsedNativeHistogram>>,
}

impl ParsedSample {
    /// The value of a label: `None` if it is missing, `Some("")` if it is empty.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(label, _)| label == name).map(|(_, value)| value.as_str())
    }
}

/// An exemplar.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedExemplar {
    /// Names and values in the order of the text, unescaped.
    pub labels: Vec<(String, String)>,
    /// The value.
    pub value: f64,
    /// Seconds since the epoch.
    pub timestamp: Option<f64>,
}

/// A native histogram. Its integers are doubles here.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedNativeHistogram {
    /// Number of observations.
    pub count: f64,
    /// Their sum.
    pub sum: f64,
    /// The resolution of its buckets.
    pub schema: f64,
    /// The zero bucket has the observations whose distance from zero is less than this.
    pub zero_threshold: f64,
    /// Observations in the zero bucket.
    pub zero_count: f64,
    /// Offsets and lengths of runs of buckets for positive values.
    pub positive_spans: Vec<(f64, f64)>,
    /// Offsets and lengths of runs of buckets for negative values.
    pub negative_spans: Vec<(f64, f64)>,
    /// The difference of each bucket for positive values to the bucket before it.
    pub positive_deltas: Vec<f64>,
    /// The difference of each bucket for negative values to the bucket before it.
    pub negative_deltas: Vec<f64>,
}
