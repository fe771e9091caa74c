//! stub
use crate::error::Result;
use std::net::IpAddr;
use std::time::Duration;
/// stub
#[derive(Default)]
pub struct AuthConfig {
    /// stub
    pub bearer_tokens: Vec<String>,
    /// stub
    pub basic_users: Vec<(String, String)>,
    /// stub
    pub failures_per_minute: u32,
    /// stub
    pub failure_burst: u32,
}
/// stub
pub struct Verification;
/// stub
pub enum Verdict {
    /// stub
    Granted,
    /// stub
    Denied,
    /// stub
    Limited(Duration),
    /// stub
    Verify(Verification),
}
/// stub
pub struct Authenticator;
impl Authenticator {
    /// stub
    pub fn new(_: AuthConfig) -> Result<Self> {
        Ok(Self)
    }
    /// stub
    pub fn is_required(&self) -> bool {
        false
    }
    /// stub
    pub fn check(&self, _: Option<&str>, _: Option<IpAddr>) -> Verdict {
        Verdict::Granted
    }
    /// stub
    pub fn verify(&self, _: Verification) -> Verdict {
        Verdict::Granted
    }
    /// stub
    pub fn challenge(&self) -> &'static str {
        "x"
    }
}
