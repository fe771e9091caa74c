//! Reads expositions with a small strict grammar of text 0.0.4 and OpenMetrics 1.0. It is written from the
//! specifications and shares no code with the encoder. It accepts less than scrapers do, so every scraper can read an
//! exposition that it accepts.

use prometheus_metrics::Format;
use prometheus_metrics::testing::parse_protobuf;
use proptest::test_runner::TestCaseError;
use std::collections::HashSet;

pub(crate) const FORMATS: [Format; 2] = [Format::PrometheusText, Format::OpenMetrics];

/// A family as the exposition shows it, unescaped.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ParsedFamily {
    pub(crate) name: String,
    pub(crate) help: String,
    pub(crate) kind: String,
    pub(crate) samples: Vec<ParsedSample>,
}

/// One sample line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ParsedSample {
    pub(crate) name: String,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) value: f64,
}

type Parsed<T> = Result<T, String>;

/// Reads an exposition. The error says which rule is broken, and by which line.
pub(crate) fn parse(text: &str, format: Format) -> Parsed<Vec<ParsedFamily>> {
    let openmetrics = format == Format::OpenMetrics;
    let end = if openmetrics { "# EOF\n" } else { "" };
    let body = text.strip_suffix(end).ok_or("the last line is not # EOF")?;
    if body.is_empty() || body == "\n" {
        return if openmetrics == body.is_empty() {
            Ok(Vec::new())
        } else {
            Err("invalid empty exposition".into())
        };
    }
    let body = body.strip_suffix('\n').ok_or("the last line does not end with a line feed")?;
    let mut families = Vec::new();
    let mut lines = body.split('\n').peekable();
    let mut names = HashSet::new();
    while lines.peek().is_some() {
        if !families.is_empty() && !openmetrics && lines.next() != Some("") {
            return Err("no empty line between two families".into());
        }
        let family = family(&mut lines, openmetrics)?;
        if !names.insert(family.name.clone()) {
            return Err(format!("family {} comes twice", family.name));
        }
        families.push(family);
    }
    let samples = || families.iter().flat_map(|family: &ParsedFamily| &family.samples);
    let mut series = HashSet::new();
    for sample in samples() {
        let mut labels = sample.labels.clone();
        labels.sort();
        if !series.insert((&sample.name, labels)) {
            return Err(format!("series {sample:?} comes twice"));
        }
    }
    Ok(families)
}

/// Reads a body: text with the grammar, protobuf with the reader of the testing kit, whose families have the same shape.
pub(crate) fn read(body: &[u8], format: Format) -> Parsed<Vec<ParsedFamily>> {
    if format != Format::Protobuf {
        return parse(std::str::from_utf8(body).map_err(|error| error.to_string())?, format);
    }
    let families = parse_protobuf(body).map_err(|error| error.to_string())?;
    let family = |family: prometheus_metrics::testing::ParsedFamily| {
        let samples = family.samples.into_iter();
        let samples = samples.map(|sample| ParsedSample {
            name: sample.name,
            labels: sample.labels,
            value: sample.value,
        });
        let kind = family.kind.word().to_owned();
        ParsedFamily { name: family.name, help: family.help, kind, samples: samples.collect() }
    };
    Ok(families.into_iter().map(family).collect())
}

/// As `parse()`, for properties: an error fails the case and shows the text.
pub(crate) fn parse_or_fail(text: &str, format: Format) -> Result<Vec<ParsedFamily>, TestCaseError> {
    parse(text, format).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))
}

fn family<'a>(
    lines: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>,
    openmetrics: bool,
) -> Parsed<ParsedFamily> {
    let help_line = lines.next().unwrap_or_default();
    let (name, help) = metadata(help_line, "# HELP ")?;
    let type_line = lines.next().unwrap_or_default();
    let (named, kind) = metadata(type_line, "# TYPE ")?;
    if name != named {
        return Err(format!("TYPE of another family: {type_line}"));
    }
    let kinds: &[&str] = if openmetrics {
        &["counter", "gauge", "histogram", "summary", "unknown"]
    } else {
        &["counter", "gauge", "histogram", "summary", "untyped"]
    };
    if !kinds.contains(&kind) {
        return Err(format!("unknown type: {type_line}"));
    }
    let help = unescape(help, if openmetrics { "\\n\"" } else { "\\n" })?;
    let mut samples = Vec::new();
    while let Some(line) = lines.next_if(|line| !line.is_empty() && !line.starts_with('#')) {
        let sample = sample(line, openmetrics).map_err(|error| format!("{error}: {line}"))?;
        let suffix = sample
            .name
            .strip_prefix(name)
            .ok_or_else(|| format!("sample of another family than {name}: {line}"))?;
        let fits = match kind {
            "counter" if openmetrics => suffix == "_total" && sample.value >= 0.0,
            "counter" => suffix.is_empty() && sample.value >= 0.0,
            "histogram" => matches!(suffix, "_bucket" | "_sum" | "_count"),
            "summary" => matches!(suffix, "" | "_sum" | "_count"),
            _ => suffix.is_empty(),
        };
        if !fits {
            return Err(format!("invalid sample of the {kind} {name}: {line}"));
        }
        samples.push(sample);
    }
    if kind == "histogram" {
        check_histogram(name, &samples)?;
    }
    Ok(ParsedFamily { name: name.to_owned(), help, kind: kind.to_owned(), samples })
}

fn metadata<'a>(line: &'a str, keyword: &str) -> Parsed<(&'a str, &'a str)> {
    let rest = line.strip_prefix(keyword).ok_or_else(|| format!("expected {keyword}: {line}"))?;
    let (name, rest) =
        rest.split_once(' ').ok_or_else(|| format!("expected a space after the name: {line}"))?;
    if is_name(name, true) { Ok((name, rest)) } else { Err(format!("invalid metric name: {line}")) }
}

fn is_name(name: &str, colons: bool) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_' || (colons && c == ':');
    name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit())
}

/// Undoes the escapes. `escaped` are the characters that are valid after a backslash; a quote among them is invalid
/// without one.
fn unescape(text: &str, escaped: &str) -> Parsed<String> {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some(next) if next != 'n' && escaped.contains(next) => out.push(next),
                other => return Err(format!("unknown escape: {other:?}")),
            },
            '"' if escaped.contains('"') => return Err("a quote without a backslash".into()),
            c => out.push(c),
        }
    }
    Ok(out)
}

fn sample(line: &str, openmetrics: bool) -> Parsed<ParsedSample> {
    let name_end = line.find(['{', ' ']).ok_or("no value")?;
    let (name, rest) = line.split_at(name_end);
    if !is_name(name, true) {
        return Err("invalid metric name".into());
    }
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => label_set(rest)?,
        None => (Vec::new(), rest),
    };
    let rest = rest.strip_prefix(' ').ok_or("expected a space before the value")?;
    let value = match rest.split_once(" # {") {
        Some((value, exemplar)) if openmetrics => {
            let (_, rest) = label_set(exemplar)?;
            let numbers = rest.strip_prefix(' ').ok_or("expected a space before the exemplar's value")?;
            let (example, at) = numbers.split_once(' ').ok_or("expected a timestamp of the exemplar")?;
            number(example)?;
            number(at)?;
            value
        }
        _ => rest,
    };
    Ok(ParsedSample { name: name.to_owned(), labels, value: number(value)? })
}

/// Reads labels up to the closing brace; returns them and the text after the brace.
fn label_set(text: &str) -> Parsed<(Vec<(String, String)>, &str)> {
    let (mut labels, mut names) = (Vec::new(), HashSet::new());
    let mut rest = text;
    if let Some(rest) = rest.strip_prefix('}') {
        return Ok((labels, rest));
    }
    loop {
        let (name, after) = rest.split_once("=\"").ok_or("expected a quoted value after the label name")?;
        let bytes = after.as_bytes();
        let mut end = 0;
        while *bytes.get(end).ok_or("no closing quote")? != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        if !is_name(name, false) || !names.insert(name) {
            return Err(format!("invalid or repeated label name: {name}"));
        }
        labels.push((name.to_owned(), unescape(&after[..end], "\\n\"")?));
        match after.as_bytes().get(end + 1) {
            Some(b',') => rest = &after[end + 2..],
            Some(b'}') => return Ok((labels, &after[end + 2..])),
            _ => return Err("expected a comma or a brace after a label".into()),
        }
    }
}

fn number(text: &str) -> Parsed<f64> {
    match text {
        "NaN" => return Ok(f64::NAN),
        "+Inf" => return Ok(f64::INFINITY),
        "-Inf" => return Ok(f64::NEG_INFINITY),
        _ => {}
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once('e').unwrap_or((unsigned, "0"));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    if !(digits(whole) && digits(fraction) && digits(exponent)) {
        return Err(format!("invalid number: {text:?}"));
    }
    text.parse().map_err(|error| format!("{error}: {text:?}"))
}

/// Checks that the buckets of each label set ascend in bound and count, and that the last one is `+Inf` and equals
/// `_count`.
fn check_histogram(name: &str, samples: &[ParsedSample]) -> Parsed<()> {
    let mut at = 0;
    let suffix = |sample: &ParsedSample| sample.name[name.len()..].to_owned();
    while at < samples.len() {
        let own = |sample: &ParsedSample| -> Vec<(String, String)> {
            sample.labels.iter().filter(|(label, _)| label != "le").cloned().collect()
        };
        let labels = own(&samples[at]);
        let group: Vec<&ParsedSample> =
            samples[at..].iter().take_while(|sample| own(sample) == labels).collect();
        at += group.len();
        let mut last = (f64::NEG_INFINITY, 0.0);
        for bucket in group.iter().filter(|sample| suffix(sample) == "_bucket") {
            let le = bucket.labels.iter().find(|(label, _)| label == "le").ok_or("a bucket without le")?;
            let bound = number(&le.1)?;
            if bound <= last.0 || bucket.value < last.1 {
                return Err(format!("buckets do not ascend at {bucket:?}"));
            }
            last = (bound, bucket.value);
        }
        let values = |wanted: &str| -> Vec<f64> {
            group.iter().filter(|sample| suffix(sample) == wanted).map(|sample| sample.value).collect()
        };
        let (sums, counts) = (values("_sum"), values("_count"));
        if last.0 != f64::INFINITY
            || sums.len() != counts.len()
            || counts.iter().any(|count| *count != last.1)
        {
            return Err(format!("incomplete histogram: {name} {labels:?}"));
        }
    }
    Ok(())
}

#[test]
fn the_grammar_rejects_invalid_expositions() {
    let accepted = |text: &str, format| parse(text, format).is_ok();
    let head = "# HELP a A\n# TYPE a gauge\n";
    for good in ["a 1\n", "a{x=\"\"} NaN\n", "a{x=\"\\\\\\n\\\"\"} -1e-7\n", "a 1\na{x=\"1\"} 1\n", ""] {
        assert!(accepted(&format!("{head}{good}"), Format::PrometheusText), "{good}");
        assert!(accepted(&format!("{head}{good}# EOF\n"), Format::OpenMetrics), "{good}");
    }
    for bad in [
        "a 1",
        "a 1\n\n",
        "a  1\n",
        "a 1 \n",
        "b 1\n",
        "a_total 1\n",
        "a{} x\n",
        "a{x=\"1\",} 1\n",
        "a{x=\"\"\"} 1\n",
        "a{x=\"\\t\"} 1\n",
        "a{x=\"1\",x=\"2\"} 1\n",
        "a{1=\"1\"} 1\n",
        "a 1\na 1\n",
        "a inf\n",
        "a .5\n",
        "a 1e\n",
        "a 0x1\n",
        "a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 1\n",
        "a 1 123\n",
        "# comment\n",
    ] {
        assert!(!accepted(&format!("{head}{bad}"), Format::PrometheusText), "{bad}");
        assert!(!accepted(&format!("{head}{bad}# EOF\n"), Format::OpenMetrics), "{bad}");
    }
    assert!(!accepted(&format!("{head}a 1\n"), Format::OpenMetrics), "no # EOF");
    assert!(!accepted(&format!("{head}a 1\n\n{head}"), Format::PrometheusText), "a family twice");
    assert!(!accepted("# HELP a A\n# TYPE a counter\na 1\n# EOF\n", Format::OpenMetrics), "no _total");
    let histogram =
        |lines: &str| accepted(&format!("# HELP h H\n# TYPE h histogram\n{lines}"), Format::PrometheusText);
    assert!(histogram("h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 1\nh_count 2\n"));
    assert!(!histogram("h_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 1\nh_count 3\n"));
    assert!(!histogram("h_bucket{le=\"1\"} 3\nh_bucket{le=\"+Inf\"} 2\nh_sum 1\nh_count 2\n"));
    assert!(!histogram(
        "h_bucket{le=\"2\"} 1\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 1\nh_count 2\n"
    ));
    assert!(!histogram("h_bucket{le=\"1\"} 1\nh_sum 1\nh_count 1\n"));
}
