//! Gives each connection of the exporter a place, and decides which one loses its place when all are taken. Every client
//! may hold a share of the places. Some more places are only for `/health` and `/ready`, so that a crowd of scrapers
//! cannot make a probe fail. It must not know sockets or HTTP.

use super::address::Allowlist;
use super::connection::Progress;
use super::rate_limit::ClientKey;
use super::self_metrics::{Rejection, Standing};
use crate::config::MetricsConfig;
use crate::error::Result;
use parking_lot::Mutex;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A client that has read nothing for this long may lose its response when memory is needed. The system takes bytes in
/// steps of about a megabyte, so shorter times would also hit clients that read slowly.
const STALLED: Duration = Duration::from_millis(500);
/// A client that has read for this long may lose its response too, even if it still reads.
const LONG_UNREAD: Duration = Duration::from_secs(5);

/// How long a new connection has for its request before it is displaced like those that say nothing, and a client for
/// the next bytes of its response before it is displaced like those that do not read.
const GRACE: Duration = Duration::from_millis(100);
/// If connections lose their places sooner than this, new ones are accepted more slowly.
const RUSH: Duration = Duration::from_millis(250);

/// A response for which a client asked costs as much as this number of connections that did not ask for any.
const RESPONSE_COST: u32 = 8;

/// Called for each connection that loses its place.
type Displaced = Box<dyn Fn(Standing) + Send + Sync>;

/// The places of one exporter.
pub(crate) struct Places {
    house: Mutex<House>,
    /// Places for every request.
    max: usize,
    /// The most of these that one client may hold.
    per_client: usize,
    /// More places, for health checks only.
    health: usize,
    /// Each of these connects for many clients, so it has no share.
    trusted_proxies: Allowlist,
    displaced: Displaced,
}

#[derive(Default)]
struct House {
    guests: HashMap<u64, Guest>,
    /// How many ordinary places each client holds.
    held: HashMap<ClientKey, usize>,
    /// How many places for health checks are taken.
    health: usize,
    /// The last connection that lost its place had been open only for a moment: what it had cost, else zero.
    rush: u32,
    next: u64,
}

struct Guest {
    client: ClientKey,
    progress: Arc<Progress>,
    entered: Instant,
    for_health: bool,
    /// Its client may hold only a share of the places.
    has_share: bool,
}

/// The order in which the connections of one client lose their places; of equal ones the oldest goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Idle,
    Silent,
    /// Its client has taken nothing of the response for a moment.
    Unread,
    /// Silent, and so new that its request may be on its way.
    New,
    /// Its client reads the response.
    Reading,
    Answering,
}

impl Guest {
    fn rank(&self) -> (Rank, Instant) {
        let (standing, since) = self.progress.standing();
        let rank = match standing {
            Standing::Idle => Rank::Idle,
            Standing::Silent if since.elapsed() < GRACE => Rank::New,
            Standing::Silent => Rank::Silent,
            Standing::Unread if since.elapsed() < GRACE => Rank::Reading,
            Standing::Unread => Rank::Unread,
            Standing::Answering => Rank::Answering,
        };
        (rank, since)
    }
}

/// The place of one connection. Dropping it leaves the place.
pub(crate) struct Place {
    places: Arc<Places>,
    id: u64,
}

impl Places {
    pub(crate) fn new(
        config: &MetricsConfig,
        displaced: impl Fn(Standing) + Send + Sync + 'static,
    ) -> Result<Arc<Self>> {
        let share = config.max_connections_per_client.unwrap_or(config.max_connections.div_ceil(2));
        Ok(Arc::new(Self {
            house: Mutex::default(),
            max: config.max_connections,
            per_client: share.min(config.max_connections),
            health: config.health_connections,
            trusted_proxies: Allowlist::parse_setting(&config.trusted_proxies, "trustedProxies")?,
            displaced: Box::new(displaced),
        }))
    }

    /// A place for a new connection. If all are taken, another connection loses its place.
    ///
    /// # Errors
    /// The reason for a refusal, if no other connection may be displaced: all of them are being answered.
    pub(crate) fn enter(
        self: &Arc<Self>,
        peer: Option<IpAddr>,
        progress: &Arc<Progress>,
    ) -> std::result::Result<Place, Rejection> {
        let client = ClientKey::of(peer);
        let has_share = peer.is_some_and(|peer| !self.trusted_proxies.contains(peer));
        let house = &mut *self.house.lock();
        house.rush = 0;
        let ordinary = self.make_room(house, client, has_share);
        let for_health = ordinary.is_err();
        if let Err(reason) = ordinary
            && house.health >= self.health
        {
            let victim = house.first_to_go(|guest| guest.for_health, Rank::New);
            self.displace(house, victim.ok_or(reason)?);
        }
        let guest =
            Guest { client, progress: Arc::clone(progress), entered: Instant::now(), for_health, has_share };
        Ok(self.seat(house, guest))
    }

    /// Makes one ordinary place free. Fails if no connection may be displaced for this client.
    fn make_room(
        &self,
        house: &mut House,
        client: ClientKey,
        has_share: bool,
    ) -> std::result::Result<(), Rejection> {
        let held = house.held.get(&client).copied().unwrap_or_default();
        if has_share && held >= self.per_client {
            let own = house.first_to_go(|guest| !guest.for_health && guest.client == client, Rank::New);
            self.displace(house, own.ok_or(Rejection::ClientConnections)?);
        } else if house.ordinary() >= self.max {
            let victim = house.of_the_largest(held).ok_or(Rejection::Connections)?;
            self.displace(house, victim);
        }
        Ok(())
    }

    fn seat(self: &Arc<Self>, house: &mut House, guest: Guest) -> Place {
        let id = house.next;
        house.next += 1;
        if guest.for_health {
            house.health += 1;
        } else {
            *house.held.entry(guest.client).or_default() += 1;
        }
        house.guests.insert(id, guest);
        Place { places: Arc::clone(self), id }
    }

    fn displace(&self, house: &mut House, id: u64) {
        if let Some(guest) = house.remove(id) {
            let (standing, _) = guest.progress.standing();
            house.rush = match standing {
                _ if guest.entered.elapsed() >= RUSH => 0,
                Standing::Idle | Standing::Silent => 1,
                Standing::Unread | Standing::Answering => RESPONSE_COST,
            };
            (self.displaced)(standing);
            guest.progress.displace();
        }
    }

    /// Closes the connection that matters least, for example when the process has no file descriptors left. Returns
    /// false if there is none.
    pub(crate) fn give_one_up(&self) -> bool {
        let house = &mut *self.house.lock();
        let victim = house.first_to_go(|_| true, Rank::Unread);
        if let Some(id) = victim {
            self.displace(house, id);
        }
        victim.is_some()
    }

    /// Closes the connection whose response has been unread for the longest time, if its client has stopped reading or
    /// has taken very long. Returns false if there is none.
    pub(crate) fn give_up_an_unread_response(&self) -> bool {
        let house = &mut *self.house.lock();
        let now = Instant::now();
        let old = |(since, last): &(Instant, Instant)| {
            now.duration_since(*last) >= STALLED || now.duration_since(*since) >= LONG_UNREAD
        };
        let unread = house
            .guests
            .iter()
            .filter_map(|(id, guest)| Some((guest.progress.unread().filter(old)?.0, *id)))
            .min();
        if let Some((_, id)) = unread {
            self.displace(house, id);
        }
        unread.is_some()
    }

    /// Whether the next ordinary connection would displace another one.
    pub(crate) fn are_taken(&self) -> bool {
        self.house.lock().ordinary() >= self.max
    }

    /// If the newest connection has displaced one that was new itself: what that one had cost. Zero if it has not.
    pub(crate) fn rush(&self) -> u32 {
        self.house.lock().rush
    }

    /// How many connections are open, except those that have just lost their place.
    pub(crate) fn taken(&self) -> usize {
        self.house.lock().guests.len()
    }
}

impl House {
    fn ordinary(&self) -> usize {
        self.guests.len() - self.health
    }

    /// Of these connections, the one that loses its place first. None beyond `last`.
    fn first_to_go(&self, which: impl Fn(&Guest) -> bool, last: Rank) -> Option<u64> {
        let guests = self.guests.iter().filter(|(_, guest)| which(guest));
        let ranked = guests.map(|(id, guest)| (guest.rank(), *id));
        ranked.filter(|((rank, _), _)| *rank <= last).min().map(|(_, id)| id)
    }

    /// The connection that loses its place to a client that holds `held` places: one of the client that holds most. A
    /// response that is being made or read is given up only if the newcomer's client holds fewer places afterwards.
    fn of_the_largest(&self, held: usize) -> Option<u64> {
        let ordinary = self.guests.iter().filter(|(_, guest)| !guest.for_health);
        let ranked = ordinary.filter_map(|(id, guest)| {
            let (rank, since) = guest.rank();
            let holds = self.held.get(&guest.client).copied().unwrap_or_default();
            // The request of a new connection of a client with few is not given up for a client with more.
            let may_go = rank < Rank::New || (rank == Rank::New && holds >= held) || holds > held + 1;
            may_go.then_some((Reverse(holds), rank, since, *id))
        });
        ranked.min().map(|(.., id)| id)
    }

    fn remove(&mut self, id: u64) -> Option<Guest> {
        let guest = self.guests.remove(&id)?;
        if guest.for_health {
            self.health -= 1;
        } else if let Some(held) = self.held.get_mut(&guest.client) {
            *held -= 1;
            if *held == 0 {
                self.held.remove(&guest.client);
            }
        }
        Some(guest)
    }
}

impl Place {
    /// Whether the connection may be answered with something else than a health check. A place for health checks becomes
    /// an ordinary one as soon as there is one, or a connection that may be displaced.
    pub(crate) fn is_ordinary(&self) -> bool {
        let house = &mut *self.places.house.lock();
        let Some(guest) = house.guests.get(&self.id) else { return true };
        if !guest.for_health {
            return true;
        }
        let (client, has_share) = (guest.client, guest.has_share);
        if self.places.make_room(house, client, has_share).is_err() {
            return false;
        }
        if let Some(guest) = house.guests.get_mut(&self.id) {
            guest.for_health = false;
            house.health -= 1;
            *house.held.entry(client).or_default() += 1;
        }
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.house.lock().remove(self.id);
    }
}

/// Plays clients who connect, send, read and go, three bytes for each step, and panics if a limit is exceeded or a count
/// is wrong. For tests and fuzz targets.
#[cfg(any(test, feature = "testing"))]
pub fn play(steps: &[u8]) {
    let config = MetricsConfig::default()
        .max_connections(8)
        .max_connections_per_client(Some(3))
        .health_connections(2)
        .trusted_proxies(vec!["192.0.2.9".to_owned()]);
    let Ok(places) = Places::new(&config, |_| {}) else { return };
    let timeouts = super::connection::Timeouts::new(&config);
    let mut guests: Vec<(Place, Arc<Progress>)> = Vec::new();
    for step in steps.chunks_exact(3) {
        let at = usize::from(step[1]) % guests.len().max(1);
        match (step[0] % 8, guests.get(at)) {
            (0 | 1, _) => {
                let progress = Progress::new(timeouts);
                let peer = IpAddr::from([192, 0, 2, step[2] % 10]);
                guests.extend(places.enter(Some(peer), &progress).ok().map(|place| (place, progress)));
            }
            (2, Some((_, progress))) => progress.serving(),
            (3, Some((_, progress))) => progress.answered(),
            (4, Some((_, progress))) => progress.flushed(),
            (5, Some((place, _))) => _ = place.is_ordinary(),
            (6, Some(_)) => drop(guests.swap_remove(at)),
            (7, _) if step[1] < 128 => _ = places.give_one_up(),
            (7, _) => _ = places.give_up_an_unread_response(),
            _ => {}
        }
        places.house.lock().check(&places);
    }
    drop(guests);
    assert!(places.taken() == 0 && places.house.lock().held.is_empty(), "a place was not left");
}

#[cfg(any(test, feature = "testing"))]
impl House {
    fn check(&self, places: &Places) {
        let seated =
            |which: &dyn Fn(&Guest) -> bool| self.guests.values().filter(|guest| which(guest)).count();
        assert_eq!(seated(&|guest| guest.for_health), self.health);
        assert!(self.health <= places.health && self.ordinary() <= places.max, "a limit is exceeded");
        assert_eq!(self.held.values().sum::<usize>(), self.ordinary());
        for (client, held) in &self.held {
            assert_eq!(seated(&|guest| !guest.for_health && guest.client == *client), *held);
            let is_proxy = *client == ClientKey::of(Some(IpAddr::from([192, 0, 2, 9])));
            assert!(
                *held > 0 && (is_proxy || *held <= places.per_client),
                "a client has more than its share"
            );
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::connection::Timeouts;
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct Fixture {
        places: Arc<Places>,
        displaced: Arc<[AtomicUsize; 4]>,
        timeouts: Timeouts,
    }

    impl Fixture {
        fn new(config: &MetricsConfig) -> Self {
            let displaced: Arc<[AtomicUsize; 4]> = Arc::default();
            let counted = Arc::clone(&displaced);
            let count = move |standing| _ = counted[standing as usize].fetch_add(1, Ordering::Relaxed);
            let places = Places::new(config, count).expect("valid settings");
            Self { places, displaced, timeouts: Timeouts::new(config) }
        }

        fn enter(&self, peer: &str) -> std::result::Result<(Place, Arc<Progress>), Rejection> {
            let progress = Progress::new(self.timeouts);
            let place = self.places.enter(peer.parse().ok(), &progress)?;
            Ok((place, progress))
        }

        fn answering(&self, peer: &str) -> (Place, Arc<Progress>) {
            let (place, progress) = self.enter(peer).expect("there is room");
            progress.serving();
            (place, progress)
        }

        fn displaced(&self) -> [usize; 4] {
            std::array::from_fn(|standing| self.displaced[standing].load(Ordering::Relaxed))
        }
    }

    fn config(places: usize) -> MetricsConfig {
        MetricsConfig::default().max_connections(places)
    }

    #[test]
    fn the_client_with_most_connections_loses_one() {
        let house = Fixture::new(&config(100));
        // Two scrapers that keep a connection, and fifty addresses that try to take all.
        let scrapers = ["10.0.0.1", "10.0.0.2"].map(|peer| {
            let (place, progress) = house.enter(peer).expect("there is room");
            progress.serving();
            progress.answered();
            progress.flushed();
            (place, progress)
        });
        let mut others = Vec::new();
        for round in 0..1000 {
            others.push(house.enter(&format!("192.0.2.{}", round % 50)).expect("there is always a place"));
        }
        assert_eq!(house.places.taken(), 100);
        assert!(scrapers.iter().all(|(place, _)| house.places.house.lock().guests.contains_key(&place.id)));
        assert_eq!(house.displaced(), [0, 902, 0, 0]);
        house.enter("10.0.0.3").expect("a new scraper is let in");
        drop(others);
        assert_eq!(house.places.taken(), 2);
    }

    #[test]
    fn a_client_holds_half_of_the_places_at_most() {
        let house = Fixture::new(&config(10));
        let held: Vec<_> = (0..5).map(|_| house.answering("192.0.2.1")).collect();
        // It gets a place for health checks, which displaces no other client.
        let (probe, _) = house.enter("192.0.2.1").expect("a place for a probe");
        assert!(!probe.is_ordinary());
        drop(held);
        assert!(probe.is_ordinary(), "there is room now");
        let others: Vec<_> = (0..9).map(|n| house.answering(&format!("10.0.0.{n}"))).collect();
        assert_eq!((house.places.taken(), house.displaced()), (10, [0; 4]));
        drop((probe, others));
        let mapped = house.enter("::ffff:192.0.2.1").expect("the house is empty");
        assert!(mapped.0.is_ordinary());
    }

    #[test]
    fn a_request_that_is_being_answered_is_given_up_only_for_a_client_with_less() {
        let house = Fixture::new(&config(4).health_connections(0).max_connections_per_client(Some(3)));
        let _crowd: Vec<_> = (0..3).map(|_| house.answering("192.0.2.1")).collect();
        let _other = house.answering("192.0.2.2");
        assert_eq!(house.enter("192.0.2.1").err(), Some(Rejection::ClientConnections));
        let (_newcomer, _) = house.enter("192.0.2.3").expect("the crowd has three");
        assert_eq!(house.displaced(), [0, 0, 0, 1]);
        let house = Fixture::new(&config(2).health_connections(0));
        let _both = [house.answering("192.0.2.1"), house.answering("192.0.2.2")];
        assert_eq!(house.enter("192.0.2.3").err(), Some(Rejection::Connections));
        assert_eq!(house.enter("192.0.2.2").err(), Some(Rejection::ClientConnections));
        let house = Fixture::new(&config(3).health_connections(0).max_connections_per_client(Some(3)));
        let _crowd = [house.answering("192.0.2.1"), house.answering("192.0.2.1")];
        let _new = house.enter("192.0.2.2").expect("there is room");
        assert_eq!(house.enter("192.0.2.1").err(), Some(Rejection::Connections), "the new one has less");
    }

    #[test]
    fn unix_sockets_and_trusted_proxies_have_no_share() {
        let house = Fixture::new(&config(10).trusted_proxies(vec!["10.0.0.0/8".to_owned()]));
        for peer in ["", "10.1.2.3"] {
            let held: Vec<_> = (0..10).map(|_| house.answering(peer)).collect();
            assert_eq!(house.places.taken(), 10);
            assert!(held.iter().all(|(place, _)| place.is_ordinary()));
        }
        assert_eq!(house.displaced(), [0; 4]);
    }

    #[test]
    fn only_a_client_that_has_stopped_reading_loses_its_response() {
        let house = Fixture::new(&config(10));
        let (_place, progress) = house.answering("192.0.2.1");
        progress.answered();
        assert!(!house.places.give_up_an_unread_response());
        std::thread::sleep(STALLED + Duration::from_millis(50));
        assert!(house.places.give_up_an_unread_response());
        assert!(!house.places.give_up_an_unread_response());
        assert_eq!((house.places.taken(), house.displaced()), (0, [0, 0, 1, 0]));
        assert!(!house.places.give_one_up());
    }

    proptest::proptest! {
        #[test]
        fn counts_agree_with_the_guests(steps: Vec<u8>) {
            play(&steps);
        }
    }
}
