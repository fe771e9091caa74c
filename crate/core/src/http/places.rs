//! Gives each connection of the exporter a place, and decides which one loses its place when all are taken. Every client
//! may hold a share of the places. Some more places are only for `/health` and `/ready`, so that a crowd of scrapers
//! cannot make a probe fail. It must not know sockets or HTTP.

use super::address::Allowlist;
use super::connection::{Progress, Standing};
use super::rate_limit::ClientKey;
use super::self_metrics::Rejection;
use crate::config::MetricsConfig;
use crate::error::Result;
use parking_lot::Mutex;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A client that has read nothing for this long may lose its response when memory is needed. On a network that works,
/// bytes arrive several times in that time.
const STALLED: Duration = Duration::from_millis(250);
/// A client that has read for this long may lose its response too, even if it still reads.
const LONG_UNREAD: Duration = Duration::from_secs(5);

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
    next: u64,
}

struct Guest {
    client: ClientKey,
    progress: Arc<Progress>,
    for_health: bool,
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
        let ordinary = self.make_room(house, client, has_share);
        let for_health = ordinary.is_err();
        if let Err(reason) = ordinary
            && house.health >= self.health
        {
            let victim = house.first_to_go(|guest| guest.for_health, Standing::Unread);
            self.displace(house, victim.ok_or(reason)?);
        }
        Ok(self.seat(house, client, progress, for_health))
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
            let own = house.first_to_go(|guest| !guest.for_health && guest.client == client, Standing::Unread);
            self.displace(house, own.ok_or(Rejection::ClientConnections)?);
        } else if house.ordinary() >= self.max {
            let victim = house.of_the_largest(held).ok_or(Rejection::Connections)?;
            self.displace(house, victim);
        }
        Ok(())
    }

    fn seat(
        self: &Arc<Self>,
        house: &mut House,
        client: ClientKey,
        progress: &Arc<Progress>,
        for_health: bool,
    ) -> Place {
        let id = house.next;
        house.next += 1;
        house.guests.insert(id, Guest { client, progress: Arc::clone(progress), for_health });
        if for_health {
            house.health += 1;
        } else {
            *house.held.entry(client).or_default() += 1;
        }
        Place { places: Arc::clone(self), id }
    }

    fn displace(&self, house: &mut House, id: u64) {
        if let Some(guest) = house.remove(id) {
            (self.displaced)(guest.progress.standing().0);
            guest.progress.displace();
        }
    }

    /// Closes the connection that matters least, for example when the process has no file descriptors left. Returns
    /// false if there is none.
    pub(crate) fn give_one_up(&self) -> bool {
        let house = &mut *self.house.lock();
        let victim = house.of_the_largest(0);
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

    /// How many connections are open, except those that have just lost their place.
    pub(crate) fn taken(&self) -> usize {
        self.house.lock().guests.len()
    }
}

impl House {
    fn ordinary(&self) -> usize {
        self.guests.len() - self.health
    }

    /// Of these connections, the one that loses its place first: idle before silent before unread, and the oldest of
    /// these. None beyond `last`.
    fn first_to_go(&self, which: impl Fn(&Guest) -> bool, last: Standing) -> Option<u64> {
        let guests = self.guests.iter().filter(|(_, guest)| which(guest));
        let standings = guests.map(|(id, guest)| (guest.progress.standing(), *id));
        standings.filter(|((standing, _), _)| *standing <= last).min().map(|(_, id)| id)
    }

    /// The connection that loses its place to a client that holds `held` places: one of the client that holds most. A
    /// request that is being answered is given up only if the newcomer's client holds fewer places afterwards.
    fn of_the_largest(&self, held: usize) -> Option<u64> {
        let ordinary = self.guests.iter().filter(|(_, guest)| !guest.for_health);
        let ranked = ordinary.filter_map(|(id, guest)| {
            let (standing, since) = guest.progress.standing();
            let holds = self.held.get(&guest.client).copied().unwrap_or_default();
            let may_go = standing < Standing::Answering || holds > held + 1;
            may_go.then_some((Reverse(holds), standing, since, *id))
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
    /// an ordinary one as soon as there is one.
    pub(crate) fn is_ordinary(&self) -> bool {
        let house = &mut *self.places.house.lock();
        let has_room = house.ordinary() < self.places.max;
        let Some(guest) = house.guests.get_mut(&self.id) else { return true };
        if !guest.for_health {
            return true;
        }
        let client = guest.client;
        let held = house.held.get(&client).copied().unwrap_or_default();
        if !has_room || held >= self.places.per_client {
            return false;
        }
        guest.for_health = false;
        house.health -= 1;
        *house.held.entry(client).or_default() += 1;
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.house.lock().remove(self.id);
    }
}
