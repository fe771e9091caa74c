//! The text formats of expositions, and how a text shows its format.

/// A format of expositions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// The text format, version 0.0.4.
    Text,
    /// The text format, version 1.0.0, which has quoted names.
    Text1,
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// OpenMetrics 2.0, as its release candidate describes it.
    OpenMetrics2,
}

impl Dialect {
    /// The format of a text: OpenMetrics 1.0 if its last line is `# EOF`, otherwise text 0.0.4. The others have
    /// to be named: many of their texts are valid in these too.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let last = text.strip_suffix('\n').unwrap_or(text).rsplit('\n').next();
        if last == Some("# EOF") { Self::OpenMetrics } else { Self::Text }
    }
}
