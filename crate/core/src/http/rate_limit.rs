//! Limits how often a client may do something. It owns a token bucket for each client, and the bound on their number.
//! It must not know what is limited (requests, tries of credentials).

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use parking_lot::Mutex;

use crate::error::{MetricsError, Result};

/// How many clients have a bucket of their own at the same time, in about 1 MB. All further clients share one bucket.
pub const MAX_PEERS: usize = 16_384;
/// The slowest and fastest rate per second. Within them, periods fit into 64 bits of nanoseconds.
const PER_SECOND: std::ops::RangeInclusive<f64> = 0.001..=1_000_000.0;
/// The largest burst, for the same reason.
const MAX_BURST: u32 = 1_000_000;
/// The pause between two searches for full buckets. One search takes about 0.1 ms.
const SWEEP_PAUSE: Duration = Duration::from_millis(100);

/// A token bucket for each client: `burst` requests at once, `per_second` requests in the long run.
///
/// An IPv6 client is its /64 network, because a customer of a provider gets one and can change addresses within it.
/// Connections without an address share one bucket. A refused request costs no token, so a client that waits for the
/// time it was told is allowed.
pub struct RateLimiter {
    buckets: Buckets<MonotonicClock>,
}

/// The client that a bucket belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum ClientKey {
    V4(Ipv4Addr),
    V6(u64),
    Unknown,
    /// All clients over `MAX_PEERS`.
    Rest,
}

impl RateLimiter {
    /// A limiter that allows `per_second` requests a second in the long run, and `burst` at once.
    ///
    /// # Errors
    /// `InvalidConfig` for a rate outside 0.001 to 1,000,000 a second (NaN too), or a burst over 1,000,000.
    pub fn new(per_second: f64, burst: NonZeroU32) -> Result<Self> {
        Ok(Self { buckets: buckets(per_second, burst, MonotonicClock)? })
    }

    /// Takes a token of this client.
    ///
    /// # Errors
    /// If there is no token: the time until there is one.
    pub fn check(&self, peer: Option<IpAddr>) -> std::result::Result<(), Duration> {
        check(&self.buckets, peer)
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter").finish_non_exhaustive()
    }
}

impl ClientKey {
    pub(super) fn of(address: Option<IpAddr>) -> Self {
        match address.map(|address| address.to_canonical()) {
            None => Self::Unknown,
            Some(IpAddr::V4(address)) => Self::V4(address),
            Some(IpAddr::V6(address)) => Self::V6((address.to_bits() >> 64) as u64),
        }
    }
}

type Buckets<C> = governor::RateLimiter<ClientKey, Counts, C, NoOpMiddleware<<C as Clock>::Instant>>;

fn buckets<C: Clock>(per_second: f64, burst: NonZeroU32, clock: C) -> Result<Buckets<C>> {
    if !PER_SECOND.contains(&per_second) {
        return Err(MetricsError::invalid_config(format!(
            "Expected a number from {} to {} for the rate a second but received {per_second}",
            PER_SECOND.start(),
            PER_SECOND.end()
        )));
    }
    if burst.get() > MAX_BURST {
        return Err(MetricsError::invalid_config(format!(
            "Expected a whole number from 1 to {MAX_BURST} for the burst but received {burst}"
        )));
    }
    let period = Duration::from_secs_f64(per_second.recip()).max(Duration::from_nanos(1));
    let quota = Quota::with_period(period).unwrap_or(Quota::per_second(burst)).allow_burst(burst);
    Ok(Buckets::new(quota, Counts::new(period.into()), clock))
}

fn check<C: Clock>(buckets: &Buckets<C>, peer: Option<IpAddr>) -> std::result::Result<(), Duration> {
    buckets.check_key(&ClientKey::of(peer)).map_err(|refusal| refusal.wait_time_from(buckets.clock().now()))
}

/// The state of the buckets: at most `MAX_PEERS` clients, and one bucket for all others. A bucket is stored as the time
/// at which it is full again. If that time is in the past, the entry can be removed when room is needed.
struct Counts {
    period: Nanos,
    counted: Mutex<Counted>,
}

#[derive(Default)]
struct Counted {
    full_at: HashMap<ClientKey, Nanos>,
    /// The earliest time of the next search for full buckets.
    next_sweep: Nanos,
}

impl Counts {
    fn new(period: Nanos) -> Self {
        Self { period, counted: Mutex::default() }
    }
}

impl StateStore for Counts {
    type Key = ClientKey;

    fn measure_and_replace<T, F, E>(&self, peer: &ClientKey, measure: F) -> std::result::Result<T, E>
    where
        F: Fn(Option<Nanos>) -> std::result::Result<(T, Nanos), E>,
    {
        let mut counted = self.counted.lock();
        let mut peer = *peer;
        let mut before = counted.full_at.get(&peer).copied();
        if before.is_none() && counted.full_at.len() >= MAX_PEERS {
            // A new bucket is full again after one period, which gives the current time.
            let now = measure(None).map(|(_, full_at)| full_at.saturating_sub(self.period));
            if !now.is_ok_and(|now| counted.make_room(now)) {
                peer = ClientKey::Rest;
                before = counted.full_at.get(&peer).copied();
            }
        }
        let (outcome, full_at) = measure(before)?;
        counted.full_at.insert(peer, full_at);
        Ok(outcome)
    }
}

impl Counted {
    /// Removes the buckets that are full again. Returns whether there is room now.
    fn make_room(&mut self, now: Nanos) -> bool {
        if now < self.next_sweep {
            return false;
        }
        self.next_sweep = now + SWEEP_PAUSE;
        self.full_at.retain(|_, full_at| *full_at > now);
        self.full_at.len() < MAX_PEERS
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    const TWO: NonZeroU32 = NonZeroU32::new(2).expect("not zero");

    fn two_at_once() -> (Buckets<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        // Start later than zero, like a real clock.
        clock.advance(Duration::from_secs(1000));
        (buckets(1.0, TWO, clock.clone()).expect("a rate"), clock)
    }

    /// How many of ten requests pass.
    fn passing(buckets: &Buckets<FakeRelativeClock>, peer: Option<IpAddr>) -> usize {
        (0..10).filter(|_| check(buckets, peer).is_ok()).count()
    }

    fn peer(address: &str) -> Option<IpAddr> {
        Some(address.parse().expect("an address"))
    }

    fn numbered(number: usize) -> Option<IpAddr> {
        Some(IpAddr::from(u32::try_from(number).expect("small").to_be_bytes()))
    }

    #[test]
    fn tokens_come_back_with_time_and_a_refusal_costs_none() {
        let (buckets, clock) = two_at_once();
        assert_eq!(passing(&buckets, None), 2);
        assert_eq!(check(&buckets, None), Err(Duration::from_secs(1)));
        clock.advance(Duration::from_millis(600));
        assert_eq!(check(&buckets, None), Err(Duration::from_millis(400)));
        clock.advance(Duration::from_millis(400));
        assert_eq!(passing(&buckets, None), 1);
        clock.advance(Duration::from_secs(3600));
        assert_eq!(passing(&buckets, None), 2, "at most the burst");
    }

    #[test]
    fn a_peer_is_an_ipv4_address_or_an_ipv6_network() {
        let (buckets, _clock) = two_at_once();
        assert_eq!(passing(&buckets, peer("192.0.2.1")), 2);
        assert_eq!(passing(&buckets, peer("::ffff:192.0.2.1")), 0);
        assert_eq!(passing(&buckets, peer("192.0.2.2")), 2);
        assert_eq!(passing(&buckets, peer("2001:db8::1")), 2);
        assert_eq!(passing(&buckets, peer("2001:db8::ffff:0:0:1")), 0);
        assert_eq!(passing(&buckets, peer("2001:db8:0:1::1")), 2);
        assert_eq!(passing(&buckets, None), 2);
    }

    #[test]
    fn clients_over_the_maximum_share_a_bucket_until_there_is_room() {
        let (buckets, clock) = two_at_once();
        for number in 0..MAX_PEERS {
            assert_eq!(check(&buckets, numbered(number)), Ok(()));
        }
        assert_eq!(passing(&buckets, numbered(MAX_PEERS)), 2);
        for number in MAX_PEERS..2 * MAX_PEERS {
            assert_eq!(check(&buckets, numbered(number)), Err(Duration::from_secs(1)));
        }
        assert_eq!(passing(&buckets, numbered(0)), 1, "a client with a bucket keeps it");
        // Each bucket has one token more, so all except two are full again.
        clock.advance(Duration::from_secs(1));
        assert_eq!(passing(&buckets, numbered(MAX_PEERS)), 2);
        let counts = buckets.into_state_store().counted.into_inner();
        assert_eq!(counts.full_at.len(), 3);
    }
}
