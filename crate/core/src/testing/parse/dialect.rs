//! The two formats that are read.

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// The text format, version 0.0.4.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Dialect {
    /// The dialect a text is in: OpenMetrics where its last line is `# EOF`, text otherwise.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let last = text.strip_suffix('\n').unwrap_or(text).rsplit('\n').next();
        if last == Some("# EOF") { Self::OpenMetrics } else { Self::Text }
    }
}
