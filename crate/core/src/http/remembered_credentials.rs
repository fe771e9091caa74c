//! Credentials that were judged before, so that they need no hash. Keeps digests, never the credentials, and a bounded
//! number of them.

use std::collections::{HashSet, VecDeque};
use std::hash::Hash;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::rate_limit::ClientKey;

/// Right credentials remembered, each with its peer.
const GRANTED_KEPT: usize = 1024;
/// Wrong passwords remembered, about 0.4 MB.
const REFUSED_KEPT: usize = 4096;

/// A secret as it is remembered and compared: SHA-256 over the key and all parts, each after its length. No digest is
/// ever shown, so a key before the text is as good as HMAC.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Secret([u8; 32]);

impl Secret {
    pub(super) fn token(key: &[u8; 32], token: &str) -> Self {
        Self::of(key, [b"bearer", b"", token.as_bytes()])
    }

    pub(super) fn password(key: &[u8; 32], user: &str, password: &[u8]) -> Self {
        Self::of(key, [b"basic", user.as_bytes(), password])
    }

    /// Whether both are the same, in constant time.
    pub(super) fn same(self, other: Self) -> Choice {
        self.0.ct_eq(&other.0)
    }

    fn of(key: &[u8; 32], parts: [&[u8]; 3]) -> Self {
        let mut digest = Sha256::new_with_prefix(key);
        for part in parts {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        Self(digest.finalize().into())
    }
}

/// Credentials that need no hash. Looking them up tells nothing by its time: nobody can foresee a digest.
pub(super) struct RememberedCredentials {
    granted: Recent<(Secret, ClientKey)>,
    refused: Recent<Secret>,
}

impl RememberedCredentials {
    /// What is known of these credentials from this peer: right ones are known by peer, wrong ones are wrong for all.
    pub(super) fn verdict(&self, secret: Secret, peer: ClientKey) -> Option<bool> {
        if self.granted.contains(&(secret, peer)) {
            return Some(true);
        }
        self.refused.contains(&secret).then_some(false)
    }

    pub(super) fn grant(&mut self, secret: Secret, peer: ClientKey) {
        self.granted.insert((secret, peer));
    }

    pub(super) fn refuse(&mut self, secret: Secret) {
        self.refused.insert(secret);
    }
}

impl Default for RememberedCredentials {
    fn default() -> Self {
        Self { granted: Recent::new(GRANTED_KEPT), refused: Recent::new(REFUSED_KEPT) }
    }
}

/// The last `limit` different keys.
struct Recent<K> {
    keys: HashSet<K>,
    oldest_first: VecDeque<K>,
    limit: usize,
}

impl<K: Copy + Eq + Hash> Recent<K> {
    fn new(limit: usize) -> Self {
        Self { keys: HashSet::new(), oldest_first: VecDeque::new(), limit }
    }

    fn contains(&self, key: &K) -> bool {
        self.keys.contains(key)
    }

    fn insert(&mut self, key: K) {
        if !self.keys.insert(key) {
            return;
        }
        self.oldest_first.push_back(key);
        if self.oldest_first.len() > self.limit
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.keys.remove(&oldest);
        }
    }
}
