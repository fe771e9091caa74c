//! Hashes passwords with bcrypt. It must not know users.

use crate::error::Result;
use bcrypt::HashParts;

/// Whether this build can check passwords. It can.
#[expect(clippy::unnecessary_wraps, reason = "it has the signature of the one in a build without passwords")]
pub(super) const fn supported() -> Result<()> {
    Ok(())
}

/// The cost of a hash; `None` if it is malformed.
pub(super) fn cost(hash: &str) -> Option<u32> {
    hash.parse::<HashParts>().ok().map(|parts| parts.get_cost())
}

/// Whether the hash is that of the password.
pub(super) fn verify(password: &[u8], hash: &str) -> bool {
    bcrypt::verify(password, hash).unwrap_or(false)
}

/// Takes as long as a hash of this cost.
pub(super) fn spend(password: &[u8], cost: u32) {
    let _ = std::hint::black_box(bcrypt::hash_with_salt(password, cost, [0; 16]));
}
