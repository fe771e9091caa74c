//! Parses OpenMetrics 1.0 like Python's parser: reads families and checks their samples. `openmetrics_line.rs` parses
//! one line.

use std::collections::HashSet;

use super::dialect::Dialect;
use super::fault::{Fault, ParseError, Parsed, column, shown};
use super::groups::Groups;
use super::line::{Line, tail};
use super::names::comment_name;
use super::number::{self, Number};
use super::openmetrics_line::sample;
use super::parsed::{FamilyKind, ParsedFamily, ParsedSample};
use super::scan::{split_comment, unescape};
use super::{counted, native_histogram};

/// Parses all lines.
pub(super) fn families(text: &str) -> Result<Vec<ParsedFamily>, ParseError> {
    let mut reader = Reader::default();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let line = line.strip_suffix('\n').unwrap_or(line);
        reader.number = index + 1;
        reader.line(line).map_err(|fault| fault.on(index + 1, line))?;
    }
    reader.end().map_err(|fault| fault.on(reader.number, ""))?;
    if !reader.is_ended {
        let column = text.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let line = text.split('\n').count();
        return Err(ParseError { line, column, message: "Expected # EOF as the last line".into() });
    }
    Ok(reader.families)
}

#[derive(Default)]
struct Reader {
    families: Vec<ParsedFamily>,
    /// The names that families and their samples already have.
    taken: HashSet<String>,
    open: Option<OpenFamily>,
    /// The number of the current line.
    number: usize,
    is_ended: bool,
}

/// A word of a comment and its position.
struct Word {
    text: String,
    line: usize,
    column: usize,
}

impl Word {
    fn refuse(&self, message: String) -> Fault<'static> {
        Fault::Earlier(ParseError { line: self.line, column: self.column, message })
    }
}

/// The current family.
struct OpenFamily {
    name: Word,
    help: Option<String>,
    kind: Option<Word>,
    unit: Option<Word>,
    lines: Vec<(usize, Line)>,
    /// The names of samples that belong to the family.
    allowed: Vec<String>,
    groups: Groups,
}

impl OpenFamily {
    fn new(name: Word, sample_name: String) -> Self {
        Self {
            name,
            help: None,
            kind: None,
            unit: None,
            lines: Vec::new(),
            allowed: vec![sample_name],
            groups: Groups::default(),
        }
    }

    fn kind(&self) -> &str {
        self.kind.as_ref().map_or("", |kind| &kind.text)
    }
}

impl Reader {
    fn line<'a>(&mut self, line: &'a str) -> Parsed<'a, ()> {
        if self.is_ended {
            return Err(Fault::expected("the end of the text after # EOF", line));
        }
        if line.is_empty() {
            return Err(Fault::new(line, "Expected a sample or a comment but received an empty line"));
        }
        if line == "# EOF" {
            self.is_ended = true;
            return Ok(());
        }
        if line.starts_with('#') { self.comment(line) } else { self.add(line) }
    }

    fn comment<'a>(&mut self, line: &'a str) -> Parsed<'a, ()> {
        let parts = split_comment(line, b" ");
        let &[_, word, candidate, rest] = parts.as_slice() else {
            return Err(Fault::expected("# HELP, # TYPE or # UNIT with a name and a text, or # EOF", line));
        };
        let name = comment_name(candidate)?;
        let number = self.number;
        let place = |part: &str| Word { text: part.to_owned(), line: number, column: column(part, line) };
        let is_same = self.open.as_ref().is_some_and(|open| open.name.text == name);
        if !is_same {
            self.end()?;
            let word = Word { text: name.to_string(), ..place(candidate) };
            self.open = Some(OpenFamily::new(word, name.into_owned()));
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        if !open.lines.is_empty() {
            return Err(Fault::expected("HELP, TYPE and UNIT before the samples of a metric", line));
        }
        let is_first = match word {
            "HELP" => open.help.replace(unescape(rest, true).into_owned()).is_none(),
            "UNIT" => open.unit.replace(place(rest)).is_none(),
            "TYPE" => {
                if rest == "untyped" {
                    return Err(Fault::expected("a type of OpenMetrics", rest));
                }
                let suffixes = suffixes(rest).unwrap_or(&[""]);
                open.allowed = suffixes.iter().map(|suffix| format!("{}{suffix}", open.name.text)).collect();
                open.kind.replace(place(rest)).is_none()
            }
            _ => return Err(Fault::expected("HELP, TYPE or UNIT", word)),
        };
        if is_first { Ok(()) } else { Err(Fault::expected(&format!("one {word} for each metric"), line)) }
    }

    fn add<'a>(&mut self, text: &'a str) -> Parsed<'a, ()> {
        let mut line = None;
        if self.open.as_ref().is_some_and(|open| open.kind() == "histogram") {
            line = native_histogram::sample(text)?;
        }
        let line = match line {
            Some(line) => line,
            None => sample(text)?,
        };
        let is_native = line.number.is_none();
        let belongs = |open: &OpenFamily| is_native || open.allowed.contains(&line.sample.name);
        if !self.open.as_ref().is_some_and(belongs) {
            self.end()?;
            let name = comment_name(&line.sample.name)
                .map_err(|_| Fault::expected("a metric name", text))?
                .into_owned();
            let name = Word { text: name, line: self.number, column: 1 };
            let mut open = OpenFamily::new(name, line.sample.name.clone());
            open.kind = Some(Word { text: "unknown".into(), line: self.number, column: 1 });
            self.open = Some(open);
        }
        match &mut self.open {
            Some(open) => open.add(line, text, self.number),
            None => Ok(()),
        }
    }

    /// Ends the current family.
    fn end(&mut self) -> Parsed<'static, ()> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let OpenFamily { name, help, kind, unit, lines, .. } = open;
        let word = kind.as_ref().map_or("unknown", |kind| &kind.text);
        self.take_names(&name, word)?;
        let Some(kind) = FamilyKind::from_word(word) else {
            let message = format!("Expected a type of metric but received {}", shown(word));
            return Err(kind.as_ref().unwrap_or(&name).refuse(message));
        };
        if let Some(unit) = unit.as_ref().filter(|unit| !unit.text.is_empty()) {
            if !name.text.strip_suffix(&*unit.text).is_some_and(|rest| rest.ends_with('_')) {
                let message = format!(
                    "Expected the unit at the end of {} but received {}",
                    shown(&name.text),
                    shown(&unit.text)
                );
                return Err(unit.refuse(message));
            }
            if matches!(kind, FamilyKind::Info | FamilyKind::StateSet) {
                return Err(unit.refuse(format!(
                    "Expected no unit of {} {}",
                    kind.word(),
                    shown(&name.text)
                )));
            }
        }
        if matches!(kind, FamilyKind::Histogram | FamilyKind::GaugeHistogram) {
            counted::check(&name.text, &lines, Dialect::OpenMetrics)?;
        }
        if name.text.is_empty() {
            return Err(name.refuse("Expected a metric name but received an empty one".into()));
        }
        self.families.push(ParsedFamily {
            name: name.text,
            kind,
            help: help.unwrap_or_default(),
            unit: unit.map_or(String::new(), |unit| unit.text),
            samples: lines.into_iter().map(|(_, line)| line.sample).collect(),
        });
        Ok(())
    }

    /// Refuses a family whose samples would have the name of another family's samples.
    fn take_names(&mut self, name: &Word, kind: &str) -> Parsed<'static, ()> {
        let mut names: Vec<&str> = suffixes(kind).unwrap_or_default().to_vec();
        if !names.contains(&"") {
            names.push("");
        }
        for suffix in names {
            let taken = format!("{}{suffix}", name.text);
            if self.taken.contains(&taken) {
                return Err(
                    name.refuse(format!("Expected {} in one place but received it again", shown(&taken)))
                );
            }
            self.taken.insert(taken);
        }
        Ok(())
    }
}

/// The suffixes of a type's sample names.
fn suffixes(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "counter" => &["_total", "_created"],
        "summary" => &["", "_count", "_sum", "_created"],
        "histogram" => &["_count", "_sum", "_bucket", "_created"],
        "gaugehistogram" => &["_gcount", "_gsum", "_bucket"],
        "info" => &["_info"],
        _ => return None,
    })
}

impl OpenFamily {
    fn add<'a>(&mut self, line: Line, text: &'a str, number: usize) -> Parsed<'a, ()> {
        let tail = tail(&line.sample.name, &self.name.text).to_owned();
        let Some(value) = &line.number else {
            if COUNTED.contains(&&*tail) || tail == "_gsum" {
                return Err(Fault::expected("a native histogram's name without a suffix", text));
            }
            self.lines.push((number, line));
            return Ok(());
        };
        self.check_thresholds(&line.sample, value, text)?;
        let kind = self.kind.as_ref().map_or("", |kind| &kind.text);
        let is_new = self.groups.enter(&line, &self.name.text, kind, text)?;
        self.check_value(&line.sample, value, &tail, text)?;
        if is_new {
            self.lines.push((number, line));
        }
        Ok(())
    }

    fn is_named(&self, sample: &ParsedSample, suffix: &str) -> bool {
        sample.name.strip_prefix(&*self.name.text) == Some(suffix)
    }

    fn check_thresholds<'a>(&self, sample: &ParsedSample, value: &Number, text: &'a str) -> Parsed<'a, ()> {
        let name = &*self.name.text;
        if self.kind() == "stateset" && sample.label(name).is_none() {
            return Err(Fault::new(text, format!("Expected the label {} of a stateset", shown(name))));
        }
        let is_bucket = self.is_named(sample, "_bucket");
        if is_bucket && !sample.label("le").is_some_and(|le| le != "NaN" && is_canonical(le)) {
            let le = sample.label("le").unwrap_or_default();
            return Err(Fault::new(
                text,
                format!("Expected a bucket's le as a number but received {}", shown(le)),
            ));
        }
        let is_count = self.is_named(sample, "_count") || self.is_named(sample, "_gcount");
        if (is_bucket || is_count) && !value.is_integer() {
            return Err(Fault::new(text, format!("Expected a whole number but received {}", value.value)));
        }
        if self.kind() == "summary" && sample.name == name {
            let quantile = sample.label("quantile").unwrap_or_default();
            let is_share = |&share: &f64| (0.0..=1.0).contains(&share);
            if number::float(quantile).filter(is_share).is_none() {
                let message = format!("Expected a quantile from 0 to 1 but received {}", shown(quantile));
                return Err(Fault::new(text, message));
            }
        }
        Ok(())
    }

    fn check_value<'a>(
        &self,
        sample: &ParsedSample,
        value: &Number,
        tail: &str,
        text: &'a str,
    ) -> Parsed<'a, ()> {
        let kind = self.kind();
        let refuse = |what: &str| {
            Err(Fault::new(
                text,
                format!("Expected {what} in {} but received {}", shown(&sample.name), value.value),
            ))
        };
        match kind {
            "stateset" if value.value != 0.0 && value.value != 1.0 => return refuse("0 or 1"),
            "info" if value.value != 1.0 => return refuse("1"),
            "summary" if sample.name == self.name.text && value.value < 0.0 => {
                return refuse("no negative quantile");
            }
            _ => {}
        }
        let is_counted = COUNTED.contains(&tail);
        if (is_counted || tail == "_gsum") && (value.value.is_nan() || value.is_too_large()) {
            return refuse("a number in the range of a double");
        }
        if is_counted && value.value < 0.0 {
            return refuse("no negative number");
        }
        let may_have_exemplar = match kind {
            "histogram" | "gaugehistogram" => sample.name.ends_with("_bucket"),
            "counter" => sample.name.ends_with("_total"),
            _ => false,
        };
        if sample.exemplar.is_some() && !may_have_exemplar {
            return Err(Fault::new(text, "Expected an exemplar only of a counter or a bucket"));
        }
        Ok(())
    }
}

/// The suffixes of samples that count something, so that they are never negative.
const COUNTED: [&str; 5] = ["_total", "_sum", "_count", "_bucket", "_gcount"];

/// Whether a text is a number; infinity must be written `+Inf`.
fn is_canonical(text: &str) -> bool {
    number::float(text).is_some_and(|number| number != f64::INFINITY || text == "+Inf")
}
