//! Series whose value has not changed for their time to live: hidden by the scrape that notices, removed by their owner.

use crate::{Outcome, text};
use prometheus_metrics::gather::{Selection, gather};
use prometheus_metrics::registry::{
    CardinalityConfig, CardinalityGuard, CardinalityLimits, Contributor, Descriptor, Exemplar, Family, Kind,
    Process, Remover,
};
use prometheus_metrics::slab::{CELLS_PER_SLAB, Cells};
use prometheus_metrics::{Clock, Format, LabelSet, Registry, RegistryConfig, encode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

fn stopped() -> Arc<Clock> {
    let clock = Arc::new(Clock::new());
    clock.freeze(Duration::from_secs(1_700_000_000));
    clock
}

fn registry_of(clock: &Arc<Clock>, ttl: Option<Duration>) -> Result<Registry, Box<dyn std::error::Error>> {
    Ok(Registry::with_config(RegistryConfig { clock: Arc::clone(clock), ttl, ..RegistryConfig::default() })?)
}

/// The samples that a registry shows.
fn samples(registry: &Registry) -> Vec<String> {
    samples_in(&text(registry))
}

fn samples_in(out: &str) -> Vec<String> {
    out.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn what_does_not_change_expires() -> Outcome {
    let clock = stopped();
    let registry = registry_of(&clock, Some(MINUTE))?;
    let counters = registry.counter_vec("c_total", "C", &["x"])?;
    let gauges = registry.gauge_vec("g", "G", &["x"])?;
    let histograms = registry.histogram_vec("h", "H", &["x"], &[])?;
    registry.counter("alone_total", "A")?.inc();
    for x in ["1", "2"] {
        counters.with(&[x])?.inc();
        gauges.with(&[x])?.set(5.0);
        histograms.with(&[x])?.observe(0.0)?;
    }
    let all = text(&registry);
    clock.advance(MINUTE - Duration::from_nanos(1));
    assert_eq!(text(&registry), all);
    // Written to the same value is not changed; an observation of 0 changes the count.
    counters.with(&["1"])?.add(0.0)?;
    gauges.with(&["1"])?.set(5.0);
    histograms.with(&["1"])?.observe(0.0)?;
    gauges.with(&["2"])?.inc();
    assert_eq!(registry.cardinality_guard().series(), 7);
    clock.advance(Duration::from_nanos(1));
    let expected = "\
# HELP c_total C
# TYPE c_total counter

# HELP g G
# TYPE g gauge
g{x=\"2\"} 6

# HELP h H
# TYPE h histogram
h_bucket{le=\"+Inf\",x=\"1\"} 2
h_sum{x=\"1\"} 0
h_count{x=\"1\"} 2

# HELP alone_total A
# TYPE alone_total counter
alone_total 1
";
    assert_eq!(text(&registry), expected);
    // They are gone, and come back as new ones.
    assert_eq!(registry.cardinality_guard().series(), 3);
    counters.with(&["2"])?.add(4.0)?;
    assert_eq!(samples(&registry)[0], "c_total{x=\"2\"} 4");
    clock.advance(MINUTE);
    assert_eq!(samples(&registry), ["alone_total 1"]);
    Ok(())
}

#[test]
fn time_is_counted_from_the_scrape_that_saw_the_change() -> Outcome {
    let clock = stopped();
    let registry = registry_of(&clock, Some(MINUTE))?;
    let counters = registry.counter_vec("c_total", "C", &["x"])?;
    counters.with(&["1"])?.inc();
    // Nobody scraped, so nobody knows for how long it has been so.
    clock.advance(10 * MINUTE);
    assert_eq!(samples(&registry), ["c_total{x=\"1\"} 1"]);
    clock.advance(MINUTE);
    assert_eq!(samples(&registry), [""; 0]);
    Ok(())
}

#[test]
fn a_time_of_its_own_goes_before_the_registrys() -> Outcome {
    let clock = stopped();
    let registry = registry_of(&clock, Some(MINUTE))?;
    let cells = Arc::new(Cells::on_heap());
    let family = |name: &str, ttl| -> Result<Arc<Family>, Box<dyn std::error::Error>> {
        let descriptor = Descriptor::new(Kind::Counter, name, "H", &["x"])?;
        let family = Family::new(descriptor, Arc::clone(&cells)).with_clock(Arc::clone(&clock)).with_ttl(ttl);
        let family = Arc::new(family);
        family.add_series(&[(0, "1")]).map_err(|limit| limit.to_string())?;
        registry.register_family(Arc::clone(&family))?;
        Ok(family)
    };
    let (_never, _short) = (family("never_total", Duration::ZERO)?, family("short_total", SECOND)?);
    registry.counter_vec("registrys_total", "R", &["x"])?.with(&["1"])?.inc();
    assert_eq!(samples(&registry).len(), 3);
    clock.advance(SECOND);
    assert_eq!(samples(&registry), ["never_total{x=\"1\"} 0", "registrys_total{x=\"1\"} 1"]);
    clock.advance(MINUTE);
    assert_eq!(samples(&registry), ["never_total{x=\"1\"} 0"]);
    registry.set_ttl(None);
    clock.advance(Duration::MAX);
    assert_eq!(samples(&registry), ["never_total{x=\"1\"} 0"]);
    Ok(())
}

#[test]
fn what_is_written_through_a_handle_is_never_lost() -> Outcome {
    let clock = stopped();
    let registry = registry_of(&clock, Some(MINUTE))?;
    let counters = registry.counter_vec("c_total", "C", &["x"])?;
    let kept = counters.with(&["kept"])?;
    kept.inc();
    counters.with(&["gone"])?.inc();
    text(&registry);
    clock.advance(MINUTE);
    // Hidden, and still there, because somebody holds it.
    assert_eq!(samples(&registry), [""; 0]);
    assert_eq!(registry.cardinality_guard().series(), 1);
    kept.inc();
    assert_eq!(samples(&registry), ["c_total{x=\"kept\"} 2"]);
    clock.advance(MINUTE);
    assert_eq!(samples(&registry), [""; 0]);
    drop(kept);
    assert_eq!(samples(&registry), [""; 0]);
    assert_eq!(registry.cardinality_guard().series(), 0);
    counters.with(&["kept"])?.inc();
    assert_eq!(samples(&registry), ["c_total{x=\"kept\"} 1"]);
    Ok(())
}

#[test]
fn expired_series_make_room_within_the_limits() -> Outcome {
    let clock = stopped();
    let limits = CardinalityLimits {
        max_series: Some(2),
        max_label_values: vec![("x".to_owned(), 2)],
        ..CardinalityLimits::default()
    };
    let registry = Registry::with_config(RegistryConfig {
        clock: Arc::clone(&clock),
        ttl: Some(MINUTE),
        cardinality: CardinalityConfig { family: limits, max_total: Some(2) },
        ..RegistryConfig::default()
    })?;
    let counters = registry.counter_vec("c_total", "C", &["x"])?;
    for x in ["1", "2", "3"] {
        counters.with(&[x])?.inc();
    }
    assert_eq!(samples(&registry).last().map(String::as_str), Some("c_total{x=\"other\"} 1"));
    clock.advance(MINUTE / 2);
    counters.with(&["4"])?.inc();
    text(&registry);
    clock.advance(MINUTE / 2);
    assert_eq!(samples(&registry), ["c_total{x=\"other\"} 2"]);
    counters.with(&["5"])?.inc();
    assert_eq!(samples(&registry), ["c_total{x=\"other\"} 2", "c_total{x=\"5\"} 1"]);
    Ok(())
}

/// Counts how often it was woken.
#[derive(Default)]
struct Woken {
    times: AtomicUsize,
    shares: AtomicBool,
}

impl Remover for Woken {
    fn shares(&self, _guards: &[Arc<CardinalityGuard>]) -> bool {
        self.shares.load(Ordering::Relaxed)
    }

    fn wake(&self) {
        self.times.fetch_add(1, Ordering::Relaxed);
    }
}

impl Woken {
    fn times(&self) -> usize {
        self.times.swap(0, Ordering::Relaxed)
    }
}

/// A contributor with one family, as JavaScript owns one.
struct Member {
    contributor: Arc<Contributor>,
    family: Arc<Family>,
    owner: Arc<Woken>,
}

impl Member {
    fn new(clock: &Arc<Clock>, descriptor: Descriptor) -> Result<Self, Box<dyn std::error::Error>> {
        let contributor = Arc::new(Contributor::with_clock(Cells::on_heap(), Arc::clone(clock)));
        let owner = Arc::new(Woken::default());
        let family = Family::new(descriptor, Arc::clone(contributor.cells()))
            .with_clock(Arc::clone(clock))
            .with_remover(Arc::clone(&owner) as Arc<dyn Remover>)
            .with_ttl(MINUTE);
        let family = Arc::new(family);
        contributor.registry().register_family(Arc::clone(&family))?;
        Ok(Self { contributor, family, owner })
    }

    fn counting(clock: &Arc<Clock>) -> Result<Self, Box<dyn std::error::Error>> {
        Self::new(clock, Descriptor::new(Kind::Counter, "c_total", "C", &["x"])?)
    }

    /// A new series with this value; what changes it.
    fn add(&self, label: &str, value: f64) -> impl Fn(f64) {
        let series = self.family.add_series(&[(0, label)]).expect("within the limits");
        let (slab, cell) = (series.slot as usize / CELLS_PER_SLAB, series.slot as usize % CELLS_PER_SLAB);
        let cells = Arc::clone(self.contributor.cells());
        let set = move |value| cells.slab(slab).expect("the slab is there").store(cell, value);
        set(value);
        set
    }

    fn remove_expired(&self) -> usize {
        let ids = self.family.take_expired(usize::MAX);
        ids.iter().for_each(|id| assert!(self.family.remove_series(*id)));
        ids.len()
    }
}

fn shown(registry: &Registry, process: Option<&Process>) -> Vec<String> {
    let mut out = Vec::new();
    let selection = Selection { process, ..Selection::default() };
    let Ok(()) = encode(&gather(registry, &selection), Format::PrometheusText, &mut out);
    samples_in(&String::from_utf8_lossy(&out))
}

#[test]
fn only_the_owner_removes_and_not_what_was_written_since() -> Outcome {
    let clock = stopped();
    let member = Member::counting(&clock)?;
    let registry = member.contributor.registry();
    let set = member.add("1", 1.0);
    let _ = (member.add("2", 2.0), member.add("3", 3.0));
    text(registry);
    clock.advance(MINUTE);
    assert_eq!(samples(registry), [""; 0]);
    assert_eq!(samples(registry), [""; 0]);
    // Woken once for the lot, however many scrapes see it; nobody else removes.
    assert_eq!((member.owner.times(), member.family.series_count()), (1, 3));
    set(5.0);
    // A scrape in between shows it with its old count in it.
    assert_eq!(samples(registry), ["c_total{x=\"1\"} 5"]);
    assert_eq!(member.family.take_expired(1).len(), 1);
    assert_eq!(member.family.take_expired(9).len(), 1);
    assert_eq!(member.family.take_expired(9), [0_u32; 0]);
    // Nor is what is written after the scrape and before the owner comes.
    clock.advance(MINUTE);
    assert_eq!(samples(registry), [""; 0]);
    assert_eq!(member.owner.times(), 1);
    set(6.0);
    let taken = member.family.take_expired(9);
    assert!(!taken.contains(&0), "{taken:?}");
    assert_eq!(samples(registry), ["c_total{x=\"1\"} 6"]);
    Ok(())
}

#[test]
fn what_goes_meanwhile_is_not_taken() -> Outcome {
    let clock = stopped();
    let member = Member::counting(&clock)?;
    let registry = member.contributor.registry();
    let _ = (member.add("1", 1.0), member.add("2", 2.0));
    text(registry);
    clock.advance(MINUTE);
    text(registry);
    member.family.remove_series(0);
    assert_eq!(member.family.take_expired(9), [1]);
    member.family.clear();
    let _ = member.add("1", 1.0);
    assert_eq!(samples(registry), ["c_total{x=\"1\"} 1"], "a new series has its whole time");
    clock.advance(MINUTE - SECOND);
    assert_eq!(samples(registry).len(), 1);
    clock.advance(SECOND);
    assert_eq!(samples(registry).len(), 0);
    assert_eq!(member.remove_expired(), 1);
    Ok(())
}

#[test]
fn a_total_keeps_all_its_parts_while_one_of_them_changes() -> Outcome {
    let clock = stopped();
    let process = Process::new();
    let members = [Member::counting(&clock)?, Member::counting(&clock)?, Member::counting(&clock)?];
    members.iter().for_each(|member| process.join(Arc::clone(&member.contributor)));
    let sets: Vec<_> = members.iter().map(|member| member.add("shared", 10.0)).collect();
    let _ = members[1].add("own", 1.0);
    let main = members[0].contributor.registry();
    members.iter().for_each(|member| member.owner.shares.store(true, Ordering::Relaxed));
    let total = |expected: &[&str]| assert_eq!(shown(main, Some(&process)), expected);
    let removed = || members.iter().map(Member::remove_expired).collect::<Vec<_>>();
    total(&["c_total{x=\"shared\"} 30", "c_total{x=\"own\"} 1"]);
    clock.advance(MINUTE);
    (sets[2])(11.0);
    total(&["c_total{x=\"shared\"} 31"]);
    assert_eq!(removed(), [0, 1, 0]);
    // What a contributor shows of its own is hidden, but stays for the total.
    assert_eq!(shown(main, None), [""; 0]);
    assert_eq!(shown(members[2].contributor.registry(), None), ["c_total{x=\"shared\"} 11"]);
    assert_eq!(removed(), [0, 0, 0]);
    total(&["c_total{x=\"shared\"} 31"]);

    // The part of one that ended is in the total for as long.
    process.leave(&members[1].contributor);
    clock.advance(MINUTE - SECOND);
    (sets[0])(12.0);
    total(&["c_total{x=\"shared\"} 33"]);
    clock.advance(SECOND);
    total(&["c_total{x=\"shared\"} 33"]);
    clock.advance(MINUTE - SECOND);
    total(&[]);
    assert_eq!((members[0].remove_expired(), members[2].remove_expired()), (1, 1));
    // Begun anew, the total has what is retired in it again: it never goes down but to nothing.
    let _ = members[0].add("shared", 1.0);
    total(&["c_total{x=\"shared\"} 11"]);
    Ok(())
}

#[test]
fn what_is_retired_is_shown_for_its_time() -> Outcome {
    let clock = stopped();
    let process = Process::new();
    let members = [Member::counting(&clock)?, Member::counting(&clock)?];
    members.iter().for_each(|member| process.join(Arc::clone(&member.contributor)));
    let _ = members[1].add("1", 7.0);
    process.leave(&members[1].contributor);
    let main = members[0].contributor.registry();
    clock.advance(MINUTE - SECOND);
    assert_eq!(shown(main, Some(&process)), ["c_total{x=\"1\"} 7"]);
    clock.advance(SECOND);
    assert_eq!(shown(main, Some(&process)), [""; 0]);
    Ok(())
}

#[test]
fn gauges_of_several_expire_each_for_itself() -> Outcome {
    let clock = stopped();
    let process = Process::new();
    let descriptor = || Descriptor::new(Kind::Gauge, "g", "G", &["x"]);
    let members = [Member::new(&clock, descriptor()?)?, Member::new(&clock, descriptor()?)?];
    members.iter().for_each(|member| process.join(Arc::clone(&member.contributor)));
    let sets: Vec<_> = members.iter().map(|member| member.add("1", 10.0)).collect();
    let main = members[0].contributor.registry();
    assert_eq!(shown(main, Some(&process)), ["g{x=\"1\"} 20"]);
    clock.advance(MINUTE);
    (sets[1])(5.0);
    assert_eq!(shown(main, Some(&process)), ["g{x=\"1\"} 5"]);
    assert_eq!((members[0].remove_expired(), members[1].remove_expired()), (1, 0));
    Ok(())
}

#[test]
fn an_exemplar_goes_with_its_series() -> Outcome {
    let clock = stopped();
    let member = Member::counting(&clock)?;
    let registry = member.contributor.registry();
    let _ = member.add("1", 1.0);
    member.family.set_exemplar(0, 0, Exemplar::new(&LabelSet::new([("trace_id", "t")])?, 1.0, 2.0)?);
    let shown = || registry.encode(Format::OpenMetrics);
    assert!(shown().contains("c_total{x=\"1\"} 1 # {trace_id=\"t\"} 1 2\n"), "{}", shown());
    clock.advance(MINUTE);
    shown();
    assert_eq!(member.remove_expired(), 1);
    let _ = member.add("1", 1.0);
    assert!(shown().contains("c_total{x=\"1\"} 1\n"), "{}", shown());
    Ok(())
}
