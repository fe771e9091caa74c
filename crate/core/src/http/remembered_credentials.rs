//! Remembers credentials that were checked before, so that they are not hashed again. It keeps digests, never the
//! credentials themselves, and a bounded number of them.

use std::collections::{HashSet, VecDeque};
use std::hash::Hash;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::rate_limit::ClientKey;

/// How many correct credentials are remembered, each for one client.
const GRANTED_KEPT: usize = 1024;
/// How many wrong passwords are remembered, in about 0.4 MB.
const REFUSED_KEPT: usize = 4096;

/// The digest by which a secret is remembered and compared: SHA-256 of the key and all parts, each after its length. A
/// digest never leaves the process, so a key before the text is as good as HMAC.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Secret([u8; 32]);

impl Secret {
    pub(super) fn token(key: &[u8; 32], token: &str) -> Self {
        Self::of(key, [b"bearer", b"", token.as_bytes()])
    }

    pub(super) fn password(key: &[u8; 32], user: &str, password: &[u8]) -> Self {
        Self::of(key, [b"basic", user.as_bytes(), password])
    }

    /// Compares in constant time.
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

/// The remembered credentials. The time of a look-up reveals nothing, because an attacker cannot predict a digest.
pub(super) struct RememberedCredentials {
    granted: Recent<(Secret, ClientKey)>,
    refused: Recent<Secret>,
}

impl RememberedCredentials {
    /// Whether these credentials are correct; `None` if they are not remembered. Correct ones are remembered for one
    /// client, wrong ones for all clients.
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

/// The latest `limit` different keys.
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
