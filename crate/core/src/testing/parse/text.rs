//! Parses text 0.0.4 like Python's lenient parser.

use std::borrow::Cow;

use super::fault::{Fault, ParseError, Parsed, column, shown};
use super::labels::Labels;
use super::line::Line;
use super::names::{comment_name, split};
use super::number::Number;
use super::parsed::{FamilyKind, ParsedFamily, ParsedSample};
use super::scan::{split_comment, strip, strip_start, unescape};

/// ASCII white space, which separates the words of a comment.
pub(super) const SPACES: &[u8; 6] = b" \t\n\r\x0b\x0c";
/// Parses all lines.
pub(super) fn families(text: &str) -> Result<Vec<ParsedFamily>, ParseError> {
    let mut reader = Reader::default();
    for (index, line) in text.split('\n').enumerate() {
        reader.number = index + 1;
        reader.line(line).map_err(|fault| fault.on(index + 1, line))?;
    }
    reader.end().map_err(|fault| fault.on(reader.number, ""))?;
    Ok(reader.families)
}

/// The finished families and the current one. The current name is empty between families.
#[derive(Default)]
struct Reader {
    families: Vec<ParsedFamily>,
    /// The number of the current line.
    number: usize,
    name: String,
    help: String,
    kind: Option<Kind>,
    samples: Vec<ParsedSample>,
    /// The names of samples that belong to the family.
    allowed: Vec<String>,
}

impl Reader {
    fn line<'a>(&mut self, line: &'a str) -> Parsed<'a, ()> {
        let stripped = strip(line);
        if stripped.starts_with('#') {
            self.comment(stripped, line)
        } else if stripped.is_empty() {
            Ok(())
        } else {
            self.add(sample(stripped)?.sample, stripped)
        }
    }

    fn comment<'a>(&mut self, comment: &'a str, line: &str) -> Parsed<'a, ()> {
        let parts = split_comment(comment, SPACES);
        let (Some(&word), candidate, rest) = (parts.get(1), parts.get(2), parts.get(3).copied()) else {
            return Ok(());
        };
        if word != "HELP" && word != "TYPE" {
            return Ok(());
        }
        let name = match candidate {
            Some(candidate) => comment_name(candidate)?,
            None => Cow::Borrowed(""),
        };
        match (word, rest) {
            ("HELP", help) => {
                if name != self.name {
                    self.begin(name.into_owned())?;
                    self.allowed.push(self.name.clone());
                }
                self.help = unescape(help.unwrap_or_default(), false).into_owned();
            }
            (_, Some(kind)) => {
                if name != self.name {
                    self.begin(name.into_owned())?;
                }
                self.allowed = suffixes(kind).iter().map(|suffix| format!("{}{suffix}", self.name)).collect();
                self.kind =
                    Some(Kind { word: kind.to_owned(), line: self.number, column: column(kind, line) });
            }
            (_, None) => {
                return Err(Fault::new(&comment[comment.len()..], "Expected a name and a type after TYPE"));
            }
        }
        Ok(())
    }

    fn add<'a>(&mut self, sample: ParsedSample, line: &'a str) -> Parsed<'a, ()> {
        if self.allowed.contains(&sample.name) {
            self.samples.push(sample);
            return Ok(());
        }
        self.begin(String::new())?;
        if sample.name.is_empty() {
            return Err(Fault::new(line, "Expected a metric name but received an empty one"));
        }
        self.families.push(ParsedFamily {
            name: sample.name.clone(),
            kind: FamilyKind::Unknown,
            help: String::new(),
            unit: String::new(),
            samples: vec![sample],
        });
        Ok(())
    }

    /// Ends the current family and starts another.
    fn begin(&mut self, name: String) -> Parsed<'static, ()> {
        self.end()?;
        self.name = name;
        Ok(())
    }

    fn end(&mut self) -> Parsed<'static, ()> {
        let name = std::mem::take(&mut self.name);
        let help = std::mem::take(&mut self.help);
        let samples = std::mem::take(&mut self.samples);
        let kind = self.kind.take();
        self.allowed.clear();
        if name.is_empty() {
            return Ok(());
        }
        let kind = match kind {
            Some(kind) => kind.checked(&name)?,
            None => FamilyKind::Unknown,
        };
        self.families.push(ParsedFamily { name, kind, help, unit: String::new(), samples });
        Ok(())
    }
}

/// The word in TYPE and its position. It is checked at the end of the family, because a later TYPE can replace it.
struct Kind {
    word: String,
    line: usize,
    column: usize,
}

impl Kind {
    fn checked(self, name: &str) -> Parsed<'static, FamilyKind> {
        let message = match FamilyKind::from_word(&self.word) {
            // Python removes `_total`, which leaves an empty name.
            Some(FamilyKind::Counter) if name == "_total" => {
                "Expected a counter's name before \"_total\" but received nothing".to_owned()
            }
            Some(kind) => return Ok(kind),
            None => format!("Expected a type of metric but received {}", shown(&self.word)),
        };
        Err(Fault::Earlier(ParseError { line: self.line, column: self.column, message }))
    }
}

fn suffixes(kind: &str) -> &'static [&'static str] {
    match kind {
        "summary" => &["", "_count", "_sum"],
        "histogram" => &["_bucket", "_count", "_sum"],
        _ => &[""],
    }
}

/// Parses a sample line.
pub(super) fn sample(line: &str) -> Parsed<'_, Line> {
    let (name, labels, rest) = split(line)?;
    with_value(name, labels, rest)
}

/// The first word is the value and the last one the timestamp. Like Python, it ignores words between them.
fn with_value(name: String, labels: Labels, text: &str) -> Parsed<'_, Line> {
    let text = strip_start(text);
    let separator = if text.contains(' ') { ' ' } else { '\t' };
    let mut words = text.split(separator).map(strip).filter(|word| !word.is_empty());
    let Some(first) = words.next() else { return Err(Fault::expected("a value", text)) };
    let number = Number::read(first).ok_or_else(|| Fault::expected("a value", first))?;
    let timestamp = match words.next_back() {
        None => None,
        Some(word) => Some(
            Number::milliseconds(word).ok_or_else(|| Fault::expected("a timestamp in milliseconds", word))?,
        ),
    };
    let sample = ParsedSample {
        name,
        labels,
        value: number.value,
        timestamp,
        start: None,
        exemplar: None,
        native_histogram: None,
    };
    Ok(Line { sample, number: Some(number), stamp: None, is_bare: false })
}
