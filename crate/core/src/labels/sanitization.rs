//! Cleans label values: limits their length, replaces control characters, and finds personal data and secrets. Runs
//! once for each new series, never when a value is recorded. Knows neither registries nor formats. What makes a label
//! valid is in `validation`.

mod api_keys;
mod card_numbers;
mod characters;
mod detection;
mod findings;
mod patterns;
mod timestamps;
mod uuids;
mod words;

pub use characters::{Compose, ControlPolicy, UnicodePolicy};
pub use findings::{Action, Detections, Finding, FindingKind, Findings};

use super::escaping::is_name;
use super::validation::{LabelName, check_prefix};
use crate::error::{ErrorKind, MetricsError, Result};
use crate::sort::sort_by;
use std::borrow::Cow;
use std::ops::Range;

/// How often a changed text is looked at again. One more look is enough for usual values: the text beside a removed
/// part, or before a cut, may have become something to remove.
const LOOKS_MAX: usize = 8;

/// Bytes that are looked at beyond the longest text that can be kept (4 bytes for each character), so that a secret
/// that begins before the cut is recognised as a whole. Very long tokens are that long: servers accept no longer
/// headers.
const AHEAD_BYTES: usize = 16 * 1024;

/// Bytes before the end of the looked-at text that are not kept: a secret may begin there that is not recognised
/// because its end was not looked at.
const UNSURE_BYTES: usize = 4 * 1024;

/// Settings of a `Sanitizer`. The defaults are for production: they change no value that a service usually sends.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SanitizerConfig {
    /// Characters (code points) that a value may have, including the mark of a cut; `None` for no limit. At least 1.
    /// Default: 128.
    pub max_length: Option<usize>,
    /// How control characters are changed. Default: `Replace`.
    pub control_characters: ControlPolicy,
    /// How characters outside ASCII are changed. Default: `Keep`.
    pub unicode: UnicodePolicy,
    /// Prefixes that label names may not have. Default: `__`, which Prometheus reserves.
    pub reserved_prefixes: Vec<String>,
    /// The action for each kind of content that should not be in a label. Default: see `Detections`.
    pub detect: Detections,
}

setters!(SanitizerConfig {
    max_length: Option<usize>,
    control_characters: ControlPolicy,
    unicode: UnicodePolicy,
    reserved_prefixes: Vec<String>,
    detect: Detections,
});

impl Default for SanitizerConfig {
    fn default() -> Self {
        Self {
            max_length: Some(128),
            control_characters: ControlPolicy::Replace,
            unicode: UnicodePolicy::Keep,
            reserved_prefixes: vec!["__".to_owned()],
            detect: Detections::default(),
        }
    }
}

/// Cleans label values according to its configuration. The time is linear in the length of every value. Cleaning a
/// cleaned value changes nothing.
///
/// ```
/// use prometheus_metrics::labels::{Sanitizer, SanitizerConfig};
///
/// let sanitizer = Sanitizer::new(SanitizerConfig::default())?;
/// assert_eq!(sanitizer.sanitize("/users/ada@example.com").value, "/users/[email]");
/// assert_eq!(sanitizer.sanitize("/v1/chat/completions").value, "/v1/chat/completions");
/// # Ok::<(), prometheus_metrics::MetricsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Sanitizer {
    config: SanitizerConfig,
    compose: Compose,
}

/// A cleaned label value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sanitized<'a> {
    /// The value to record: borrowed if nothing was changed, empty if the label is dropped.
    pub value: Cow<'a, str>,
    /// What was found, each kind at most once. A kind with `Warn` is still in the value.
    pub findings: Findings,
}

impl Sanitizer {
    /// Checks the configuration.
    ///
    /// # Errors
    /// `InvalidConfig` for a maximum length of 0, and for a reserved prefix with characters that label names cannot
    /// have.
    pub fn new(config: SanitizerConfig) -> Result<Self> {
        Self::composing_by(config, characters::compose)
    }

    /// Checks the configuration, as `new` does. `compose` composes the values for `UnicodePolicy::Nfc` and `Ascii`: a
    /// program that has a function for this needs no other tables of Unicode.
    ///
    /// # Errors
    /// As `new`.
    pub fn composing_by(config: SanitizerConfig, compose: Compose) -> Result<Self> {
        let invalid = |message: String| Err(MetricsError::new(ErrorKind::InvalidConfig, message));
        if config.max_length == Some(0) {
            return invalid(
                "Expected at least 1 for the maximum length of label values but received 0".to_owned(),
            );
        }
        match config.reserved_prefixes.iter().find(|prefix| !is_name(prefix, false)) {
            Some(prefix) => invalid(format!(
                "Expected [a-zA-Z_][a-zA-Z0-9_]* for a reserved prefix of label names but received \"{prefix}\""
            )),
            None => Ok(Self { config, compose }),
        }
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &SanitizerConfig {
        &self.config
    }

    /// Checks a label name against the reserved prefixes.
    ///
    /// # Errors
    /// `InvalidLabelName` for a name that begins with one.
    pub fn check_name(&self, name: &LabelName) -> Result<()> {
        self.config.reserved_prefixes.iter().try_for_each(|prefix| check_prefix(name, prefix))
    }

    /// Cleans a value: control characters first, then characters outside ASCII, then content that should not be there,
    /// then the length. In this order removed characters cannot hide content, and a cut leaves no half of a secret.
    /// Allocates nothing if nothing is changed.
    #[must_use]
    pub fn sanitize<'a>(&self, value: &'a str) -> Sanitized<'a> {
        let seen = self.in_sight(value);
        let mut text =
            characters::clean(seen, self.config.control_characters, self.config.unicode, self.compose);
        let mut sure = (seen.len() < value.len()).then(|| text.len().saturating_sub(UNSURE_BYTES));
        let mut findings = Findings::default();
        for _ in 0..LOOKS_MAX {
            let look = self.look(&text);
            findings.add(look.changing);
            if look.changing.any(Action::Drop) {
                return Sanitized { value: Cow::Borrowed(""), findings };
            }
            if look.hidden.is_empty() && sure.is_none() && self.fits(&text) {
                findings.add(look.warned);
                return Sanitized { value: text, findings };
            }
            text = Cow::Owned(self.rewritten(&text, &look.hidden, sure.take()));
        }
        // The value was made so that it becomes something else at each look: no part of it is worth showing.
        Sanitized { value: Cow::Borrowed(self.mark()), findings }
    }

    /// The beginning of the value that can affect the result: all of it if there is no maximum length.
    fn in_sight<'a>(&self, value: &'a str) -> &'a str {
        let bytes_max = self
            .config
            .max_length
            .map_or(usize::MAX, |max| max.saturating_mul(4).saturating_add(AHEAD_BYTES));
        &value[..floor_char_boundary(value, bytes_max)]
    }

    fn fits(&self, text: &str) -> bool {
        self.config.max_length.is_none_or(|max| text.len() <= max || text.chars().nth(max).is_none())
    }

    fn mark(&self) -> &'static str {
        characters::mark(self.config.unicode, self.config.max_length.unwrap_or(usize::MAX))
    }

    fn look(&self, text: &str) -> Look {
        let mut look = Look::default();
        detection::find(text, &self.config.detect, |kind, action, part| match action {
            Action::Keep | Action::Warn => look.warned.note(kind, action),
            Action::Drop => look.changing.note(kind, action),
            Action::Redact => {
                look.changing.note(kind, action);
                look.hidden.push(Hidden { part, kind });
            }
        });
        look.hidden = united(look.hidden);
        look
    }

    /// The text with placeholders for the hidden parts, cut where it is too long, or at byte `sure` if its end was not
    /// looked at.
    fn rewritten(&self, text: &str, hidden: &[Hidden], sure: Option<usize>) -> String {
        let end = floor_char_boundary(text, sure.unwrap_or(text.len()));
        let mut out = String::with_capacity(end);
        let mut from = 0;
        for Hidden { part, kind } in hidden.iter().take_while(|hidden| hidden.part.start < end) {
            out.push_str(&text[from..part.start]);
            out.push_str(kind.placeholder());
            from = part.end;
        }
        out.push_str(&text[from..end.max(from)]);
        if sure.is_some() || !self.fits(&out) {
            characters::cut(&mut out, self.config.max_length.unwrap_or(usize::MAX), self.mark());
        }
        out
    }
}

/// A text for a log line: all kinds of content that the sanitizer finds are replaced by placeholders, control
/// characters are replaced, and at most `max_chars` characters remain, including the mark of a cut.
#[must_use]
pub fn redact_for_log(text: &str, max_chars: usize) -> String {
    if max_chars == 0 {
        return String::new();
    }
    let config = SanitizerConfig {
        max_length: Some(max_chars),
        control_characters: ControlPolicy::Replace,
        unicode: UnicodePolicy::Keep,
        reserved_prefixes: Vec::new(),
        detect: Detections::all(Action::Redact),
    };
    // It keeps characters outside ASCII, so it composes nothing.
    Sanitizer { config, compose: |text| Cow::Borrowed(text) }.sanitize(text).value.into_owned()
}

/// The result of one look at a text.
#[derive(Default)]
struct Look {
    /// Findings to redact or to drop.
    changing: Findings,
    /// Findings to warn of, if the text stays as it is.
    warned: Findings,
    /// The parts to replace by placeholders, ascending and without overlaps.
    hidden: Vec<Hidden>,
}

/// A part of a text to replace, and its kind.
struct Hidden {
    part: Range<usize>,
    kind: FindingKind,
}

/// Joins parts that overlap into one. It gets the kind that is worst to show, so that no half of a secret stays because
/// the other half is also something else.
fn united(mut hidden: Vec<Hidden>) -> Vec<Hidden> {
    sort_by(&mut hidden, |one, next| (one.part.start, one.kind).cmp(&(next.part.start, next.kind)));
    hidden.dedup_by(|next, last| {
        let overlap = next.part.start < last.part.end;
        if overlap {
            last.part.end = last.part.end.max(next.part.end);
            last.kind = last.kind.min(next.kind);
        }
        overlap
    });
    hidden
}

/// The last boundary between characters at or before a byte.
fn floor_char_boundary(text: &str, byte: usize) -> usize {
    let byte = byte.min(text.len());
    (0..=byte).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
