//! Writes the lines of both text formats. The parts of a line that are the same for all series of a family are built
//! once, so that a line is two copies and a number.

use super::defaults::Defaults;
use super::family::{FamilyWriter, Shown};
use super::number;
use super::page::{Page, Pen};
use super::streaming::Sink;
use crate::labels::{is_name, pairs};
use crate::model::{CellSeries, Exemplar, Kind, SampleFamily, Series, Source};
use hashbrown::HashSet;
use std::borrow::Cow;
use std::marker::PhantomData;

/// The differences between the two formats.
pub(super) trait Dialect {
    /// Whether there is an empty line between families.
    const BLANK_LINES: bool;
    /// Whether the format has exemplars.
    const EXEMPLARS: bool;
    /// Whether the format has units.
    const UNITS: bool;
    /// Whether the format can show when a series began.
    const STARTS: bool;
    /// The last line.
    const END: &'static [u8];

    /// The names that a family is written under. `taken` is true for names of other families.
    fn names(name: &str, kind: Kind, taken: impl Fn(&str) -> bool) -> Names;
    /// Appends an escaped HELP text.
    fn help(text: &str, out: &mut Vec<u8>);
    /// Appends the value of `le` or `quantile`.
    fn threshold(value: f64, out: &mut Vec<u8>);
    /// Whether a histogram with these bounds has `_sum` and `_count`.
    fn writes_sum(buckets: &[f64]) -> bool;
}

/// The names that a family is written under.
pub(super) struct Names {
    /// In HELP and TYPE.
    pub(super) family: String,
    /// In the samples of counters and gauges.
    pub(super) sample: String,
    /// The type's word in TYPE.
    pub(super) kind: &'static str,
}

/// Writes families.
///
/// `shows_starts`: with a sample `_created` for each series that has a start, if the dialect can.
pub(super) fn write<D: Dialect, S: Sink>(
    families: &[impl Shown],
    default_labels: &[(String, String)],
    shows_starts: bool,
    sink: &mut S,
) -> Result<(), S::Error> {
    let names = families.iter().map(Shown::name).collect();
    let defaults = Defaults::new(default_labels);
    let mut writer = Writer::<D, S> { names, defaults, shows_starts, sink, dialect: PhantomData };
    for (at, family) in families.iter().enumerate() {
        if D::BLANK_LINES && at > 0 {
            writer.sink.buffer().push(b'\n');
        }
        family.show(&mut writer)?;
        writer.sink.checkpoint()?;
    }
    let sink = writer.sink;
    if D::BLANK_LINES && families.is_empty() {
        sink.buffer().push(b'\n');
    }
    sink.buffer().extend_from_slice(D::END);
    sink.checkpoint()
}

/// Writes one family after the other in one dialect.
struct Writer<'a, D, S> {
    /// The names of all families.
    names: HashSet<&'a str, foldhash::fast::FixedState>,
    defaults: Defaults<'a>,
    shows_starts: bool,
    sink: &'a mut S,
    dialect: PhantomData<D>,
}

impl<D: Dialect, S: Sink> FamilyWriter for Writer<'_, D, S> {
    type Error = S::Error;

    fn cells<F: Source>(&mut self, family: &F) -> Result<(), S::Error> {
        write_family::<D, S, F>(family, &self.names, &self.defaults, self.shows_starts, self.sink)
    }

    fn samples(&mut self, family: &SampleFamily) -> Result<(), S::Error> {
        write_samples::<D, S>(family, &self.names, &self.defaults, self.sink)
    }
}

fn write_header<D: Dialect>(names: &Names, help: &str, unit: Option<&str>, out: &mut Vec<u8>) {
    let family = quoted(&names.family);
    out.extend_from_slice(b"# HELP ");
    out.extend_from_slice(family.as_bytes());
    out.push(b' ');
    D::help(help, out);
    out.extend_from_slice(b"\n# TYPE ");
    out.extend_from_slice(family.as_bytes());
    out.push(b' ');
    out.extend_from_slice(names.kind.as_bytes());
    out.push(b'\n');
    // A counter that had to be renamed may no longer end with its unit, and finished samples may have any.
    let ends = |unit: &&str| names.family.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_'));
    if let Some(unit) = unit.filter(|unit| D::UNITS && ends(unit)) {
        out.extend_from_slice(format!("# UNIT {family} {unit}\n").as_bytes());
    }
}

fn write_family<D: Dialect, S: Sink, F: Source>(
    family: &F,
    taken: &HashSet<&str, foldhash::fast::FixedState>,
    defaults: &Defaults<'_>,
    shows_starts: bool,
    sink: &mut S,
) -> Result<(), S::Error> {
    let descriptor = family.descriptor();
    let names = D::names(descriptor.name(), descriptor.kind(), |name| taken.contains(name));
    write_header::<D>(&names, descriptor.help(), descriptor.unit(), sink.buffer());
    let start = if D::STARTS && shows_starts { start_line(&names, descriptor.kind(), taken) } else { None };
    let lines = match descriptor.kind() {
        Kind::Histogram => Lines::of_histogram::<D>(&names.sample, descriptor.buckets(), start),
        Kind::Summary => Lines::of_summary::<D>(&names.sample, descriptor.quantiles(), start),
        Kind::Counter if start.is_some() => Lines::new(Vec::new(), vec![Line::new(&names.sample, "")], start),
        _ => return write_cells::<D, S, F>(family, &Line::new(&names.sample, ""), defaults, sink),
    };
    write_groups::<D, S, F>(family, &lines, defaults, sink)
}

/// The beginning of the line of a series' start; `None` for types without one, for a family that had to change its type,
/// and if a family has the name of the line.
fn start_line(names: &Names, kind: Kind, taken: &HashSet<&str, foldhash::fast::FixedState>) -> Option<Line> {
    let name = format!("{}_created", names.family);
    let is_shown = kind.has_start() && names.kind == kind.as_str() && !taken.contains(&*name);
    is_shown.then(|| Line::new(&name, ""))
}

/// Writes the series of a counter or gauge, one line each.
fn write_cells<D: Dialect, S: Sink, F: Source>(
    family: &F,
    line: &Line,
    defaults: &Defaults<'_>,
    sink: &mut S,
) -> Result<(), S::Error> {
    let mut beside = Vec::new();
    let mut page = Page::new(sink);
    family.for_each_cell(|CellSeries { labels, value, exemplar, .. }| {
        if !defaults.is_empty() {
            defaults.beside(labels, None, &mut beside);
        }
        page.write(line.bytes(labels.len() + beside.len()) + exemplar_bytes::<D>(exemplar), |pen| {
            line.write(labels, &beside, value, pen);
            finish_line::<D>(exemplar, pen);
        })
    })?;
    page.finish();
    Ok(())
}

/// Writes series of several lines each: of a histogram, a summary, or a counter with its start.
fn write_groups<D: Dialect, S: Sink, F: Source>(
    family: &F,
    lines: &Lines,
    defaults: &Defaults<'_>,
    sink: &mut S,
) -> Result<(), S::Error> {
    let descriptor = family.descriptor();
    let kind = descriptor.kind();
    let (mut beside, mut beside_threshold, mut quantiles) = (Vec::new(), Vec::new(), Vec::new());
    let mut page = Page::new(sink);
    family.for_each(|series| {
        if !defaults.is_empty() {
            defaults.beside(series.labels, None, &mut beside);
            let threshold = if kind == Kind::Summary { "quantile" } else { "le" };
            defaults.beside(series.labels, Some(threshold), &mut beside_threshold);
        }
        if kind == Kind::Summary {
            series.quantiles(descriptor.quantiles(), &mut quantiles);
        }
        let exemplars: usize = series.exemplars.iter().copied().map(exemplar_bytes::<D>).sum();
        page.write(lines.bytes(series.labels.len() + beside.len()) + exemplars, |pen| {
            match kind {
                Kind::Summary => {
                    write_summary(lines, series, &quantiles, (&beside_threshold, &beside), pen);
                }
                Kind::Histogram => write_histogram::<D>(lines, series, (&beside_threshold, &beside), pen),
                _ if D::STARTS => write_counter(lines, series, &beside, pen),
                _ => {}
            }
            if let (true, Some(line), Some(start_ms)) = (D::STARTS, &lines.start, series.start_ms) {
                write_start(line, kind, (series.labels, &beside), start_ms, pen);
            }
        })
    })?;
    page.finish();
    Ok(())
}

/// The fixed beginnings of the lines of a series.
struct Lines {
    /// Of a histogram's buckets or a summary's quantiles.
    buckets: Vec<Line>,
    /// Of the sum and the count; of a counter's value.
    last: Vec<Line>,
    /// Of the start, if it is shown.
    start: Option<Line>,
    /// The room that the lines of a series need, without labels.
    bytes: usize,
}

impl Lines {
    fn new(buckets: Vec<Line>, last: Vec<Line>, start: Option<Line>) -> Self {
        let bytes = buckets.iter().chain(&last).chain(&start).map(|line| line.bytes(0)).sum();
        Self { buckets, last, start, bytes }
    }

    fn of_histogram<D: Dialect>(name: &str, bounds: &[f64], start: Option<Line>) -> Self {
        let head = before_labels(&format!("{name}_bucket"));
        let bounds_and_inf = bounds.iter().copied().chain([f64::INFINITY]);
        let buckets =
            bounds_and_inf.map(|bound| Line::of_threshold::<D>(&format!("{head}le"), bound)).collect();
        let last = if D::writes_sum(bounds) {
            vec![Line::new(name, "_sum"), Line::new(name, "_count")]
        } else {
            Vec::new()
        };
        Self::new(buckets, last, start)
    }

    fn of_summary<D: Dialect>(name: &str, quantiles: &[f64], start: Option<Line>) -> Self {
        let head = format!("{}quantile", before_labels(name));
        let buckets = quantiles.iter().map(|quantile| Line::of_threshold::<D>(&head, *quantile)).collect();
        Self::new(buckets, vec![Line::new(name, "_sum"), Line::new(name, "_count")], start)
    }

    /// The room that the lines of a series with so many bytes of labels need at most, without exemplars.
    fn bytes(&self, labels: usize) -> usize {
        self.bytes + labels * (self.buckets.len() + self.last.len() + usize::from(self.start.is_some()))
    }
}

/// The beginning of a line up to its first label: a name beyond the old rule stands in the braces.
fn before_labels(name: &str) -> String {
    if is_name(name, true) { format!("{name}{{") } else { format!("{{\"{name}\",") }
}

/// A name as comments have it.
pub(super) fn quoted(name: &str) -> Cow<'_, str> {
    if is_name(name, true) { Cow::Borrowed(name) } else { Cow::Owned(format!("\"{name}\"")) }
}

/// The beginning of a line up to the series' own labels.
struct Line {
    /// The whole beginning of a line without further labels: `name `, or for a bucket `name_bucket{le="…"} `, for a
    /// quantile `name{quantile="…"} `.
    alone: Vec<u8>,
    /// The beginning before further labels: `name{`, `name_bucket{le="…",`.
    before_labels: Vec<u8>,
}

impl Line {
    /// A line whose first label has a number: `start="number"`.
    fn of_threshold<D: Dialect>(start: &str, number: f64) -> Self {
        let mut head = format!("{start}=\"").into_bytes();
        D::threshold(number, &mut head);
        Self { alone: [&head, &b"\"} "[..]].concat(), before_labels: [&head, &b"\","[..]].concat() }
    }

    fn new(name: &str, suffix: &str) -> Self {
        let name = format!("{name}{suffix}");
        let alone = if is_name(&name, true) { format!("{name} ") } else { format!("{{\"{name}\"}} ") };
        Self { alone: alone.into_bytes(), before_labels: before_labels(&name).into_bytes() }
    }

    /// The room that the line needs at most with so many bytes of labels.
    fn bytes(&self, labels: usize) -> usize {
        // A comma between the labels, a brace and a blank after them, and the end of the line.
        self.alone.len() + labels + 4 + number::ROOM
    }

    /// Writes the line up to its end: labels in the given order, value.
    #[inline(always)]
    fn write(&self, first: &[u8], second: &[u8], value: f64, pen: &mut Pen<'_>) {
        let (one, other) = if first.is_empty() { (second, first) } else { (first, second) };
        if one.is_empty() {
            pen.text(&self.alone);
        } else {
            pen.text(&self.before_labels);
            pen.text(one);
            if !other.is_empty() {
                pen.byte(b',');
                pen.text(other);
            }
            pen.byte(b'}');
            pen.byte(b' ');
        }
        pen.number(value);
    }
}

/// Buckets (`le`, default labels, own labels), then sum and count.
fn write_histogram<D: Dialect>(
    lines: &Lines,
    series: Series<'_>,
    (beside_le, beside): (&[u8], &[u8]),
    pen: &mut Pen<'_>,
) {
    let (sum, counts) = series.values.split_last().unwrap_or((&0.0, &[]));
    let mut count = 0.0;
    for (cell, (line, value)) in lines.buckets.iter().zip(counts).enumerate() {
        count += value;
        line.write(beside_le, series.labels, count, pen);
        finish_line::<D>(series.exemplars.get(cell).copied().flatten(), pen);
    }
    for (line, value) in lines.last.iter().zip([*sum, count]) {
        line.write(beside, series.labels, value, pen);
        pen.byte(b'\n');
    }
}

/// A counter that shows its start: one line, with the series' own labels first, as `write_cells` writes it.
#[cold]
fn write_counter(lines: &Lines, series: Series<'_>, beside: &[u8], pen: &mut Pen<'_>) {
    for (line, value) in lines.last.iter().zip(series.values) {
        write_line(line, series.labels, beside, *value, pen);
        if let Some(exemplar) = series.exemplars.first().copied().flatten() {
            write_exemplar(exemplar, pen);
        }
        pen.byte(b'\n');
    }
}

/// When a series began, in seconds. Its labels are in the order of the type's other lines.
#[cold]
fn write_start(line: &Line, kind: Kind, (own, beside): (&[u8], &[u8]), start_ms: u64, pen: &mut Pen<'_>) {
    let (first, second) = if kind == Kind::Histogram { (beside, own) } else { (own, beside) };
    write_line(line, first, second, seconds(start_ms), pen);
    pen.byte(b'\n');
}

/// `Line::write` for lines that few registries show.
#[inline(never)]
fn write_line(line: &Line, first: &[u8], second: &[u8], value: f64, pen: &mut Pen<'_>) {
    line.write(first, second, value, pen);
}

/// Quantiles, then sum and count. Each has the series' own labels before the default ones.
fn write_summary(
    lines: &Lines,
    series: Series<'_>,
    quantiles: &[f64],
    (beside_quantile, beside): (&[u8], &[u8]),
    pen: &mut Pen<'_>,
) {
    let [count, sum] = *series.values else { return };
    let quantiles = lines.buckets.iter().zip(quantiles).map(|(line, value)| (line, *value, beside_quantile));
    let last = lines.last.iter().zip([sum, count]).map(|(line, value)| (line, value, beside));
    for (line, value, beside) in quantiles.chain(last) {
        line.write(series.labels, beside, value, pen);
        pen.byte(b'\n');
    }
}

/// Milliseconds as seconds.
pub(super) fn seconds(ms: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "exact up to the year 287396")]
    let ms = ms as f64;
    ms / 1000.0
}

/// The room that `finish_line` needs for an exemplar.
#[inline(always)]
fn exemplar_bytes<D: Dialect>(exemplar: Option<&Exemplar>) -> usize {
    match exemplar {
        Some(exemplar) if D::EXEMPLARS => exemplar.labels().len() + 2 * number::ROOM + 8,
        _ => 0,
    }
}

#[inline(always)]
fn finish_line<D: Dialect>(exemplar: Option<&Exemplar>, pen: &mut Pen<'_>) {
    if let (true, Some(exemplar)) = (D::EXEMPLARS, exemplar) {
        write_exemplar(exemplar, pen);
    }
    pen.byte(b'\n');
}

#[cold]
fn write_exemplar(exemplar: &Exemplar, pen: &mut Pen<'_>) {
    pen.text(b" # {");
    pen.text(exemplar.labels());
    pen.text(b"} ");
    pen.number(exemplar.value());
    pen.byte(b' ');
    pen.number(exemplar.timestamp());
}

fn write_samples<D: Dialect, S: Sink>(
    family: &SampleFamily,
    taken: &HashSet<&str, foldhash::fast::FixedState>,
    defaults: &Defaults<'_>,
    sink: &mut S,
) -> Result<(), S::Error> {
    let names = D::names(family.name(), family.kind(), |name| taken.contains(name));
    write_header::<D>(&names, family.help(), family.unit(), sink.buffer());
    let (mut own, mut beside) = (Vec::new(), Vec::new());
    let mut page = Page::new(sink);
    for sample in family.samples() {
        let name = if sample.name() == family.name() { &names.sample } else { sample.name() };
        own.clear();
        write_thresholds::<D>(sample.labels(), &mut own);
        defaults.beside(sample.labels(), None, &mut beside);
        let line = Line::new(name, "");
        page.write(line.bytes(own.len() + beside.len()), |pen| {
            line.write(&own, &beside, sample.value(), pen);
            pen.byte(b'\n');
        })?;
    }
    page.finish();
    Ok(())
}

/// Copies rendered labels, with the values of `le` and `quantile` in the format's spelling.
fn write_thresholds<D: Dialect>(labels: &[u8], out: &mut Vec<u8>) {
    for pair in pairs(labels) {
        let text = std::str::from_utf8(pair.value).unwrap_or_default();
        let write = |value: &[u8], out: &mut Vec<u8>| match text.trim_start_matches('+').parse::<f64>() {
            Ok(value) if matches!(pair.name, b"le" | b"quantile") => D::threshold(value, out),
            _ => out.extend_from_slice(value),
        };
        pair.push_with(write, out);
    }
}
