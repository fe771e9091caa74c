//! Tests registries and histograms with random calls, against simple models.

use prometheus_metrics::registry::Kind;
use prometheus_metrics::{ErrorKind, Format, Histogram, MetricsError, Registry};
use proptest::prelude::*;

proptest! {
    #[test]
    fn an_observation_is_in_every_bucket_with_a_bound_at_or_above_it(
        bounds in prop::collection::btree_set(-200..200_i32, 1..20),
        observed in prop::collection::vec(-900..900_i32, 0..60),
    ) {
        let bounds: Vec<f64> = bounds.into_iter().map(|bound| f64::from(bound) / 8.0).collect();
        let observed: Vec<f64> = observed.into_iter().map(|value| f64::from(value) / 32.0).collect();
        let registry = Registry::new();
        let histogram = Histogram::with_buckets("h", "H", &bounds)?;
        registry.register(&histogram)?;
        observed.iter().try_for_each(|value| histogram.observe(*value))?;
        // Multiples of 1/32 add up exactly, in any order.
        let sum: f64 = observed.iter().sum();
        let mut expected = String::from("# HELP h H\n# TYPE h histogram\n");
        for bound in &bounds {
            let count = observed.iter().filter(|value| *value <= bound).count();
            expected += &format!("h_bucket{{le=\"{bound}\"}} {count}\n");
        }
        let count = observed.len();
        // In Rust the sum of an empty list is -0; a cell starts at 0.
        expected += &format!("h_bucket{{le=\"+Inf\"}} {count}\nh_sum {}\nh_count {count}\n", sum + 0.0);
        prop_assert_eq!(registry.encode(Format::PrometheusText), expected);
        prop_assert_eq!((histogram.count(), histogram.sum()), (count as f64, sum));
    }

    #[test]
    fn asking_for_a_metric_finds_it_makes_it_or_fails_with_the_right_kind(requests in prop::collection::vec(requests(), 1..40)) {
        let registry = Registry::new();
        let mut model: Vec<Request> = Vec::new();
        for request in requests {
            let answer = request.ask(&registry);
            let known = model.iter().find(|known| known.name == request.name);
            let clash = model.iter().any(|known| known.name != request.name && clashes(known, &request));
            match (answer, known) {
                (Ok(()), Some(known)) => prop_assert_eq!(known, &request),
                (Err(error), Some(known)) => {
                    prop_assert_ne!(known, &request);
                    prop_assert_eq!(error.kind(), ErrorKind::TypeMismatch);
                }
                (Err(error), None) => {
                    prop_assert!(clash, "{}", error);
                    prop_assert_eq!(error.kind(), ErrorKind::DuplicateMetric);
                }
                (Ok(()), None) => {
                    prop_assert!(!clash);
                    model.push(request);
                }
            }
        }
        let made: Vec<String> = registry.families().iter().map(|family| family.descriptor().name().to_owned()).collect();
        let expected: Vec<String> = model.into_iter().map(|request| request.name).collect();
        prop_assert_eq!(made, expected);
    }
}

/// A metric that the test asks a registry for.
#[derive(Debug, Clone, PartialEq)]
struct Request {
    name: String,
    kind: Kind,
    labels: Vec<&'static str>,
    bounds: Vec<f64>,
}

fn requests() -> impl Strategy<Value = Request> {
    let name = "[mn](_sum|_count|_bucket)?";
    let kind = prop_oneof![Just(Kind::Counter), Just(Kind::Gauge), Just(Kind::Histogram)];
    let labels = prop::sample::select(vec![vec![], vec!["a"], vec!["b", "a"], vec!["a", "b"]]);
    let bounds = prop::sample::select(vec![vec![1.0], vec![1.0, 2.0]]);
    (name, kind, labels, bounds).prop_map(|(name, kind, labels, bounds)| Request {
        name,
        kind,
        labels,
        bounds: if kind == Kind::Histogram { bounds } else { Vec::new() },
    })
}

impl Request {
    fn ask(&self, registry: &Registry) -> Result<(), MetricsError> {
        match self.kind {
            Kind::Counter => registry.counter_vec(&self.name, "", &self.labels).map(drop),
            Kind::Gauge => registry.gauge_vec(&self.name, "", &self.labels).map(drop),
            _ => registry.histogram_vec(&self.name, "", &self.labels, &self.bounds).map(drop),
        }
    }

    fn sample_names(&self) -> Vec<String> {
        let suffixes: &[&str] =
            if self.kind == Kind::Histogram { &["", "_bucket", "_sum", "_count"] } else { &[""] };
        suffixes.iter().map(|suffix| format!("{}{suffix}", self.name)).collect()
    }
}

fn clashes(known: &Request, wanted: &Request) -> bool {
    known.sample_names().iter().any(|name| wanted.sample_names().contains(name))
}
