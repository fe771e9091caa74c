//! Parses OpenMetrics 2.0: one line for each metric. Written from the specification; where Prometheus' parser is more
//! tolerant, this one follows the specification.

use std::collections::HashSet;

use super::fault::{Fault, ParseError, Parsed};
use super::labels::{Labels, labels};
use super::metric::{Composite, Metric, Value, deltas, identity};
use super::names::{comment_name, metric_name};
use super::number::{Number, Stamp};
use super::parsed::{FamilyKind, ParsedExemplar, ParsedFamily, ParsedNativeHistogram};
use super::scan::{is_plain_name, split_comment, unescape, unquoted};

/// Parses all lines.
pub(super) fn families(text: &str) -> Result<Vec<ParsedFamily>, ParseError> {
    let mut reader = Reader::default();
    let mut last = 1;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let line = line.strip_suffix('\n').unwrap_or(line);
        last = index + 1;
        reader.line(line).map_err(|fault| fault.on(last, line))?;
    }
    if !reader.is_ended {
        return Err(ParseError { line: last, column: 1, message: "Expected # EOF as the last line".into() });
    }
    Ok(reader.families)
}

#[derive(Default)]
struct Reader {
    families: Vec<ParsedFamily>,
    /// The words of comments that the current family has.
    comments: Vec<String>,
    names: HashSet<String>,
    /// The label sets of the current family, each with its timestamp.
    seen: HashSet<Vec<u8>>,
    is_ended: bool,
}

impl Reader {
    fn line<'a>(&mut self, line: &'a str) -> Parsed<'a, ()> {
        if self.is_ended {
            return Err(Fault::expected("the end of the text after # EOF", line));
        }
        if line == "# EOF" {
            self.is_ended = true;
            return Ok(());
        }
        if line.starts_with('#') { self.comment(line) } else { self.sample(line) }
    }

    /// The family of this name: the current one, or a new one.
    fn family<'a>(&mut self, name: &str, at: &'a str) -> Parsed<'a, &mut ParsedFamily> {
        if self.families.last().is_none_or(|family| family.name != name) {
            if !self.names.insert(name.to_owned()) {
                return Err(Fault::new(at, format!("Expected {name:?} in one place but received it again")));
            }
            self.comments.clear();
            self.seen.clear();
            self.families.push(ParsedFamily {
                name: name.to_owned(),
                kind: FamilyKind::Unknown,
                help: String::new(),
                unit: String::new(),
                samples: Vec::new(),
            });
        }
        self.families.last_mut().ok_or_else(|| Fault::expected("a metric name", at))
    }

    fn comment<'a>(&mut self, line: &'a str) -> Parsed<'a, ()> {
        let &[_, word, candidate, rest] = &*split_comment(line, b" ") else {
            return Err(Fault::expected("# HELP, # TYPE or # UNIT with a name and a text, or # EOF", line));
        };
        let name = comment_name(candidate)?;
        let family = self.family(&name, candidate)?;
        if !family.samples.is_empty() {
            return Err(Fault::expected("HELP, TYPE and UNIT before the samples of a metric", line));
        }
        match word {
            "HELP" if rest.ends_with('\r') => {
                return Err(Fault::expected("no carriage return at the end", rest));
            }
            "HELP" => family.help = unescape(rest, true).into_owned(),
            "UNIT" => rest.clone_into(&mut family.unit),
            "TYPE" => {
                let kind = FamilyKind::from_word(rest).filter(|_| rest != "untyped");
                family.kind = kind.ok_or_else(|| Fault::expected("a type of OpenMetrics", rest))?;
                if family.kind == FamilyKind::Info && !name.ends_with("_info") {
                    return Err(Fault::expected("a name of an info that ends with _info", candidate));
                }
            }
            _ => return Err(Fault::expected("HELP, TYPE or UNIT", word)),
        }
        if self.comments.iter().any(|known| known == word) {
            return Err(Fault::expected(&format!("one {word} for each metric"), line));
        }
        self.comments.push(word.to_owned());
        Ok(())
    }

    fn sample<'a>(&mut self, line: &'a str) -> Parsed<'a, ()> {
        let (name, labels, rest) = series(line)?;
        let text = rest.strip_prefix(' ').ok_or_else(|| Fault::expected("a space and a value", rest))?;
        let family = self.family(&name, line)?;
        let kind = family.kind;
        let (value, rest) = if text.starts_with('{') { composite(text, kind)? } else { number(text, kind)? };
        let mut metric = Metric { labels, value, ..Metric::default() };
        after_value(rest, &mut metric)?;
        metric.check(kind, &name).map_err(|what| Fault::expected(&what, line))?;
        if matches!(kind, FamilyKind::Info | FamilyKind::StateSet) && !family.unit.is_empty() {
            return Err(Fault::expected(&format!("no UNIT for a {}", kind.word()), line));
        }
        metric.into_samples(&name, kind, &mut family.samples);
        let Some(identity) = family.samples.last().map(identity) else { return Ok(()) };
        if self.seen.insert(identity) { Ok(()) } else { Err(Fault::expected("each label set once", line)) }
    }
}

/// Name, labels, and what follows them.
fn series(line: &str) -> Parsed<'_, (String, Labels, &str)> {
    let end = unquoted(line, 0, b" {").ok_or_else(|| Fault::expected("a metric name and a value", line))?;
    let name = &line[..end];
    if !name.is_empty() && !is_plain_name(name) {
        return Err(Fault::expected("a metric name", line));
    }
    if line.as_bytes()[end] == b' ' {
        return Ok((name.to_owned(), Labels::new(), &line[end..]));
    }
    let (labels, rest) = braces(&line[end..])?;
    let mut labels = labels;
    let name = metric_name(name, &mut labels, line)?;
    Ok((name, labels, rest))
}

/// The labels in braces, and what follows them.
fn braces(text: &str) -> Parsed<'_, (Labels, &str)> {
    let inner = text.strip_prefix('{').ok_or_else(|| Fault::expected("labels in braces", text))?;
    let end = unquoted(inner, 0, b"}")
        .ok_or_else(|| Fault::new(text, "Expected a closing brace after the labels"))?;
    Ok((labels(&inner[..end], true)?, &inner[end + 1..]))
}

fn read(text: &str) -> Parsed<'_, f64> {
    Number::read(text).map(|number| number.value).ok_or_else(|| Fault::expected("a number", text))
}

fn seconds(text: &str) -> Parsed<'_, f64> {
    let stamp = Stamp::read(text).ok_or_else(|| Fault::expected("a timestamp in seconds", text))?;
    Ok(stamp.seconds())
}

/// A number, and what follows it.
fn number(text: &str, kind: FamilyKind) -> Parsed<'_, (Value, &str)> {
    if matches!(kind, FamilyKind::Histogram | FamilyKind::GaugeHistogram | FamilyKind::Summary) {
        return Err(Fault::expected(&format!("a {} in braces", kind.word()), text));
    }
    let end = text.find(' ').unwrap_or(text.len());
    Ok((Value::Number(read(&text[..end])?), &text[end..]))
}

/// `{count:1,sum:2,bucket:[1:1,+Inf:1]}`, and what follows it.
fn composite(text: &str, kind: FamilyKind) -> Parsed<'_, (Value, &str)> {
    let list = match kind {
        FamilyKind::Histogram | FamilyKind::GaugeHistogram => "bucket",
        FamilyKind::Summary => "quantile",
        _ => return Err(Fault::expected(&format!("a number for a {}", kind.word()), text)),
    };
    let end = text.find('}').ok_or_else(|| Fault::new(text, "Expected a closing brace after the value"))?;
    let fields = fields(&text[1..end])?;
    let field = |name: &str| fields.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    let needed = |name: &str| field(name).ok_or_else(|| Fault::new(text, format!("Expected {name}")));
    let count = read(needed("count")?)?;
    let sum = read(needed("sum")?)?;
    let pairs = field(list).map(|text| items(Some(text), pair)).transpose()?;
    let native = match field("schema") {
        Some(schema) if list == "bucket" => Some(ParsedNativeHistogram {
            count,
            sum,
            schema: read(schema)?,
            zero_threshold: read(needed("zero_threshold")?)?,
            zero_count: read(needed("zero_count")?)?,
            positive_spans: items(field("positive_spans"), pair)?,
            negative_spans: items(field("negative_spans"), pair)?,
            positive_deltas: deltas(&items(field("positive_buckets"), read)?),
            negative_deltas: deltas(&items(field("negative_buckets"), read)?),
        }),
        _ => None,
    };
    if native.is_none() {
        needed(list)?;
    }
    Ok((Value::Composite(Composite { count, sum, pairs, native }), &text[end + 1..]))
}

/// The names of fields.
const FIELDS: [&str; 11] = [
    "count",
    "sum",
    "schema",
    "zero_threshold",
    "zero_count",
    "negative_spans",
    "negative_buckets",
    "positive_spans",
    "positive_buckets",
    "bucket",
    "quantile",
];

/// Splits `name:value,name:[value,value]`.
fn fields(text: &str) -> Parsed<'_, Vec<(&str, &str)>> {
    let mut fields: Vec<(&str, &str)> = Vec::new();
    let mut rest = text;
    loop {
        let (name, value) = rest.split_once(':').ok_or_else(|| Fault::expected("a field", rest))?;
        if !FIELDS.contains(&name) || fields.iter().any(|(known, _)| *known == name) {
            return Err(Fault::expected("another field of a histogram or a summary", rest));
        }
        let end = match value.strip_prefix('[') {
            Some(list) => list.find(']').map_or(value.len(), |end| end + 2),
            None => value.find(',').unwrap_or(value.len()),
        };
        fields.push((name, &value[..end]));
        rest = &value[end..];
        if rest.is_empty() {
            return Ok(fields);
        }
        rest = rest.strip_prefix(',').ok_or_else(|| Fault::expected("a comma after a field", rest))?;
    }
}

/// The items of `[a,b]`; none if there is no list.
fn items<'a, T>(list: Option<&'a str>, read: fn(&'a str) -> Parsed<'a, T>) -> Parsed<'a, Vec<T>> {
    let Some(list) = list else { return Ok(Vec::new()) };
    let inner = list.strip_prefix('[').and_then(|list| list.strip_suffix(']'));
    match inner.ok_or_else(|| Fault::expected("a list in brackets", list))? {
        "" => Ok(Vec::new()),
        inner => inner.split(',').map(read).collect(),
    }
}

fn pair(text: &str) -> Parsed<'_, (f64, f64)> {
    let (one, two) = text.split_once(':').ok_or_else(|| Fault::expected("two numbers with a colon", text))?;
    Ok((read(one)?, read(two)?))
}

/// Reads ` timestamp st@start # {labels} value timestamp`, all of it optional.
fn after_value<'a>(text: &'a str, metric: &mut Metric) -> Parsed<'a, ()> {
    let mut rest = text;
    while let Some(next) = rest.strip_prefix(' ') {
        if let Some(exemplar) = next.strip_prefix("# ") {
            let (labels, after) = braces(exemplar)?;
            let mut words = after.strip_prefix(' ').unwrap_or_default().splitn(3, ' ');
            let mut word = || words.next().filter(|word| !word.is_empty());
            let missing = || Fault::expected("an exemplar's value and timestamp", after);
            let (value, timestamp) = (word().ok_or_else(missing)?, word().ok_or_else(missing)?);
            let (value, timestamp) = (read(value)?, Some(seconds(timestamp)?));
            metric.exemplars.push(ParsedExemplar { labels, value, timestamp });
            rest = words.next().map_or("", |left| &after[after.len() - left.len() - 1..]);
            continue;
        }
        let end = next.find(' ').unwrap_or(next.len());
        let word = &next[..end];
        let is_late = !metric.exemplars.is_empty() || metric.start.is_some();
        match word.strip_prefix("st@") {
            Some(start) if !is_late => metric.start = Some(seconds(start)?),
            None if !is_late && metric.timestamp.is_none() => metric.timestamp = Some(seconds(word)?),
            _ => return Err(Fault::expected("an exemplar or the end of the line", next)),
        }
        rest = &next[end..];
    }
    if rest.is_empty() { Ok(()) } else { Err(Fault::expected("a space or the end of the line", rest)) }
}
