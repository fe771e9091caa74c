//! Decides whether a request is allowed: checks the address, the rate and the credentials, in this order, from the
//! cheapest check to the most expensive one.

use super::address::{Allowlist, client_address};
use super::auth::{AuthConfig, Authenticator, Verdict, Verification};
use super::pem::read_bounded;
use super::rate_limit::RateLimiter;
use super::request::Request;
use super::response::Response;
use super::self_metrics::Rejection;
use super::web_config::{RateLimit, WebConfig};
use crate::config::MetricsConfig;
use crate::error::{ErrorKind, MetricsError, Result};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

/// The largest accepted token file. It has room for thousands of tokens.
const MAX_TOKEN_FILE_BYTES: u64 = 1024 * 1024;

pub(crate) struct Gate {
    allowlist: Allowlist,
    trusted_proxies: Allowlist,
    rate_limit: Option<RateLimiter>,
    authenticator: Authenticator,
    /// The host program decides about requests that the credentials do not allow.
    has_callback: bool,
}

/// The gate's decision about a request.
pub(crate) enum Passage {
    /// Allowed.
    Open,
    /// Refused, with the response.
    Shut(Rejection, Response),
    /// A password must be hashed, which takes about 0.1 s.
    Verify(Verification),
    /// The host program must decide.
    Ask,
}

impl Gate {
    pub(crate) fn new(config: &MetricsConfig, web: &WebConfig, has_callback: bool) -> Result<Self> {
        Ok(Self {
            allowlist: Allowlist::parse(&config.allowlist)
                .map_err(|error| config.blame(&error, &["allowlist"]))?,
            trusted_proxies: Allowlist::parse_setting(&config.trusted_proxies, "trustedProxies")
                .map_err(|error| config.blame(&error, &["trustedProxies"]))?,
            rate_limit: rate_limiter(config, web.rate_limit)?,
            authenticator: authenticator(config, &web.basic_users)?,
            has_callback,
        })
    }

    /// The client's address: the peer, or the address that a trusted proxy has added.
    pub(crate) fn client(&self, request: &Request<'_>) -> Option<IpAddr> {
        client_address(request.peer, request.forwarded_for, &self.trusted_proxies)
    }

    pub(crate) fn check(&self, request: &Request<'_>, client: Option<IpAddr>) -> Passage {
        // A client without a known address is not on the allowlist.
        let is_listed = || client.is_some_and(|address| self.allowlist.contains(address));
        if !self.allowlist.is_empty() && !request.is_local && !is_listed() {
            return Passage::Shut(Rejection::Address, Response::plain(403, "Forbidden.\n"));
        }
        if let Some(limit) = &self.rate_limit
            && let Err(wait) = limit.check(client)
        {
            return Passage::Shut(Rejection::RateLimit, too_many("Too many requests.\n", wait));
        }
        if !self.authenticator.is_required() {
            return if self.has_callback { Passage::Ask } else { Passage::Open };
        }
        self.passage(self.authenticator.check(request.authorization, client))
    }

    /// Whether requests need credentials of any kind.
    pub(crate) fn knows_clients(&self) -> bool {
        self.has_callback || self.authenticator.is_required()
    }

    /// Whether a request that needs no credentials has some that are correct. Unknown passwords are not hashed.
    pub(crate) fn recognizes(&self, request: &Request<'_>, client: Option<IpAddr>) -> bool {
        self.authenticator.is_required()
            && request.authorization.is_some()
            && matches!(self.authenticator.check(request.authorization, client), Verdict::Granted)
    }

    /// Hashes a password. Blocks meanwhile.
    pub(crate) fn verify(&self, verification: Verification) -> Passage {
        self.passage(self.authenticator.verify(verification))
    }

    fn passage(&self, verdict: Verdict) -> Passage {
        match verdict {
            Verdict::Granted => Passage::Open,
            Verdict::Verify(verification) => Passage::Verify(verification),
            Verdict::Limited(wait) => {
                Passage::Shut(Rejection::CredentialLimit, too_many("Too many wrong credentials.\n", wait))
            }
            Verdict::Denied if self.has_callback => Passage::Ask,
            Verdict::Denied => Passage::Shut(Rejection::Unauthorized, self.unauthorized()),
        }
    }

    pub(crate) fn unauthorized(&self) -> Response {
        let response = Response::plain(401, "Unauthorized.\n");
        if self.authenticator.is_required() {
            response.with("www-authenticate", self.authenticator.challenge())
        } else {
            response.with("www-authenticate", "Bearer realm=\"metrics\"")
        }
    }
}

fn too_many(text: &str, wait: Duration) -> Response {
    Response::plain(429, text).retry_after(wait)
}

/// The rate limit of the settings, or else of the web configuration file.
fn rate_limiter(config: &MetricsConfig, web: Option<RateLimit>) -> Result<Option<RateLimiter>> {
    let (per_second, burst) = match (config.rate_limit_rps, web) {
        (Some(per_second), _) => {
            (per_second, config.rate_limit_burst.unwrap_or(((per_second * 2.0).ceil() as u32).min(1_000_000)))
        }
        (None, Some(RateLimit { interval, burst })) => (interval.as_secs_f64().recip(), burst.get()),
        (None, None) => return Ok(None),
    };
    RateLimiter::new(per_second, NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN))
        .map(Some)
        .map_err(|error| config.blame(&error, &["webConfigFile"]))
}

fn authenticator(config: &MetricsConfig, web_users: &[(String, String)]) -> Result<Authenticator> {
    let token_options = ["bearerTokenFile", "bearerTokens"];
    let all = auth_config(config, web_users).map_err(|error| config.blame(&error, &token_options[..1]))?;
    // Tokens alone first, so that an error names the settings that it is about.
    Authenticator::new(AuthConfig { basic_users: Vec::new(), ..all.clone() })
        .map_err(|error| config.blame(&error, &token_options))?;
    Authenticator::new(all).map_err(|error| config.blame(&error, &["basicUsers", "webConfigFile"]))
}

/// The credentials of the settings, the token file, and the web configuration file (`web_users`).
fn auth_config(config: &MetricsConfig, web_users: &[(String, String)]) -> Result<AuthConfig> {
    let mut bearer_tokens = config.bearer_tokens.clone();
    if let Some(file) = &config.bearer_token_file {
        let bytes = read_bounded(Path::new(file), MAX_TOKEN_FILE_BYTES).map_err(|what| {
            MetricsError::new(
                ErrorKind::InvalidConfig,
                format!("Expected a readable file for bearerTokenFile but received \"{file}\": {what}"),
            )
        })?;
        let text = String::from_utf8_lossy(&bytes);
        let before = bearer_tokens.len();
        bearer_tokens.extend(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
        if bearer_tokens.len() == before {
            return Err(MetricsError::new(
                ErrorKind::InvalidConfig,
                format!("Expected a token in the file for bearerTokenFile but received none in \"{file}\""),
            ));
        }
    }
    let basic_users = config
        .basic_users
        .iter()
        .filter_map(|user| user.split_once(':'))
        .map(|(name, hash)| (name.to_owned(), hash.to_owned()))
        .chain(web_users.iter().cloned())
        .collect();
    Ok(AuthConfig {
        bearer_tokens,
        basic_users,
        failures_per_minute: config.auth_failures_per_minute,
        // The number for twenty seconds.
        failure_burst: config.auth_failures_per_minute.div_ceil(3),
    })
}
