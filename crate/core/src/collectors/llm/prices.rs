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
    /// The price of input tokens written to the provider's cache for an hour or longer; `cache_write` if not set.
    pub cache_write_long: Option<f64>,
    /// The price of output tokens of the model's reasoning; `output` if not set.
    pub reasoning: Option<f64>,
    /// The price of input tokens of audio; `input` if not set.
    pub audio_input: Option<f64>,
    /// The price of output tokens of audio; `output` if not set.
    pub audio_output: Option<f64>,
    /// The price of input tokens of images; `input` if not set.
    pub image_input: Option<f64>,
    /// The price of output tokens of images; `output` if not set.
    pub image_output: Option<f64>,
}

setters!(Price {
    input: f64,
    output: f64,
    cache_read: Option<f64>,
    cache_write: Option<f64>,
    cache_write_long: Option<f64>,
    reasoning: Option<f64>,
    audio_input: Option<f64>,
    audio_output: Option<f64>,
    image_input: Option<f64>,
    image_output: Option<f64>,
});

impl Price {
    /// A price of input and output tokens.
    #[must_use]
    pub const fn new(input: f64, output: f64) -> Self {
        Self {
            input,
            output,
            cache_read: None,
            cache_write: None,
            cache_write_long: None,
            reasoning: None,
            audio_input: None,
            audio_output: None,
            image_input: None,
            image_output: None,
        }
    }

    /// The cost of the tokens, in US dollars. A part is billed at most for as many tokens as its whole has left.
    fn of(&self, usage: &LlmUsage) -> f64 {
        let cache_write = self.cache_write.unwrap_or(self.input);
        let written = usage.cache_write_tokens.unwrap_or_default();
        let long = usage.cache_write_long_tokens.unwrap_or_default().min(written);
        let input = bill(
            usage.input_tokens,
            self.input,
            &[
                (usage.cache_read_tokens, Some(self.cache_read.unwrap_or(self.input))),
                (Some(long), Some(self.cache_write_long.unwrap_or(cache_write))),
                (Some(written - long), Some(cache_write)),
                (usage.audio_input_tokens, self.audio_input),
                (usage.image_input_tokens, self.image_input),
            ],
        );
        let output = bill(
            usage.output_tokens,
            self.output,
            &[
                (usage.reasoning_tokens, Some(self.reasoning.unwrap_or(self.output))),
                (usage.audio_output_tokens, self.audio_output),
                (usage.image_output_tokens, self.image_output),
            ],
        );
        (input + output) / MILLION
    }

    fn check(&self, model: &str) -> Result<()> {
        let parts = [
            ("input", Some(self.input)),
            ("output", Some(self.output)),
            ("cache_read", self.cache_read),
            ("cache_write", self.cache_write),
            ("cache_write_long", self.cache_write_long),
            ("reasoning", self.reasoning),
            ("audio_input", self.audio_input),
            ("audio_output", self.audio_output),
            ("image_input", self.image_input),
            ("image_output", self.image_output),
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

/// The parts at their prices, and the rest of the whole at its own. A part without a price is billed with the rest.
fn bill(whole: Option<u64>, price: f64, parts: &[(Option<u64>, Option<f64>)]) -> f64 {
    let mut rest = whole.unwrap_or_default();
    let mut cost = 0.0;
    for (tokens, price) in parts {
        if let (Some(tokens), Some(price)) = (tokens, price) {
            let tokens = rest.min(*tokens);
            rest -= tokens;
            cost += tokens as f64 * price;
        }
    }
    cost + rest as f64 * price
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
