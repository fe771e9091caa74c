//! stub
use crate::error::Result;
use std::net::IpAddr;
/// stub
pub struct Allowlist;
impl Allowlist {
    /// stub
    pub fn parse(_: &[String]) -> Result<Self> {
        Ok(Self)
    }
    /// stub
    pub fn contains(&self, _: IpAddr) -> bool {
        true
    }
    /// stub
    pub fn is_empty(&self) -> bool {
        true
    }
}
/// stub
pub fn client_address(peer: Option<IpAddr>, _: Option<&str>, _: &Allowlist) -> Option<IpAddr> {
    peer
}
