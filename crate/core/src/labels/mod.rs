//! Names and label sets: what is valid, how it is written, and when two label sets are one.

mod label_set;
mod validation;

pub use label_set::LabelSet;
pub(crate) use label_set::{Pair, canonical_key, pairs, render};
pub use validation::{LabelName, MetricName, Strictness};
