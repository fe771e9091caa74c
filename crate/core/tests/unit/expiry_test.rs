//! Tests the time to live of series: the scrape that finds a value unchanged for that long hides the series, and the
//! thread that owns the series removes it.

use crate::{Outcome, scrape, stopped_clock, text};
use prometheus_metrics::registry::{
    CardinalityConfig, CardinalityGuard, CardinalityLimits, Contributor, Descriptor, Exemplar, Family, Kind,
    NativeHistogramOptions, Process, Remover,
};
use prometheus_metrics::slab::{CELLS_PER_SLAB, Cells};
use prometheus_metrics::{Clock, Format, LabelSet, Registry, RegistryConfig};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

fn registry_with_ttl(
    clock: &Arc<Clock>,
    ttl: Option<Duration>,
) -> Result<Registry, Box<dyn std::error::Error>> {
    Ok(Registry::with_config(RegistryConfig::default().clock(Arc::clone(clock)).ttl(ttl))?)
}

/// The samples in the exposition of the registry.
fn samples(registry: &Registry) -> Vec<String> {
    samples_in(&text(registry))
}

fn samples_in(out: &str) -> Vec<String> {
    out.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn unchanged_series_expire() -> Outcome {
    let clock = stopped_clock();
    let registry = registry_with_ttl(&clock, Some(MINUTE))?;
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
    // Writing the same value is not a change. An observation of 0 is one, because the count changes.
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
    // The expired series are removed; the same labels make a new series.
    assert_eq!(registry.cardinality_guard().series(), 3);
    counters.with(&["2"])?.add(4.0)?;
    assert_eq!(samples(&registry)[0], "c_total{x=\"2\"} 4");
    clock.advance(MINUTE);
    assert_eq!(samples(&registry), ["alone_total 1"]);
    Ok(())
}

#[test]
fn the_ttl_starts_at_the_scrape_that_saw_the_change() -> Outcome {
    let clock = stopped_clock();
    let registry = registry_with_ttl(&clock, Some(MINUTE))?;
    let counters = registry.counter_vec("c_total", "C", &["x"])?;
    counters.with(&["1"])?.inc();
    // There was no scrape since the change, so the time to live has not started.
    clock.advance(10 * MINUTE);
    assert_eq!(samples(&registry), ["c_total{x=\"1\"} 1"]);
    clock.advance(MINUTE);
    assert_eq!(samples(&registry), [""; 0]);
    Ok(())
}

#[test]
fn the_ttl_of_a_family_overrides_the_registrys() -> Outcome {
    let clock = stopped_clock();
    let registry = registry_with_ttl(&clock, Some(MINUTE))?;
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
fn values_written_through_a_kept_handle_are_never_lost() -> Outcome {
    let clock = stopped_clock();
    let registry = registry_with_ttl(&clock, Some(MINUTE))?;
    let counters = registry.counter_vec("c_total", "C", &["x"])?;
    let kept = counters.with(&["kept"])?;
    kept.inc();
    counters.with(&["gone"])?.inc();
    text(&registry);
    clock.advance(MINUTE);
    // The series is hidden but not removed, because the test holds a handle of it.
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
    let clock = stopped_clock();
    let limits = CardinalityLimits::default().max_series(Some(2)).max_label_values(vec![("x".to_owned(), 2)]);
    let registry = Registry::with_config(
        RegistryConfig::default()
            .clock(Arc::clone(&clock))
            .ttl(Some(MINUTE))
            .cardinality(CardinalityConfig::default().family(limits).max_total(Some(2))),
    )?;
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

/// A remover that counts how often scrapes wake it.
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
    /// Returns how often since the last call.
    fn times(&self) -> usize {
        self.times.swap(0, Ordering::Relaxed)
    }
}

/// A contributor with one family and an owner, like the families of a JavaScript thread.
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

    /// Adds a series with this value; returns a function that sets another value.
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

/// The samples in a scrape of the registry and, if there is one, its process.
fn shown(registry: &Registry, process: Option<&Process>) -> Vec<String> {
    samples_in(&scrape(registry, process, &[], Format::PrometheusText))
}

#[test]
fn the_owner_removes_expired_series_except_those_written_since() -> Outcome {
    let clock = stopped_clock();
    let member = Member::counting(&clock)?;
    let registry = member.contributor.registry();
    let set = member.add("1", 1.0);
    let _ = (member.add("2", 2.0), member.add("3", 3.0));
    text(registry);
    clock.advance(MINUTE);
    assert_eq!(samples(registry), [""; 0]);
    assert_eq!(samples(registry), [""; 0]);
    // The remover is woken once for all three, although two scrapes saw them. Scrapes do not remove series.
    assert_eq!((member.owner.times(), member.family.series_count()), (1, 3));
    set(5.0);
    // A series that is written again is shown again, with its old count.
    assert_eq!(samples(registry), ["c_total{x=\"1\"} 5"]);
    assert_eq!(member.family.take_expired(1).len(), 1);
    assert_eq!(member.family.take_expired(9).len(), 1);
    assert_eq!(member.family.take_expired(9), [0_u32; 0]);
    // A series written between the scrape and the removal is not removed either.
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
fn series_removed_meanwhile_are_not_taken_as_expired() -> Outcome {
    let clock = stopped_clock();
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
    assert_eq!(samples(registry), ["c_total{x=\"1\"} 1"], "a new series has its whole time to live");
    clock.advance(MINUTE - SECOND);
    assert_eq!(samples(registry).len(), 1);
    clock.advance(SECOND);
    assert_eq!(samples(registry).len(), 0);
    assert_eq!(member.remove_expired(), 1);
    Ok(())
}

#[test]
fn parts_of_a_native_histogram_expire_together_whatever_their_resolution() -> Outcome {
    let clock = stopped_clock();
    let process = Process::new();
    let member = |factor: f64, zero_threshold: f64| {
        let options = NativeHistogramOptions::default().bucket_factor(factor).zero_threshold(zero_threshold);
        Member::new(&clock, Descriptor::histogram("h", "H", &["x"], &[])?.with_native(options)?)
    };
    let members = [member(1.1, 0.0)?, member(2.0, 1.5)?];
    let mut ids = Vec::new();
    for member in &members {
        process.join(Arc::clone(&member.contributor));
        member.owner.shares.store(true, Ordering::Relaxed);
        ids.push(member.family.add_series(&[(0, "shared")]).expect("within the limits").id);
    }
    let observe = |at: usize, value: f64| members[at].family.observe_native(ids[at], value);
    let is_shown = |expected: &str| {
        let text = scrape(members[0].contributor.registry(), Some(&process), &[], Format::OpenMetrics2);
        let series = text.lines().find(|line| line.starts_with("h{"));
        assert_eq!(series.unwrap_or_default().split(" st@").next(), Some(expected));
    };
    observe(0, 3.0);
    observe(0, 1.2);
    observe(1, 100.0);
    // The bucket from 1 to 2 is across the wider zero bucket, which takes it.
    is_shown(
        "h{x=\"shared\"} {count:3,sum:0,schema:0,zero_threshold:2,zero_count:1,\
        positive_spans:[2:1,4:1],positive_buckets:[1,1]}",
    );
    clock.advance(MINUTE - SECOND);
    observe(1, 100.0);
    let all = "h{x=\"shared\"} {count:4,sum:0,schema:0,zero_threshold:2,zero_count:1,\
        positive_spans:[2:1,4:1],positive_buckets:[1,2]}";
    is_shown(all);
    clock.advance(SECOND);
    is_shown(all);
    clock.advance(MINUTE - SECOND);
    is_shown("");
    assert_eq!((members[0].remove_expired(), members[1].remove_expired()), (1, 1));
    Ok(())
}

#[test]
fn a_total_keeps_all_parts_while_one_contributor_changes() -> Outcome {
    let clock = stopped_clock();
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
    // A scrape of the one contributor hides its series; the series stays for the total.
    assert_eq!(shown(main, None), [""; 0]);
    assert_eq!(shown(members[2].contributor.registry(), None), ["c_total{x=\"shared\"} 11"]);
    assert_eq!(removed(), [0, 0, 0]);
    total(&["c_total{x=\"shared\"} 31"]);

    // The count of a contributor that left stays in the total for as long as the total is shown.
    process.leave(&members[1].contributor);
    clock.advance(MINUTE - SECOND);
    (sets[0])(12.0);
    total(&["c_total{x=\"shared\"} 33"]);
    clock.advance(SECOND);
    total(&["c_total{x=\"shared\"} 33"]);
    clock.advance(MINUTE - SECOND);
    total(&[]);
    assert_eq!((members[0].remove_expired(), members[2].remove_expired()), (1, 1));
    // A new series of the same labels shows the retired count again, so the total never falls except by expiring.
    let _ = members[0].add("shared", 1.0);
    total(&["c_total{x=\"shared\"} 11"]);
    Ok(())
}

#[test]
fn a_total_stays_when_a_contributor_ends_after_the_ttl_of_another_that_has_ended() -> Outcome {
    let clock = stopped_clock();
    let process = Process::new();
    let members = [Member::counting(&clock)?, Member::counting(&clock)?, Member::counting(&clock)?];
    members.iter().for_each(|member| process.join(Arc::clone(&member.contributor)));
    let sets: Vec<_> = members.iter().map(|member| member.add("shared", 10.0)).collect();
    let _ = members[1].add("own", 1.0);
    let main = members[0].contributor.registry();
    let total = |expected: &[&str]| assert_eq!(shown(main, Some(&process)), expected);
    process.leave(&members[1].contributor);
    total(&["c_total{x=\"shared\"} 30", "c_total{x=\"own\"} 1"]);
    clock.advance(MINUTE);
    (sets[0])(11.0);
    total(&["c_total{x=\"shared\"} 31"]);
    process.leave(&members[2].contributor);
    // What no contributor shows is forgotten, also where the rest of its metric is kept.
    total(&["c_total{x=\"shared\"} 31"]);
    Ok(())
}

#[test]
fn a_total_stays_when_the_last_contributor_that_shows_it_ends() -> Outcome {
    let clock = stopped_clock();
    let process = Process::new();
    let members = [Member::counting(&clock)?, Member::counting(&clock)?, Member::counting(&clock)?];
    members.iter().for_each(|member| process.join(Arc::clone(&member.contributor)));
    let main = members[0].contributor.registry();
    let total = |expected: &[&str]| assert_eq!(shown(main, Some(&process)), expected);
    let _ = members[1].add("1", 10.0);
    process.leave(&members[1].contributor);
    let set = members[2].add("1", 5.0);
    total(&["c_total{x=\"1\"} 15"]);
    clock.advance(MINUTE);
    set(6.0);
    total(&["c_total{x=\"1\"} 16"]);
    process.leave(&members[2].contributor);
    total(&["c_total{x=\"1\"} 16"]);
    Ok(())
}

#[test]
fn a_retired_series_is_shown_until_its_ttl_ends() -> Outcome {
    let clock = stopped_clock();
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
fn gauges_of_several_contributors_expire_separately() -> Outcome {
    let clock = stopped_clock();
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
fn an_exemplar_is_removed_with_its_series() -> Outcome {
    let clock = stopped_clock();
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
