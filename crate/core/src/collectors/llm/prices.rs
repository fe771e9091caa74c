//! The caller's price table: prices of models, their validation, and the price that applies at a time. A model without a
//! price has no cost, which is not the same as a cost of 0. `cost.rs` computes costs.

use crate::collectors::children::is_amount;
use crate::error::{ErrorKind, MetricsError, Result};
use hashbrown::HashMap;
use std::time::Duration;

/// Prices of tokens, in US dollars for a million.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct TokenPrices {
    /// The price of input tokens. Without it they are unpriced.
    pub input: Option<f64>,
    /// The price of output tokens. Without it they are unpriced.
    pub output: Option<f64>,
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

setters!(TokenPrices {
    input: Option<f64>,
    output: Option<f64>,
    cache_read: Option<f64>,
    cache_write: Option<f64>,
    cache_write_long: Option<f64>,
    reasoning: Option<f64>,
    audio_input: Option<f64>,
    audio_output: Option<f64>,
    image_input: Option<f64>,
    image_output: Option<f64>,
});

impl TokenPrices {
    /// These prices, and those of `usual` where they are not set.
    pub(super) fn over(&self, usual: &Self) -> Self {
        Self {
            input: self.input.or(usual.input),
            output: self.output.or(usual.output),
            cache_read: self.cache_read.or(usual.cache_read),
            cache_write: self.cache_write.or(usual.cache_write),
            cache_write_long: self.cache_write_long.or(usual.cache_write_long),
            reasoning: self.reasoning.or(usual.reasoning),
            audio_input: self.audio_input.or(usual.audio_input),
            audio_output: self.audio_output.or(usual.audio_output),
            image_input: self.image_input.or(usual.image_input),
            image_output: self.image_output.or(usual.image_output),
        }
    }

    fn check(&self, at: &str) -> Result<()> {
        let parts = [
            ("input", self.input),
            ("output", self.output),
            ("cache_read", self.cache_read),
            ("cache_write", self.cache_write),
            ("cache_write_long", self.cache_write_long),
            ("reasoning", self.reasoning),
            ("audio_input", self.audio_input),
            ("audio_output", self.audio_output),
            ("image_input", self.image_input),
            ("image_output", self.image_output),
        ];
        parts.into_iter().try_for_each(|(name, price)| {
            check_amount(price, "dollars a million tokens", &format!("{at}.{name}"))
        })
    }
}

/// What a service tier costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TierPrice {
    /// The usual prices of tokens times this factor.
    Factor(f64),
    /// Prices that replace the usual ones where they are set.
    Prices(TokenPrices),
}

/// The price of a model.
///
/// ```
/// use prometheus_metrics::collectors::{Price, TierPrice, TokenPrices};
///
/// let price = Price::new(3.0, 15.0)
///     .cache_read(Some(0.3))
///     .tier("batch", TierPrice::Factor(0.5))
///     .long_context(Some((200_000, TokenPrices::default().input(Some(6.0)).output(Some(22.5)))))
///     .server_tool("web_search", 0.01);
/// let painter = Price::default().image(Some(0.04));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Price {
    /// The usual prices of tokens.
    pub tokens: TokenPrices,
    /// Prices by service tier (`flex`, `priority`, `batch`, `fast`). A tier without an entry has the usual prices.
    pub tiers: Vec<(String, TierPrice)>,
    /// A number of input tokens, and the prices that replace the usual ones for requests with more.
    pub long_context: Option<(u64, TokenPrices)>,
    /// US dollars for an image.
    pub image: Option<f64>,
    /// US dollars for a second of audio.
    pub audio_second: Option<f64>,
    /// US dollars for a million characters of speech.
    pub characters: Option<f64>,
    /// US dollars for a call of each tool that the provider runs.
    pub server_tools: Vec<(String, f64)>,
}

setters!(Price {
    tokens: TokenPrices,
    tiers: Vec<(String, TierPrice)>,
    long_context: Option<(u64, TokenPrices)>,
    image: Option<f64>,
    audio_second: Option<f64>,
    characters: Option<f64>,
    server_tools: Vec<(String, f64)>,
});

/// Gives a price the setters of its prices of tokens.
macro_rules! token_setters {
    ($($field:ident),+) => {
        impl Price {
            $(
                #[doc = concat!("Sets the field `", stringify!($field), "` of the usual prices of tokens.")]
                #[must_use]
                pub fn $field(mut self, $field: Option<f64>) -> Self {
                    self.tokens.$field = $field;
                    self
                }
            )+
        }
    };
}

token_setters!(
    cache_read,
    cache_write,
    cache_write_long,
    reasoning,
    audio_input,
    audio_output,
    image_input,
    image_output
);

impl Price {
    /// A price of input and output tokens. `Price::default()` is the start of a price of media alone.
    #[must_use]
    pub fn new(input: f64, output: f64) -> Self {
        Self { tokens: TokenPrices::default().input(Some(input)).output(Some(output)), ..Self::default() }
    }

    /// Adds the price of a service tier.
    #[must_use]
    pub fn tier(mut self, tier: &str, price: TierPrice) -> Self {
        self.tiers.push((tier.to_owned(), price));
        self
    }

    /// Adds the price of a call of a tool that the provider runs.
    #[must_use]
    pub fn server_tool(mut self, tool: &str, dollars: f64) -> Self {
        self.server_tools.push((tool.to_owned(), dollars));
        self
    }

    /// Whether tokens have a price.
    pub(super) const fn has_tokens(&self) -> bool {
        self.tokens.input.is_some() || self.tokens.output.is_some()
    }

    fn check(&self, model: &str) -> Result<()> {
        let at = format!("prices[\"{model}\"]");
        self.tokens.check(&at)?;
        let units =
            [("image", self.image), ("audio_second", self.audio_second), ("characters", self.characters)];
        for (name, dollars) in units {
            check_amount(dollars, "dollars", &format!("{at}.{name}"))?;
        }
        for (tier, price) in &self.tiers {
            let at = format!("{at}.tiers.{tier}");
            match price {
                TierPrice::Factor(factor) => check_amount(Some(*factor), "a factor of 0 or more", &at)?,
                TierPrice::Prices(prices) => prices.check(&at)?,
            }
        }
        for (tool, dollars) in &self.server_tools {
            check_amount(Some(*dollars), "dollars", &format!("{at}.server_tools.{tool}"))?;
        }
        self.long_context.map_or(Ok(()), |(_, prices)| prices.check(&format!("{at}.long_context")))
    }
}

fn check_amount(amount: Option<f64>, expected: &str, at: &str) -> Result<()> {
    match amount {
        Some(amount) if !is_amount(amount) => Err(refused(expected, at, amount)),
        _ => Ok(()),
    }
}

fn refused(expected: &str, at: &str, received: impl std::fmt::Display) -> MetricsError {
    MetricsError::new(
        ErrorKind::InvalidConfig,
        format!("Expected {expected} for {at} but received {received}"),
    )
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
    /// `InvalidConfig` if a part of the price is not an amount, or if the model has a price without a start already.
    pub fn with(self, model: &str, price: Price) -> Result<Self> {
        self.with_period(model, i64::MIN, price)
    }

    /// Adds a price that applies from this day on: `2026-01-31`, in UTC.
    ///
    /// # Errors
    /// `InvalidConfig` for an invalid day, if a part of the price is not an amount, or if the model has a price from this day
    /// already.
    pub fn with_from(self, model: &str, day: &str, price: Price) -> Result<Self> {
        let Some(from) = unix_seconds_of(day) else {
            let at = format!("prices[\"{model}\"].from");
            return Err(refused("a day such as 2026-01-31", &at, format_args!("\"{day}\"")));
        };
        self.with_period(model, from, price)
    }

    fn with_period(mut self, model: &str, from: i64, price: Price) -> Result<Self> {
        price.check(model)?;
        let periods = self.models.entry(model.to_owned()).or_default();
        if periods.iter().any(|period| period.from == from) {
            let at = format!("prices[\"{model}\"]");
            return Err(refused("one price from each day", &at, "two from the same day"));
        }
        let place = periods.partition_point(|period| period.from > from);
        periods.insert(place, Period { from, price });
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
    /// The price at this moment; nothing if there was none.
    pub(super) fn at(&self, unix_now: Duration) -> Option<&Price> {
        let now = i64::try_from(unix_now.as_secs()).unwrap_or(i64::MAX);
        self.0.iter().find(|period| period.from <= now).map(|period| &period.price)
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
