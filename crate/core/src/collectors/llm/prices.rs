//! Computes the cost of requests from the caller's price table, in US dollars for a million tokens. A model without a price
//! has no cost, which is not the same as a cost of 0.

use super::request::LlmUsage;
use crate::collectors::children::is_amount;
use crate::error::{ErrorKind, MetricsError, Result};
use hashbrown::HashMap;
use std::time::Duration;

const MILLION: f64 = 1_000_000.0;

/// The price of a model, in US dollars for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Price {
    /// The price of input tokens.
    pub input: f64,
    /// The price of output tokens.
    pub output: f64,
    /// The price of input tokens read from the provider's cache; `input` if not set.
    pub cache_read: Option<f64>,
    /// The price of input tokens written to the provider's cache; `input` if not set.
    pub cache_write: Option<f64>,
    /// The price of output tokens of the model's reasoning; `output` if not set.
    pub reasoning: Option<f64>,
}

setters!(Price {
    input: f64,
    output: f64,
    cache_read: Option<f64>,
    cache_write: Option<f64>,
    reasoning: Option<f64>,
});

impl Price {
    /// A price of input and output tokens.
    #[must_use]
    pub const fn new(input: f64, output: f64) -> Self {
        Self { input, output, cache_read: None, cache_write: None, reasoning: None }
    }

    /// The cost of the tokens, in US dollars.
    fn of(&self, usage: &LlmUsage) -> f64 {
        let tokens = |tokens: Option<u64>| tokens.unwrap_or_default() as f64;
        let cache_read = tokens(usage.cache_read_tokens);
        let cache_write = tokens(usage.cache_write_tokens);
        let reasoning = tokens(usage.reasoning_tokens);
        let plain_input = (tokens(usage.input_tokens) - cache_read - cache_write).max(0.0);
        let plain_output = (tokens(usage.output_tokens) - reasoning).max(0.0);
        let cost = plain_input * self.input
            + cache_read * self.cache_read.unwrap_or(self.input)
            + cache_write * self.cache_write.unwrap_or(self.input)
            + plain_output * self.output
            + reasoning * self.reasoning.unwrap_or(self.output);
        cost / MILLION
    }

    fn check(&self, model: &str) -> Result<()> {
        let parts = [
            ("input", Some(self.input)),
            ("output", Some(self.output)),
            ("cache_read", self.cache_read),
            ("cache_write", self.cache_write),
            ("reasoning", self.reasoning),
        ];
        parts.into_iter().try_for_each(|(name, price)| match price {
            Some(price) if !is_amount(price) => Err(MetricsError::new(
                ErrorKind::InvalidConfig,
                format!(
                    "Expected dollars a million tokens for prices[\"{model}\"].{name} but received {price}"
                ),
            )),
            _ => Ok(()),
        })
    }
}

/// Prices by model, or by provider and model (`azure/gpt-4o`), which takes precedence. Models have the names that labels
/// show: without dates, so a price applies to all dated versions.
///
/// ```
/// use prometheus_metrics::collectors::{Price, PriceTable};
///
/// let prices = PriceTable::new()
///     .with("gpt-4o-mini", Price::new(0.15, 0.6).cache_read(Some(0.075)))?
///     .with_from("azure/gpt-4o", "2026-01-01", Price::new(2.5, 10.0))?;
/// # Ok::<(), prometheus_metrics::MetricsError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct PriceTable {
    models: HashMap<String, Vec<Period>, foldhash::fast::RandomState>,
}

/// A price and the moment from which it applies.
#[derive(Debug, Clone)]
struct Period {
    /// Seconds since 1970.
    from: i64,
    price: Price,
}

/// The prices of one model, newest first.
#[derive(Debug, Clone)]
pub(super) struct ModelPrices(Box<[Period]>);

impl PriceTable {
    /// A table without prices.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a price without a start. It applies until a price with a start takes over.
    ///
    /// # Errors
    /// `InvalidConfig` if a part of the price is not an amount.
    pub fn with(self, model: &str, price: Price) -> Result<Self> {
        self.with_period(model, i64::MIN, price)
    }

    /// Adds a price that applies from this day on: `2026-01-31`, in UTC.
    ///
    /// # Errors
    /// `InvalidConfig` for an invalid day, or if a part of the price is not an amount.
    pub fn with_from(self, model: &str, day: &str, price: Price) -> Result<Self> {
        let Some(from) = unix_seconds_of(day) else {
            return Err(MetricsError::new(
                ErrorKind::InvalidConfig,
                format!(
                    "Expected a day such as 2026-01-31 for prices[\"{model}\"].from but received \"{day}\""
                ),
            ));
        };
        self.with_period(model, from, price)
    }

    fn with_period(mut self, model: &str, from: i64, price: Price) -> Result<Self> {
        price.check(model)?;
        let periods = self.models.entry(model.to_owned()).or_default();
        periods.push(Period { from, price });
        periods.sort_by_key(|period| std::cmp::Reverse(period.from));
        Ok(self)
    }

    /// The prices of a model over time; nothing if it has none.
    pub(super) fn of(&self, provider: &str, model: &str) -> Option<ModelPrices> {
        let at_provider = self.models.get(format!("{provider}/{model}").as_str());
        let periods = at_provider.or_else(|| self.models.get(model))?;
        Some(ModelPrices(periods.as_slice().into()))
    }
}

impl ModelPrices {
    /// The cost of the tokens at this moment, in US dollars; nothing if there was no price.
    pub(super) fn cost(&self, usage: &LlmUsage, unix_now: Duration) -> Option<f64> {
        let now = i64::try_from(unix_now.as_secs()).unwrap_or(i64::MAX);
        self.0.iter().find(|period| period.from <= now).map(|period| period.price.of(usage))
    }
}

/// Midnight of `2026-01-31`, in UTC.
fn unix_seconds_of(day: &str) -> Option<i64> {
    let bytes = day.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        let digits = &bytes[range];
        digits
            .iter()
            .all(u8::is_ascii_digit)
            .then(|| digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    (1..=longest).contains(&day).then(|| days_since_1970(year, month, day) * 86_400)
}

/// Days of the proleptic Gregorian calendar. Years begin in March here, so the leap day is the last day of a year.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // March to January have 153 days in each five months, in this order: 31 30 31 30 31.
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}
