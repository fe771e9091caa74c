//! Checks client addresses: reads allowlists and finds the address a request came from. A header is trusted only if its
//! sender is. It must not know sockets.

use std::net::{IpAddr, SocketAddr};

use ipnet::{IpNet, Ipv4Net};

use crate::error::{MetricsError, Result};

/// Entries of `X-Forwarded-For` that are read, from the right. No real chain of proxies is as long.
const MAX_HOPS: usize = 32;
/// An IPv4 address in IPv6 has 96 bits before its own: `::ffff:0:0/96`.
const MAPPED_PREFIX_BITS: u8 = 96;

/// A set of addresses, given as single addresses and CIDR blocks.
///
/// An IPv4 address written as IPv6 (`::ffff:10.0.0.1`, as dual-stack sockets report it) counts as the IPv4 address.
/// `::/0` contains every IPv6 address and no IPv4 address.
///
/// ```
/// use prometheus_metrics::http::Allowlist;
///
/// let allowlist = Allowlist::parse(&["10.0.0.0/8".to_owned(), "::1".to_owned()])?;
/// assert!(allowlist.contains("10.1.2.3".parse()?));
/// assert!(allowlist.contains("::ffff:10.1.2.3".parse()?));
/// assert!(!allowlist.contains("192.168.0.1".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowlist {
    blocks: Vec<IpNet>,
}

impl Allowlist {
    /// Reads `entries`, each an address or a CIDR block. Address bits beyond the prefix are ignored.
    ///
    /// # Errors
    /// `InvalidConfig` naming the first invalid entry.
    pub fn parse(entries: &[String]) -> Result<Self> {
        Self::parse_setting(entries, "allowlist")
    }

    /// Like `parse`, with this setting's name in errors.
    pub(crate) fn parse_setting(entries: &[String], setting: &str) -> Result<Self> {
        let blocks = entries.iter().map(|entry| block(entry, setting)).collect::<Result<_>>()?;
        Ok(Self { blocks })
    }

    /// Whether one of the blocks contains the address. The time grows with the number of blocks.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.blocks.iter().any(|block| block.contains(&address))
    }

    /// Whether the list is empty. The caller decides whether an empty list allows every address or none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }
}

/// The address a request came from. This is the peer of the connection. If the peer is a trusted proxy, it is the
/// rightmost address of `X-Forwarded-For` that is not a trusted proxy; entries further left were written by a client
/// that is not trusted.
///
/// The caller joins several header lines with commas, in order. An invalid entry ends the search at the trusted proxy
/// that added it. A port after an address is ignored. Only the last 32 entries are read. `None` if the connection has
/// no address (a Unix socket).
#[must_use]
pub fn client_address(
    peer: Option<IpAddr>,
    forwarded_for: Option<&str>,
    trusted: &Allowlist,
) -> Option<IpAddr> {
    let mut client = peer?.to_canonical();
    for hop in forwarded_for.unwrap_or_default().rsplit(',').take(MAX_HOPS) {
        if !trusted.contains(client) {
            break;
        }
        let Some(address) = forwarded_address(hop) else { break };
        client = address;
    }
    Some(client)
}

fn block(entry: &str, setting: &str) -> Result<IpNet> {
    let text = entry.trim();
    let block = match text.parse::<IpAddr>() {
        Ok(address) => Some(IpNet::from(address)),
        Err(_) => text.parse::<IpNet>().ok(),
    };
    block.map(canonical).ok_or_else(|| {
        MetricsError::invalid_config(format!(
            "Expected an address or CIDR block for {setting} but received {entry:?}"
        ))
    })
}

/// Converts an IPv4 block written as IPv6 to the IPv4 block, because `contains` converts addresses in the same way.
fn canonical(block: IpNet) -> IpNet {
    let IpNet::V6(v6) = block else { return block };
    let mapped = v6.addr().to_ipv4_mapped();
    let bits = v6.prefix_len().checked_sub(MAPPED_PREFIX_BITS);
    let v4 = mapped.zip(bits).and_then(|(address, bits)| Ipv4Net::new(address, bits).ok());
    v4.map_or(block, IpNet::V4)
}

fn forwarded_address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    let address = bare.parse::<IpAddr>().or_else(|_| hop.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address| address.to_canonical())
}
