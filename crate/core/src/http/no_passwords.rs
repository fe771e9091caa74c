//! Stands in for `passwords.rs` in a build without the feature `auth`: it refuses users, so no password is ever checked.

use crate::error::{MetricsError, Result};

/// # Errors
/// Always `InvalidConfig`.
pub(super) fn supported() -> Result<()> {
    Err(MetricsError::invalid_config(
        "Expected no users with passwords, because this program was built without the Cargo feature auth: turn it on \
         or remove the users",
    ))
}

pub(super) const fn cost(_hash: &str) -> Option<u32> {
    None
}

pub(super) const fn verify(_password: &[u8], _hash: &str) -> bool {
    false
}

pub(super) const fn spend(_password: &[u8], _cost: u32) {}
