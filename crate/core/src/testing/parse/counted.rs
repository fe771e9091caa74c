//! Checks the samples of a histogram against each other: cumulative buckets up to `+Inf`, and a count that equals the
//! last bucket.

use std::cmp::Ordering;

use super::dialect::Dialect;
use super::fault::{Fault, ParseError, Parsed, shown};
use super::line::{Line, is_same, key, tail};
use super::number::{self, Number, Stamp};

/// Checks the histograms of one family, one label set after another. Only text allows a sum with negative bounds.
pub(super) fn check(name: &str, lines: &[(usize, Line)], dialect: Dialect) -> Parsed<'static, ()> {
    let mut group: Option<Vec<u8>> = None;
    let mut stamp: Option<&Stamp> = None;
    let fresh = || Histogram::of(dialect);
    let mut histogram = fresh();
    for (number, line) in lines {
        let suffix = tail(&line.sample.name, name);
        if suffix.is_empty() {
            continue;
        }
        let except = (suffix == "_bucket").then_some("le");
        let next = (!line.is_bare).then(|| key("", &line.sample, except));
        if next != group || line.stamp.as_ref() != stamp {
            if group.is_some() {
                histogram.end(name)?;
            }
            histogram = fresh();
        }
        group = next;
        stamp = line.stamp.as_ref();
        histogram.line = *number;
        if let Some(value) = &line.number {
            histogram.add(suffix, line, value, name)?;
        }
    }
    if group.is_some() { histogram.end(name) } else { Ok(()) }
}

struct Histogram {
    dialect: Dialect,
    /// The line of its last sample.
    line: usize,
    /// The bound of the last bucket.
    bound: Option<f64>,
    /// The value of the last bucket.
    value: Option<Number>,
    count: Option<Number>,
    has_negative_bounds: bool,
    has_sum: bool,
    has_gauge_sum: bool,
    has_negative_gauge_sum: bool,
}

impl Histogram {
    fn of(dialect: Dialect) -> Self {
        Self {
            dialect,
            line: 0,
            bound: None,
            value: None,
            count: None,
            has_negative_bounds: false,
            has_sum: false,
            has_gauge_sum: false,
            has_negative_gauge_sum: false,
        }
    }

    fn refuse<T>(&self, name: &str, what: &str) -> Parsed<'static, T> {
        let message = format!("Expected {what} in the histogram {}", shown(name));
        Err(Fault::Earlier(ParseError { line: self.line, column: 1, message }))
    }

    fn add(&mut self, suffix: &str, line: &Line, value: &Number, name: &str) -> Parsed<'static, ()> {
        match suffix {
            "_bucket" => {
                let bound = line.sample.label("le").and_then(number::float).unwrap_or(f64::NAN);
                self.has_negative_bounds |= bound < 0.0;
                if self.bound.is_some_and(|before| bound <= before) {
                    return self.refuse(name, "ascending bounds");
                }
                let is_less = match &self.value {
                    Some(before) => value.compare(before) == Some(Ordering::Less),
                    None => value.value < 0.0,
                };
                if is_less {
                    return self.refuse(name, "cumulative buckets");
                }
                self.bound = Some(bound);
                self.value = Some(value.clone());
            }
            "_count" | "_gcount" => self.count = Some(value.clone()),
            "_sum" => self.has_sum = true,
            "_gsum" => {
                self.has_gauge_sum = true;
                self.has_negative_gauge_sum |= value.value < 0.0;
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&self, name: &str) -> Parsed<'static, ()> {
        if self.bound != Some(f64::INFINITY) {
            return self.refuse(name, "a bucket with le=\"+Inf\"");
        }
        if let (Some(count), Some(value)) = (&self.count, &self.value)
            && !is_same(count, value)
        {
            return self.refuse(name, "a count equal to the last bucket");
        }
        if self.count.is_none() && (self.has_sum || self.has_gauge_sum) {
            return self.refuse(name, "a count beside the sum");
        }
        if self.count.is_some() && !(self.has_sum || self.has_gauge_sum) {
            return self.refuse(name, "a sum beside the count");
        }
        if self.has_negative_bounds && self.has_sum && self.dialect == Dialect::OpenMetrics {
            return self.refuse(name, "no sum beside negative bounds");
        }
        if !self.has_negative_bounds && self.has_negative_gauge_sum {
            return self.refuse(name, "no negative sum beside bounds that are not negative");
        }
        Ok(())
    }
}
