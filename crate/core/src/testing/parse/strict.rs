//! Refuses invalid expositions that Python's parsers accept but Prometheus refuses or misreads: split families,
//! repeated series, incomplete histograms. In OpenMetrics, Python's parser accepts only repeated series.

use std::collections::{HashMap, HashSet};

use super::dialect::Dialect;
use super::exposition::parse;
use super::fault::{Fault, ParseError, Parsed, shown};
use super::line::{Line, key};
use super::names::{self, comment_name};
use super::parsed::{ParsedFamily, ParsedSample};
use super::scan::{is_plain_name, split_comment};
use super::text::{self, SPACES};
use super::{counted, openmetrics_line};

/// Parses an exposition like [`parse`], and refuses more. In text:
///
/// - a last line without a line feed, carriage returns at the end of lines, unknown escapes;
/// - names that need quotes (not in version 1.0.0), types that text does not have, fractions of milliseconds, exemplars, words between value
///   and timestamp;
/// - a second HELP or TYPE, a TYPE after its samples, the samples of a family in two places;
/// - buckets that are not cumulative or do not end in `+Inf`, a count that differs from the last bucket, negative
///   counters.
///
/// In text and OpenMetrics 1.0: a series that appears twice at the same time. The parser of OpenMetrics 2.0 is strict
/// itself.
///
/// ```
/// use prometheus_metrics::testing::{Dialect, parse, parse_strict};
///
/// let twice = "a 1\na 2\n";
/// assert!(parse(twice, Dialect::Text).is_ok());
/// assert_eq!(parse_strict(twice, Dialect::Text).unwrap_err().line, 2);
/// ```
///
/// # Errors
///
/// For the first part of the text that [`parse`] refuses, or else for the first part that only this function refuses.
pub fn parse_strict(text: &str, dialect: Dialect) -> Result<Vec<ParsedFamily>, ParseError> {
    let families = parse(text, dialect)?;
    if dialect == Dialect::OpenMetrics2 {
        return Ok(families);
    }
    let mut walk =
        Walk { dialect, number: 0, current: None, families: HashMap::new(), series: HashSet::new() };
    for (index, line) in text.split_inclusive('\n').enumerate() {
        walk.number = index + 1;
        walk.line(line).map_err(|fault| fault.on(index + 1, line))?;
    }
    walk.end_family().map_err(|fault| fault.on(walk.number, ""))?;
    Ok(families)
}

struct Walk {
    dialect: Dialect,
    number: usize,
    current: Option<String>,
    families: HashMap<String, SeenFamily>,
    series: HashSet<Vec<u8>>,
}

/// The lines of a family so far.
#[derive(Default)]
struct SeenFamily {
    kind: Option<String>,
    has_help: bool,
    has_samples: bool,
    is_over: bool,
    /// The samples, if it is a histogram.
    lines: Vec<(usize, Line)>,
}

impl Walk {
    fn line<'a>(&mut self, whole: &'a str) -> Parsed<'a, ()> {
        let is_text = self.dialect != Dialect::OpenMetrics;
        let line = match whole.strip_suffix('\n') {
            Some(line) => line,
            None if is_text => {
                return Err(Fault::new(&whole[whole.len()..], "Expected a line feed after the last line"));
            }
            None => whole,
        };
        // A carriage return is allowed in HELP and in quotes.
        if line.ends_with('\r') && !line.starts_with('#') {
            return Err(Fault::expected("a line that ends with a line feed only", &line[line.len() - 1..]));
        }
        match line.trim_start_matches([' ', '\t']) {
            "" => Ok(()),
            comment if comment.starts_with('#') => {
                if is_text {
                    self.comment(comment)
                } else {
                    Ok(())
                }
            }
            sample if is_text => self.sample(sample),
            // Lines of native histograms cannot be parsed here and are not checked.
            sample => openmetrics_line::sample(sample).map_or(Ok(()), |line| self.enter_once(&line, sample)),
        }
    }

    fn comment<'a>(&mut self, comment: &'a str) -> Parsed<'a, ()> {
        let parts = split_comment(comment, SPACES);
        let (Some(&word @ ("HELP" | "TYPE")), Some(&candidate)) = (parts.get(1), parts.get(2)) else {
            return Ok(());
        };
        let name = comment_name(candidate)?;
        self.check_name(&name, candidate)?;
        check_escapes(parts.get(3).copied().unwrap_or_default(), &['\\', 'n'])?;
        let seen = self.family(&name, candidate)?;
        let again = match word {
            "HELP" => std::mem::replace(&mut seen.has_help, true),
            _ => seen.kind.replace(parts.get(3).copied().unwrap_or_default().to_owned()).is_some(),
        };
        if again {
            return Err(Fault::expected(&format!("one {word} for each metric"), comment));
        }
        if word == "TYPE" && seen.has_samples {
            return Err(Fault::expected("a type before the samples", comment));
        }
        match parts.get(3) {
            Some(&kind) if word == "TYPE" && !KINDS.contains(&kind) => Err(Fault::expected(
                "a type of the text format (counter, gauge, histogram, summary, untyped)",
                kind,
            )),
            _ => Ok(()),
        }
    }

    fn sample<'a>(&mut self, text: &'a str) -> Parsed<'a, ()> {
        let line = text::sample(text)?;
        let sample = &line.sample;
        self.check_name(&sample.name, text)?;
        check_words(text)?;
        check_escapes(text, &['\\', 'n', '"'])?;
        for (label, _) in &sample.labels {
            if self.dialect == Dialect::Text && (!is_plain_name(label) || label.contains([':', '\n'])) {
                return Err(Fault::new(
                    text,
                    format!("Expected a plain label name but received {}", shown(label)),
                ));
            }
        }
        self.enter_once(&line, text)?;
        let number = self.number;
        let family = self.family_of(sample);
        let seen = self.family(&family, text)?;
        seen.has_samples = true;
        match seen.kind.as_deref() {
            Some("counter") if sample.value < 0.0 || sample.value.is_nan() => {
                let message = format!("Expected a counter of at least 0 but received {}", sample.value);
                return Err(Fault::new(text, message));
            }
            Some("histogram") if sample.name == family => {
                return Err(Fault::expected("a histogram's sample with _bucket, _sum or _count", text));
            }
            Some("histogram") => seen.lines.push((number, line)),
            _ => {}
        }
        Ok(())
    }

    /// The family that a sample's name belongs to.
    fn family_of(&self, sample: &ParsedSample) -> String {
        let name = &*sample.name;
        for suffix in ["_bucket", "_count", "_sum"] {
            let base = name.strip_suffix(suffix).unwrap_or_default();
            let kind = self.families.get(base).and_then(|seen| seen.kind.as_deref());
            if kind == Some("histogram") || (kind == Some("summary") && suffix != "_bucket") {
                return base.to_owned();
            }
        }
        name.to_owned()
    }

    /// Switches to a family. Refuses a family that already has ended.
    fn family<'a>(&mut self, name: &str, at: &'a str) -> Parsed<'a, &mut SeenFamily> {
        if self.current.as_deref() != Some(name) {
            self.end_family()?;
            self.current = Some(name.to_owned());
        }
        let seen = self.families.entry(name.to_owned()).or_default();
        if seen.is_over {
            return Err(Fault::expected("all lines of a metric in one place", at));
        }
        Ok(seen)
    }

    fn end_family(&mut self) -> Parsed<'static, ()> {
        let Some(name) = self.current.take() else { return Ok(()) };
        let Some(seen) = self.families.get_mut(&name) else { return Ok(()) };
        seen.is_over = true;
        counted::check(&name, &std::mem::take(&mut seen.lines), Dialect::Text)
    }

    /// Refuses a name that needs quotes, which version 0.0.4 does not have.
    fn check_name<'a>(&self, name: &str, at: &'a str) -> Parsed<'a, ()> {
        if self.dialect == Dialect::Text1 || (is_plain_name(name) && !name.contains('\n')) {
            return Ok(());
        }
        Err(Fault::new(at, format!("Expected a plain metric name but received {}", shown(name))))
    }

    fn enter_once<'a>(&mut self, line: &Line, text: &'a str) -> Parsed<'a, ()> {
        let mut series = key(&line.sample.name, &line.sample, None);
        if self.dialect == Dialect::OpenMetrics {
            series.push(0xff);
            series.extend(line.sample.timestamp.iter().flat_map(|seconds| seconds.to_be_bytes()));
        }
        if self.series.insert(series) { Ok(()) } else { Err(Fault::expected("each series once", text)) }
    }
}

const KINDS: [&str; 5] = ["counter", "gauge", "histogram", "summary", "untyped"];

/// Checks that a line has a value and optionally a timestamp in whole milliseconds, and nothing else.
fn check_words(line: &str) -> Parsed<'_, ()> {
    let (_, _, rest) = names::split(line)?;
    let mut words = rest.split([' ', '\t']).filter(|word| !word.is_empty());
    let (value, timestamp, more) = (words.next().unwrap_or_default(), words.next(), words.next());
    if !value.is_ascii() {
        return Err(Fault::expected("a value in ASCII", value));
    }
    let is_digits = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(word) = timestamp.filter(|word| !is_digits(word.strip_prefix('-').unwrap_or(word))) {
        return Err(Fault::expected("a timestamp in whole milliseconds", word));
    }
    more.map_or(Ok(()), |more| Err(Fault::expected("the end of the line after a timestamp", more)))
}

/// Checks that each backslash stands before one of these characters.
fn check_escapes<'a>(text: &'a str, escaped: &[char]) -> Parsed<'a, ()> {
    let mut rest = text;
    while let Some(position) = rest.find('\\') {
        let mut after = rest[position + 1..].chars();
        if !after.next().is_some_and(|character| escaped.contains(&character)) {
            return Err(Fault::expected("a known escape", &rest[position..]));
        }
        rest = after.as_str();
    }
    Ok(())
}
