//! Computes the cost of a request from its price, in US dollars. `src/collectors/llm/cost.ts` has the same rules, and adds in
//! the same order, so that both languages give the same number; change both together.

use super::prices::{Price, TierPrice, TokenPrices};
use super::request::{LlmEnd, LlmMedia, LlmUsage};
use crate::collectors::words::MediaUnit;

const MILLION: f64 = 1_000_000.0;

/// The cost of an answer; nothing if a part of it has no price.
pub(super) fn cost_of(price: &Price, end: &LlmEnd<'_>) -> Option<f64> {
    let has_tokens = end.usage.has_tokens();
    let tokens = if has_tokens { cost_of_tokens(price, end)? } else { 0.0 };
    let cost = tokens + cost_of_tools(price, end.server_tools)?;
    match end.media.map(|media| cost_of_media(price, media)) {
        None => Some(cost),
        Some(Some(media)) => Some(cost + media),
        // An answer with media that reports its tokens is billed by the tokens.
        Some(None) => has_tokens.then_some(cost),
    }
}

/// The cost of images, audio or characters; nothing without a price for the unit.
pub(super) fn cost_of_media(price: &Price, LlmMedia { unit, amount }: LlmMedia) -> Option<f64> {
    match unit {
        MediaUnit::Images => price.image.map(|each| amount * each),
        MediaUnit::AudioSeconds => price.audio_second.map(|each| amount * each),
        MediaUnit::Characters => price.characters.map(|each| (amount * each) / MILLION),
    }
}

fn cost_of_tools(price: &Price, calls: &[(&str, u64)]) -> Option<f64> {
    calls.iter().filter(|(_, count)| *count > 0).try_fold(0.0, |cost, (tool, count)| {
        let (_, dollars) = price.server_tools.iter().find(|(priced, _)| priced == tool)?;
        Some(cost + *count as f64 * dollars)
    })
}

fn cost_of_tokens(price: &Price, end: &LlmEnd<'_>) -> Option<f64> {
    let usage = &end.usage;
    let prices = match &price.long_context {
        Some((above, long)) if usage.input_tokens.unwrap_or_default() > *above => long.over(&price.tokens),
        _ => price.tokens,
    };
    let tier = end.service_tier.and_then(|name| price.tiers.iter().find(|(tier, _)| tier == name));
    match tier {
        Some((_, TierPrice::Prices(tier))) => sum(&tier.over(&prices), usage),
        Some((_, TierPrice::Factor(factor))) => sum(&prices, usage).map(|usual| usual * factor),
        None => sum(&prices, usage),
    }
}

/// A part is billed at most for as many tokens as its whole has left.
fn sum(prices: &TokenPrices, usage: &LlmUsage) -> Option<f64> {
    let (input, output) = (usage.input_tokens.unwrap_or_default(), usage.output_tokens.unwrap_or_default());
    if (prices.input.is_none() && input > 0) || (prices.output.is_none() && output > 0) {
        return None;
    }
    let (per_input, per_output) = (prices.input.unwrap_or_default(), prices.output.unwrap_or_default());
    let cache_write = prices.cache_write.unwrap_or(per_input);
    let written = usage.cache_write_tokens.unwrap_or_default();
    let long = usage.cache_write_long_tokens.unwrap_or_default().min(written);
    let mut cost = 0.0;
    let mut bill = |whole: u64, price: f64, parts: &[(Option<u64>, Option<f64>)]| {
        let mut rest = whole;
        for (tokens, price) in parts {
            if let (Some(tokens), Some(price)) = (tokens, price) {
                let tokens = rest.min(*tokens);
                rest -= tokens;
                cost += tokens as f64 * price;
            }
        }
        cost += rest as f64 * price;
    };
    bill(
        input,
        per_input,
        &[
            (usage.cache_read_tokens, Some(prices.cache_read.unwrap_or(per_input))),
            (Some(long), Some(prices.cache_write_long.unwrap_or(cache_write))),
            (Some(written - long), Some(cache_write)),
            (usage.audio_input_tokens, prices.audio_input),
            (usage.image_input_tokens, prices.image_input),
        ],
    );
    bill(
        output,
        per_output,
        &[
            (usage.reasoning_tokens, Some(prices.reasoning.unwrap_or(per_output))),
            (usage.audio_output_tokens, prices.audio_output),
            (usage.image_output_tokens, prices.image_output),
        ],
    );
    Some(cost / MILLION)
}
