//! Checks bearer tokens and passwords. It remembers correct passwords, so that a known scraper does not wait, and
//! hashes one unknown password at a time. It must not know requests or sockets.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use parking_lot::Mutex;
use subtle::Choice;

use super::passwords;
use super::rate_limit::{ClientKey, RateLimiter};
use super::remembered_credentials::{RememberedCredentials, Secret};
use crate::error::{MetricsError, Result};

/// The longest accepted `Authorization` header, in bytes. Longer ones are denied.
const MAX_HEADER_BYTES: usize = 8 * 1024;
/// The most passwords that wait to be hashed, including the one being hashed. Further requests get 429.
const MAX_PENDING: usize = 16;
/// `Retry-After` of these requests. In a second a few passwords are hashed at bcrypt's usual costs.
const PENDING_RETRY: Duration = Duration::from_secs(1);
/// The costs that bcrypt allows.
const COSTS: std::ops::RangeInclusive<u32> = 4..=31;

/// The accepted credentials. Without tokens and users, every request is allowed.
#[derive(Clone)]
#[non_exhaustive]
pub struct AuthConfig {
    /// Tokens for `Authorization: Bearer`, of visible ASCII characters.
    ///
    /// A token should be long and random: an attacker can try as many as the limit below allows.
    pub bearer_tokens: Vec<String>,
    /// Users of basic authentication, each with the bcrypt hash (`$2a$`, `$2b$`, `$2y$`) of the password.
    ///
    /// As always with bcrypt, only the first 72 bytes of a password count. A password with a NUL is refused.
    pub basic_users: Vec<(String, String)>,
    /// How many new credentials a client may try per minute. Credentials it was granted access with before do not
    /// count.
    ///
    /// @default 30
    pub failures_per_minute: u32,
    /// How many new credentials a client may try at once.
    ///
    /// @default 10
    pub failure_burst: u32,
}

setters!(AuthConfig {
    bearer_tokens: Vec<String>,
    basic_users: Vec<(String, String)>,
    failures_per_minute: u32,
    failure_burst: u32,
});

/// Decides by the `Authorization` header whether a request is allowed.
///
/// `check` never blocks. If it needs to hash a password, it returns a `Verification`; pass it to `verify` on a thread
/// that may block (70 ms at cost 10).
pub struct Authenticator {
    /// The key of the digests of secrets. It is random, so that an attacker cannot predict a digest.
    key: [u8; 32],
    tokens: Vec<Secret>,
    users: HashMap<String, User>,
    /// The highest cost of all users. Every refusal takes as long as one hash of this cost.
    max_cost: u32,
    tries: RateLimiter,
    remembered: Mutex<RememberedCredentials>,
    pending: Arc<AtomicUsize>,
    /// Held while hashing, so that an attack occupies only one core.
    hashing: Mutex<()>,
    hashes: AtomicU64,
}

/// The decision about a request's credentials.
#[derive(Debug)]
pub enum Verdict {
    /// Allowed.
    Granted,
    /// Answer 401 with the challenge.
    Denied,
    /// Answer 429, with the time to wait: this client has tried too many credentials, or too many passwords wait to be
    /// hashed.
    Limited(Duration),
    /// Not decided yet: call `Authenticator::verify`, which hashes the password.
    Verify(Verification),
}

/// A password to hash. Dropping it cancels the check.
pub struct Verification {
    user: String,
    password: Vec<u8>,
    secret: Secret,
    peer: ClientKey,
    _slot: HashSlot,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            bearer_tokens: Vec::new(),
            basic_users: Vec::new(),
            failures_per_minute: 30,
            failure_burst: 10,
        }
    }
}

impl Authenticator {
    /// Checks the configuration.
    ///
    /// # Errors
    /// `InvalidConfig` for a token that is empty or has other than visible ASCII characters, a user name that is
    /// repeated or has a colon or a control character, an invalid bcrypt hash, or a limit of 0. No message shows a
    /// secret.
    pub fn new(config: AuthConfig) -> Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| {
            MetricsError::invalid_config(format!("Expected random bytes but received {error}"))
        })?;
        let tokens =
            config.bearer_tokens.iter().map(|token| checked_token(&key, token)).collect::<Result<_>>()?;
        let mut users = HashMap::new();
        for (name, hash) in config.basic_users {
            let user = checked_user(&name, hash)?;
            if users.contains_key(&name) {
                return Err(MetricsError::invalid_config(format!(
                    "Expected one password for user {name:?} but received two"
                )));
            }
            users.insert(name, user);
        }
        let burst = NonZeroU32::new(config.failure_burst).ok_or_else(|| {
            MetricsError::invalid_config("Expected a whole number from 1 for failure_burst but received 0")
        })?;
        if config.failures_per_minute == 0 {
            return Err(MetricsError::invalid_config(
                "Expected a whole number from 1 for failures_per_minute but received 0",
            ));
        }
        Ok(Self {
            key,
            tokens,
            max_cost: users.values().map(|user: &User| user.cost).max().unwrap_or(*COSTS.start()),
            users,
            tries: RateLimiter::new(f64::from(config.failures_per_minute) / 60.0, burst)?,
            remembered: Mutex::default(),
            pending: Arc::default(),
            hashing: Mutex::new(()),
            hashes: AtomicU64::new(0),
        })
    }

    /// Whether requests need credentials.
    #[must_use]
    pub fn is_required(&self) -> bool {
        !self.tokens.is_empty() || !self.users.is_empty()
    }

    /// The value of `WWW-Authenticate` for a refusal.
    #[must_use]
    pub fn challenge(&self) -> &'static str {
        match (self.tokens.is_empty(), self.users.is_empty()) {
            (false, true) => r#"Bearer realm="metrics""#,
            (false, false) => r#"Bearer realm="metrics", Basic realm="metrics", charset="UTF-8""#,
            (true, _) => r#"Basic realm="metrics", charset="UTF-8""#,
        }
    }

    /// How many passwords were hashed so far.
    #[must_use]
    pub fn hashes(&self) -> u64 {
        self.hashes.load(Ordering::Relaxed)
    }

    /// Checks an `Authorization` header without hashing a password.
    ///
    /// Credentials that this client was granted access with before are always granted. All other credentials use up one
    /// of the client's tries, whether they are correct or not. A header that is missing, malformed or of a scheme that
    /// is not configured uses up none, because it guesses nothing. Correct credentials are remembered for each client,
    /// so another client's guess at them is limited like every other guess.
    #[must_use]
    pub fn check(&self, authorization: Option<&str>, peer: Option<IpAddr>) -> Verdict {
        if !self.is_required() {
            return Verdict::Granted;
        }
        match authorization.and_then(Credentials::parse) {
            Some(Credentials::Bearer(token)) if !self.tokens.is_empty() => self.check_token(token, peer),
            Some(Credentials::Basic { user, password }) if !self.users.is_empty() => {
                self.check_password(user, password, peer)
            }
            _ => Verdict::Denied,
        }
    }

    /// Hashes the password of a `Verification`, after the ones before it. Each of at most 16 blocks for about 70 ms at
    /// cost 10, and each step of the cost doubles that. Never returns `Verify`.
    ///
    /// A refusal takes the same time for known and unknown users.
    #[must_use]
    pub fn verify(&self, verification: Verification) -> Verdict {
        let Verification { user, password, secret, peer, _slot } = verification;
        let _turn = self.hashing.lock();
        // Another request may have had the same password hashed meanwhile.
        if let Some(right) = self.remembered.lock().verdict(secret, peer) {
            return if right { Verdict::Granted } else { Verdict::Denied };
        }
        self.hashes.fetch_add(1, Ordering::Relaxed);
        let user = self.users.get(&user);
        let right = user.is_some_and(|user| passwords::verify(&password, &user.hash));
        if right {
            self.remembered.lock().grant(secret, peer);
            return Verdict::Granted;
        }
        self.spend_the_rest(user, &password);
        self.remembered.lock().refuse(secret);
        Verdict::Denied
    }

    fn check_token(&self, token: &str, peer: Option<IpAddr>) -> Verdict {
        let secret = Secret::token(&self.key, token);
        if self.remembered.lock().verdict(secret, ClientKey::of(peer)) == Some(true) {
            return Verdict::Granted;
        }
        if let Err(wait) = self.tries.check(peer) {
            return Verdict::Limited(wait);
        }
        // Compare with all tokens, so that the time does not reveal which one matched.
        let right = self.tokens.iter().fold(Choice::from(0), |right, token| right | token.same(secret));
        if !bool::from(right) {
            return Verdict::Denied;
        }
        self.remembered.lock().grant(secret, ClientKey::of(peer));
        Verdict::Granted
    }

    fn check_password(&self, user: String, password: Vec<u8>, peer: Option<IpAddr>) -> Verdict {
        // bcrypt ends a password at a NUL and repeats it, so `p\0p` would pass for `p`.
        if password.contains(&0) {
            return self.tries.check(peer).map_or_else(Verdict::Limited, |()| Verdict::Denied);
        }
        let secret = Secret::password(&self.key, &user, &password);
        let known = self.remembered.lock().verdict(secret, ClientKey::of(peer));
        if known == Some(true) {
            return Verdict::Granted;
        }
        // First, so that who is put off is not charged.
        let pending = if known.is_none() { HashSlot::enter(&self.pending) } else { None };
        if known.is_none() && pending.is_none() {
            return Verdict::Limited(PENDING_RETRY);
        }
        if let Err(wait) = self.tries.check(peer) {
            return Verdict::Limited(wait);
        }
        match pending {
            Some(_slot) => {
                Verdict::Verify(Verification { user, password, secret, peer: ClientKey::of(peer), _slot })
            }
            None => Verdict::Denied,
        }
    }

    /// After a wrong password, hashes on until the total time is that of one hash of the highest cost. Cost `c` is 2^c
    /// rounds, and 2^c + 2^c + 2^(c+1) + ... + 2^(max-1) = 2^max.
    fn spend_the_rest(&self, user: Option<&User>, password: &[u8]) {
        let costs = match user {
            Some(user) => user.cost..self.max_cost,
            None => self.max_cost..self.max_cost + 1,
        };
        for cost in costs {
            passwords::spend(password, cost);
        }
    }
}

impl fmt::Debug for AuthConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthConfig")
            .field("bearer_tokens", &self.bearer_tokens.len())
            .field("basic_users", &self.basic_users.iter().map(|(user, _)| user).collect::<Vec<_>>())
            .field("failures_per_minute", &self.failures_per_minute)
            .field("failure_burst", &self.failure_burst)
            .finish()
    }
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator")
            .field("tokens", &self.tokens.len())
            .field("users", &self.users.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verification").field("peer", &self.peer).finish_non_exhaustive()
    }
}

struct User {
    hash: String,
    cost: u32,
}

/// The credentials in a header.
enum Credentials<'a> {
    Bearer(&'a str),
    Basic { user: String, password: Vec<u8> },
}

impl<'a> Credentials<'a> {
    /// Reads RFC 7617 and 6750; `None` for another scheme or malformed credentials.
    fn parse(header: &'a str) -> Option<Self> {
        if header.len() > MAX_HEADER_BYTES {
            return None;
        }
        let (scheme, rest) = header.trim_matches(' ').split_once(' ')?;
        let rest = rest.trim_start_matches(' ');
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(Self::Bearer(rest));
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let mut user = String::from_utf8(BASE64.decode(rest).ok()?).ok()?;
        let colon = user.find(':')?;
        let password = user.split_off(colon + 1).into_bytes();
        user.truncate(colon);
        Some(Self::Basic { user, password })
    }
}

/// One of the `MAX_PENDING` places for passwords that wait to be hashed. Dropping it frees the place.
struct HashSlot(Arc<AtomicUsize>);

impl HashSlot {
    fn enter(pending: &Arc<AtomicUsize>) -> Option<Self> {
        let entered = Self(Arc::clone(pending));
        (pending.fetch_add(1, Ordering::Relaxed) < MAX_PENDING).then_some(entered)
    }
}

impl Drop for HashSlot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn checked_token(key: &[u8; 32], token: &str) -> Result<Secret> {
    // A longer one could never be sent.
    let lengths = 1..=MAX_HEADER_BYTES - "Bearer ".len();
    if !lengths.contains(&token.len()) || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(MetricsError::invalid_config(
            "Expected up to 8185 visible ASCII characters for a bearer token but received a text of another length or with other characters",
        ));
    }
    Ok(Secret::token(key, token))
}

fn checked_user(name: &str, hash: String) -> Result<User> {
    passwords::supported()?;
    if name.contains(|character: char| character == ':' || character.is_control()) {
        return Err(MetricsError::invalid_config(format!(
            "Expected a name without colons and control characters for a user but received {name:?}"
        )));
    }
    let expected = |what: &str| {
        MetricsError::invalid_config(format!("Expected a bcrypt hash for user {name:?} but received {what}"))
    };
    if !["$2a$", "$2b$", "$2y$"].iter().any(|prefix| hash.starts_with(prefix)) {
        return Err(expected("text without the prefix $2a$, $2b$ or $2y$"));
    }
    let cost = passwords::cost(&hash).ok_or_else(|| expected("a malformed one"))?;
    if !COSTS.contains(&cost) {
        return Err(expected(&format!("one of cost {cost}, outside 4 to 31")));
    }
    Ok(User { hash, cost })
}

#[cfg(all(test, not(feature = "auth")))]
mod tests {
    use super::*;

    #[test]
    fn users_are_refused_without_the_feature() {
        let users = vec![("scraper".to_owned(), "$2b$04$".to_owned())];
        let error = Authenticator::new(AuthConfig::default().basic_users(users)).expect_err("it is refused");
        assert!(error.to_string().contains("Cargo feature auth"));
        let tokens = AuthConfig::default().bearer_tokens(vec!["token".to_owned()]);
        let auth = Authenticator::new(tokens).expect("tokens need no feature");
        assert!(matches!(auth.check(Some("Bearer token"), None), Verdict::Granted));
    }
}
