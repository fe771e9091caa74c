//! Shares expositions: equal scrapes at the same time get one exposition, and a cache keeps it for the configured time.
//!
//! A scrape always gets an exposition that was started after the scrape arrived. If one is already being made, the
//! scrape waits for the next one and shares it with all other scrapes that arrive meanwhile. So a burst of scrapers
//! costs two expositions, and each scrape sees everything that was recorded before its request.

use super::body::Meter;
use super::maker::{Exposition, Failure, Key};
use super::workers::EXPOSITIONS;
use crate::clock::Clock;

use parking_lot::Mutex;
// std's map, whose hashes have a secret key: clients choose the keys.
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// The most different expositions in progress. A client could send any number of different name filters.
const MAX_SLOTS: usize = 64;
/// The most different expositions in the cache.
const MAX_CACHED: usize = 8;

pub(crate) type Outcome = Result<Arc<Exposition>, Failure>;
type Waiter = Box<dyn FnOnce(Outcome) + Send>;
type Make = Box<dyn Fn(&Key) -> Result<Exposition, Failure> + Send + Sync>;

pub(crate) struct Expositions {
    make: Make,
    /// Expositions that are being made or queued, each with the callers that wait for the next one.
    slots: Mutex<HashMap<Key, Vec<Waiter>>>,
    cache: Option<Cache>,
    meter: Arc<Meter>,
    max_bytes: usize,
}

impl Expositions {
    pub(crate) fn new(
        meter: Arc<Meter>,
        max_bytes: usize,
        cache: Option<Cache>,
        make: impl Fn(&Key) -> Result<Exposition, Failure> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { make: Box::new(make), slots: Mutex::default(), cache, meter, max_bytes })
    }

    pub(crate) fn has_cache(&self) -> bool {
        self.cache.is_some()
    }

    /// The exposition from the cache, if it is still fresh.
    pub(crate) fn cached(&self, key: &Key) -> Option<Arc<Exposition>> {
        self.cache.as_ref()?.get(key)
    }

    /// Makes an exposition on the calling thread, for this caller only.
    pub(crate) fn make_now(&self, key: &Key) -> Outcome {
        if !self.has_room() {
            return Err(Failure::Overloaded);
        }
        let made = catch_unwind(AssertUnwindSafe(|| (self.make)(key)));
        let exposition = Arc::new(made.map_err(|_| Failure::Panicked)??);
        if let Some(cache) = &self.cache {
            cache.keep(key, &exposition);
        }
        Ok(exposition)
    }

    /// Starts an exposition, or waits with others for the next one. `done` is called once, on a worker thread or, for
    /// an overload, on this one.
    pub(crate) fn ask(self: &Arc<Self>, key: Key, done: Waiter) {
        let mut slots = self.slots.lock();
        if let Some(waiting) = slots.get_mut(&key) {
            waiting.push(done);
            return;
        }
        if slots.len() >= MAX_SLOTS || !self.has_room() {
            drop(slots);
            done(Err(Failure::Overloaded));
            return;
        }
        slots.insert(key.clone(), vec![done]);
        drop(slots);
        self.submit(key);
    }

    /// Whether another exposition fits into the memory limit. Clears the cache first if it does not.
    pub(crate) fn has_room(&self) -> bool {
        if self.meter.bytes() > self.max_bytes
            && let Some(cache) = &self.cache
        {
            cache.kept.lock().clear();
        }
        self.meter.bytes() <= self.max_bytes
    }

    fn submit(self: &Arc<Self>, key: Key) {
        let own = Arc::clone(self);
        EXPOSITIONS.submit(Box::new(move || own.serve(key)));
    }

    /// Answers all callers that are waiting now. Then submits the key again if more have arrived meanwhile.
    fn serve(self: &Arc<Self>, key: Key) {
        let waiting = self.slots.lock().get_mut(&key).map(std::mem::take).unwrap_or_default();
        let outcome = match self.cached(&key) {
            Some(exposition) => Ok(exposition),
            None => self.make_now(&key),
        };
        // The last caller gets the outcome itself: a body that is not shared is not copied.
        let outcomes = std::iter::repeat_n(outcome, waiting.len());
        for (done, outcome) in waiting.into_iter().zip(outcomes) {
            // A panic in one door must not reach the other callers.
            let _ = catch_unwind(AssertUnwindSafe(|| done(outcome)));
        }
        let mut slots = self.slots.lock();
        if slots.get(&key).is_some_and(|newcomers| newcomers.is_empty()) {
            slots.remove(&key);
        } else {
            drop(slots);
            self.submit(key);
        }
    }
}

/// Finished expositions. Their age is measured by the clock of the registry they show.
pub(crate) struct Cache {
    ttl: Duration,
    clock: Arc<Clock>,
    kept: Mutex<HashMap<Key, (Duration, Arc<Exposition>)>>,
}

impl Cache {
    pub(crate) fn new(ttl: Duration, clock: Arc<Clock>) -> Self {
        Self { ttl, clock, kept: Mutex::default() }
    }

    fn is_fresh(&self, made: Duration) -> bool {
        self.clock.now().saturating_sub(made) < self.ttl
    }

    fn get(&self, key: &Key) -> Option<Arc<Exposition>> {
        let kept = self.kept.lock();
        let (made, exposition) = kept.get(key)?;
        self.is_fresh(*made).then(|| Arc::clone(exposition))
    }

    fn keep(&self, key: &Key, exposition: &Arc<Exposition>) {
        let mut kept = self.kept.lock();
        kept.retain(|_, (made, _)| self.is_fresh(*made));
        if kept.len() >= MAX_CACHED && !kept.contains_key(key) {
            let oldest = kept.iter().min_by_key(|(_, (made, _))| *made).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                kept.remove(&oldest);
            }
        }
        kept.insert(key.clone(), (self.clock.now(), Arc::clone(exposition)));
    }
}

#[cfg(test)]
mod tests {
    use super::super::body::Body;
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    fn named(name: &str) -> Key {
        Key::Exposition {
            content_type: crate::http::content_type(None),
            gzip: false,
            forced: false,
            names: vec![name.to_owned()],
        }
    }

    fn exposition(text: &str, meter: &Arc<Meter>) -> Exposition {
        Exposition {
            content_type: "text/plain".into(),
            gzip: false,
            body: Arc::new(Body::from(text).metered(meter)),
            plain_bytes: text.len(),
            mismatched: Vec::new(),
        }
    }

    /// Expositions that take 40 ms each, with a counter of how many were made.
    fn counting(ttl: Option<Duration>, max_bytes: usize) -> (Arc<Expositions>, Arc<AtomicUsize>) {
        let (made, meter) = (Arc::new(AtomicUsize::new(0)), Arc::new(Meter::default()));
        let (count, own) = (Arc::clone(&made), Arc::clone(&meter));
        let cache = ttl.map(|ttl| Cache::new(ttl, Arc::default()));
        let expositions = Expositions::new(meter, max_bytes, cache, move |_| {
            let number = count.fetch_add(1, Ordering::SeqCst) + 1;
            std::thread::sleep(Duration::from_millis(40));
            Ok(exposition(&number.to_string(), &own))
        });
        (expositions, made)
    }

    #[test]
    fn a_burst_costs_two_and_each_scrape_gets_one_that_was_started_after_it_asked() {
        let (expositions, made) = counting(None, usize::MAX);
        let (sender, receiver) = mpsc::channel();
        for scraper in 0..50 {
            // The others ask after the first one's exposition was started.
            while scraper == 1 && made.load(Ordering::SeqCst) == 0 {
                std::thread::yield_now();
            }
            let sender = sender.clone();
            expositions.ask(
                named("a"),
                Box::new(move |outcome| {
                    let text = outcome.map(|made| String::from_utf8_lossy(made.body.as_slice()).into_owned());
                    sender.send((scraper, text)).expect("the test waits");
                }),
            );
        }
        for _ in 0..50 {
            let (scraper, text) = receiver.recv().expect("every scraper is answered");
            assert_eq!(text.as_deref(), Ok(if scraper == 0 { "1" } else { "2" }));
        }
        assert_eq!(made.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_cached_exposition_is_served_until_it_expires_by_the_clock() {
        let (clock, meter) = (Arc::new(Clock::new()), Arc::new(Meter::default()));
        let cache = Cache::new(Duration::from_secs(300), Arc::clone(&clock));
        let own = Arc::clone(&meter);
        let expositions =
            Expositions::new(meter, usize::MAX, Some(cache), move |_| Ok(exposition("a 1", &own)));
        clock.freeze(Duration::ZERO);
        assert!(expositions.cached(&named("a")).is_none());
        expositions.make_now(&named("a")).expect("an exposition");
        clock.advance(Duration::from_millis(299_999));
        assert!(expositions.cached(&named("a")).is_some());
        assert!(expositions.cached(&named("b")).is_none());
        clock.advance(Duration::from_millis(1));
        assert!(expositions.cached(&named("a")).is_none());
    }

    #[test]
    fn the_cache_is_bounded_and_drops_the_oldest_first() {
        let (expositions, _) = counting(Some(Duration::from_secs(60)), usize::MAX);
        for number in 0..=MAX_CACHED {
            expositions.make_now(&named(&number.to_string())).expect("an exposition");
        }
        assert!(expositions.cached(&named("0")).is_none());
        assert!((1..=MAX_CACHED).all(|number| expositions.cached(&named(&number.to_string())).is_some()));
    }

    #[test]
    fn bytes_in_flight_are_bounded_and_given_back() {
        let (expositions, _) = counting(None, 0);
        let held = expositions.make_now(&named("a")).expect("nothing is in flight yet");
        assert_eq!(expositions.make_now(&named("a")).map(drop), Err(Failure::Overloaded));
        drop(held);
        expositions.make_now(&named("a")).expect("the bytes came back");
    }

    #[test]
    fn cached_expositions_make_room() {
        let (expositions, _) = counting(Some(Duration::from_millis(1)), 0);
        for _ in 0..3 {
            expositions.make_now(&named("a")).expect("the one before is only cached");
        }
    }

    #[test]
    fn a_panic_is_an_answer() {
        let expositions = Expositions::new(Arc::default(), usize::MAX, None, |_| panic!("as it must"));
        let (sender, receiver) = mpsc::channel();
        for _ in 0..3 {
            let sender = sender.clone();
            expositions.ask(
                named("a"),
                Box::new(move |outcome| {
                    sender.send(outcome.map(drop)).expect("the test waits");
                }),
            );
            assert_eq!(receiver.recv(), Ok(Err(Failure::Panicked)));
        }
    }
}
