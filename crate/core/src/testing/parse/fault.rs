//! Describes a fault in a text. While a line is parsed, the number of the line is not known, so a [`Fault`] points into
//! the line; then it becomes a [`ParseError`] with line and column.

use std::fmt;

/// Why a text is not a valid exposition, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What was expected and what was received.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

/// A fault.
pub(super) enum Fault<'a> {
    /// In the current line. `at` starts at the column of the fault.
    Here { at: &'a str, message: String },
    /// In an earlier line.
    Earlier(ParseError),
}

pub(super) type Parsed<'a, T> = Result<T, Fault<'a>>;

/// Longer received texts are cut in messages, in characters: a line can have megabytes.
const SHOWN_MAX: usize = 40;

impl<'a> Fault<'a> {
    pub(super) fn new(at: &'a str, message: impl Into<String>) -> Self {
        Self::Here { at, message: message.into() }
    }

    /// `Expected ... but received ...`, with the text at that place.
    pub(super) fn expected(what: &str, at: &'a str) -> Self {
        Self::new(at, format!("Expected {what} but received {}", shown(at)))
    }

    /// Adds line number and column.
    pub(super) fn on(self, number: usize, line: &str) -> ParseError {
        match self {
            Self::Here { at, message } => ParseError { line: number, column: column(at, line), message },
            Self::Earlier(error) => error,
        }
    }
}

/// The column of a part of a line.
pub(super) fn column(part: &str, line: &str) -> usize {
    let offset = (part.as_ptr() as usize).wrapping_sub(line.as_ptr() as usize);
    line.get(..offset).unwrap_or_default().chars().count() + 1
}

/// A text in quotes, cut to a readable length.
pub(super) fn shown(text: &str) -> String {
    if text.is_empty() {
        return "nothing".into();
    }
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}
