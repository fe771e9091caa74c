//! Tests the allowlist, and how a request's client address is found.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{Outcome, refusal};
use prometheus_metrics::ErrorKind;
use prometheus_metrics::http::{Allowlist, client_address};
use proptest::prelude::*;

fn allowlist(entries: &[&str]) -> prometheus_metrics::Result<Allowlist> {
    Allowlist::parse(&entries.iter().map(|entry| (*entry).to_owned()).collect::<Vec<_>>())
}

#[test]
fn test_allowlist_contains_addresses_and_blocks() -> Outcome {
    let list = allowlist(&["10.0.0.0/8", " 192.168.1.7 ", "::1", "2001:db8::/32", "172.16.5.9/12"])?;
    let inside = [
        "10.0.0.0",
        "10.255.255.255",
        "::ffff:10.1.2.3",
        "192.168.1.7",
        "::1",
        "2001:db8:ffff::1",
        "172.16.0.0",
        "172.31.255.255",
    ];
    let outside =
        ["9.255.255.255", "11.0.0.0", "192.168.1.8", "::2", "2001:db9::", "172.32.0.0", "::10.0.0.1"];
    for address in inside {
        assert!(list.contains(address.parse()?), "{address}");
    }
    for address in outside {
        assert!(!list.contains(address.parse()?), "{address}");
    }
    assert!(!list.is_empty());
    Ok(())
}

#[test]
fn test_allowlist_treats_a_mapped_ipv4_address_as_ipv4() -> Outcome {
    let list = allowlist(&["::ffff:10.0.0.0/104", "::ffff:192.168.0.1"])?;
    assert_eq!(list, allowlist(&["10.0.0.0/8", "192.168.0.1"])?);
    assert_eq!(allowlist(&["::ffff:0:0/96"])?, allowlist(&["0.0.0.0/0"])?);
    let all_v6 = allowlist(&["::/0"])?;
    assert!(all_v6.contains("2001:db8::1".parse()?));
    assert!(!all_v6.contains("10.0.0.1".parse()?));
    assert!(!allowlist(&["0.0.0.0/0"])?.contains("::1".parse()?));
    Ok(())
}

#[test]
fn test_an_empty_allowlist_contains_no_address() -> Outcome {
    let list = allowlist(&[])?;
    assert!(list.is_empty());
    assert!(!list.contains("127.0.0.1".parse()?));
    assert_eq!(list, Allowlist::default());
    Ok(())
}

#[test]
fn test_allowlist_refuses_invalid_entries() {
    let entries = [
        "",
        "x",
        "10.0.0",
        "10.0.0.256",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/",
        "/8",
        "::1/129",
        "localhost",
        "10.0.0.1:80",
        "[::1]",
        "fe80::1%eth0",
        "10.0.0.0/255.0.0.0",
        "10.0.0.1,10.0.0.2",
        "\u{661}.0.0.1",
    ];
    for entry in entries {
        let message = format!("Expected an address or CIDR block for allowlist but received {entry:?}");
        assert_eq!(refusal(allowlist(&["10.0.0.1", entry])), (ErrorKind::InvalidConfig, message));
    }
    assert_eq!(ErrorKind::InvalidConfig.code(), "INVALID_CONFIG");
}

#[test]
fn test_client_address_is_the_rightmost_that_is_not_trusted() -> Outcome {
    let trusted = allowlist(&["10.0.0.0/8", "::1"])?;
    let many = "10.0.0.2,".repeat(100_000) + "10.0.0.3";
    let cases: [(&str, Option<&str>, &str); 16] = [
        // The header of a client that is not a trusted proxy is ignored.
        ("203.0.113.9", Some("10.0.0.1"), "203.0.113.9"),
        ("203.0.113.9", None, "203.0.113.9"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", Some("198.51.100.7"), "198.51.100.7"),
        // The entries to the left of the first untrusted address were written by that client.
        ("10.0.0.1", Some("127.0.0.1, 198.51.100.7, 10.0.0.2"), "198.51.100.7"),
        ("10.0.0.1", Some("10.0.0.3, 10.0.0.2"), "10.0.0.3"),
        ("::ffff:10.0.0.1", Some("198.51.100.7"), "198.51.100.7"),
        ("::1", Some("::ffff:198.51.100.7"), "198.51.100.7"),
        ("10.0.0.1", Some("198.51.100.7:4711"), "198.51.100.7"),
        ("10.0.0.1", Some("[2001:db8::7]:4711"), "2001:db8::7"),
        ("10.0.0.1", Some("[2001:db8::7]"), "2001:db8::7"),
        ("10.0.0.1", Some("198.51.100.7, unknown"), "10.0.0.1"),
        ("10.0.0.1", Some("198.51.100.7, _secret, 10.0.0.2"), "10.0.0.2"),
        ("10.0.0.1", Some(""), "10.0.0.1"),
        ("10.0.0.1", Some(",,,"), "10.0.0.1"),
        ("10.0.0.1", Some(&many), "10.0.0.2"),
    ];
    for (peer, header, client) in cases {
        assert_eq!(
            client_address(Some(peer.parse()?), header, &trusted),
            Some(client.parse()?),
            "{peer} {header:?}"
        );
    }
    assert_eq!(client_address(None, Some("198.51.100.7"), &trusted), None);
    Ok(())
}

/// Whether the first `bits` of both are equal, compared one by one.
fn same_prefix(a: &[u8], b: &[u8], bits: usize) -> bool {
    (0..bits).all(|bit| {
        let mask = 0x80 >> (bit % 8);
        a[bit / 8] & mask == b[bit / 8] & mask
    })
}

/// A second address that shares the first bits, so that many cases are near the edge of the block.
fn near<const N: usize>(address: [u8; N], shared: usize, other: [u8; N]) -> [u8; N] {
    let mut near = other;
    for bit in 0..shared.min(N * 8) {
        let mask = 0x80 >> (bit % 8);
        near[bit / 8] = near[bit / 8] & !mask | address[bit / 8] & mask;
    }
    near
}

proptest! {
    #[test]
    fn allowlist_agrees_with_bits_of_ipv4(
        block: [u8; 4], bits in 0_usize..=32, other: [u8; 4], shared in 0_usize..=32,
    ) {
        let address = near(block, shared, other);
        let list = allowlist(&[&format!("{}/{bits}", Ipv4Addr::from(block))]).expect("a block");
        prop_assert_eq!(list.contains(IpAddr::from(address)), same_prefix(&block, &address, bits));
        let mapped = IpAddr::V6(Ipv4Addr::from(address).to_ipv6_mapped());
        prop_assert_eq!(list.contains(mapped), same_prefix(&block, &address, bits));
    }

    #[test]
    fn allowlist_agrees_with_bits_of_ipv6(
        block: [u8; 16], bits in 0_usize..=128, other: [u8; 16], shared in 0_usize..=128,
    ) {
        let address = near(block, shared, other);
        prop_assume!(Ipv6Addr::from(address).to_ipv4_mapped().is_none());
        let list = allowlist(&[&format!("{}/{bits}", Ipv6Addr::from(block))]).expect("a block");
        prop_assert_eq!(list.contains(IpAddr::from(address)), same_prefix(&block, &address, bits));
    }

    #[test]
    fn client_address_is_the_peer_or_one_from_the_header(
        header in "([0-9a-f:.,\\[\\] ]|10\\.0\\.0\\.[1-9], ?|\\PC){0,60}",
    ) {
        let trusted = allowlist(&["10.0.0.0/8"]).expect("a block");
        let peer = IpAddr::from([10, 0, 0, 1]);
        let client = client_address(Some(peer), Some(&header), &trusted).expect("an address");
        let named = header.split(',').any(|hop| {
            let hop = hop.trim();
            let bare = hop.trim_start_matches('[').trim_end_matches(']');
            let socket = hop.parse::<std::net::SocketAddr>().map(|socket| socket.ip());
            bare.parse().or(socket).is_ok_and(|hop: IpAddr| hop.to_canonical() == client)
        });
        prop_assert!(client == peer || named, "{}", client);
    }

    #[test]
    fn allowlist_panics_on_no_text(entry in "\\PC{0,40}") {
        let _ = allowlist(&[&entry]);
    }
}
