//! Tests the rate limiter with real time.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::{Outcome, refusal};
use prometheus_metrics::ErrorKind;
use prometheus_metrics::http::RateLimiter;

const FIVE: NonZeroU32 = NonZeroU32::new(5).expect("not zero");

#[test]
fn test_a_burst_passes_and_the_next_request_gets_the_time_to_wait() -> Outcome {
    let limiter = RateLimiter::new(20.0, FIVE)?;
    let peer = Some(IpAddr::from([192, 0, 2, 1]));
    for _ in 0..5 {
        assert_eq!(limiter.check(peer), Ok(()));
    }
    let wait = limiter.check(peer).expect_err("the burst is used up");
    assert!(wait <= Duration::from_millis(50), "{wait:?}");
    std::thread::sleep(wait);
    assert_eq!(limiter.check(peer), Ok(()), "waiting for the given time is enough");
    Ok(())
}

#[test]
fn test_invalid_rates_are_refused() {
    for (rate, shown) in [
        (0.0, "0"),
        (-1.0, "-1"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "inf"),
        (0.0009, "0.0009"),
        (1_000_001.0, "1000001"),
    ] {
        let message =
            format!("Expected a number from 0.001 to 1000000 for the rate a second but received {shown}");
        assert_eq!(refusal(RateLimiter::new(rate, FIVE)), (ErrorKind::InvalidConfig, message));
    }
    let message = "Expected a whole number from 1 to 1000000 for the burst but received 1000001".to_owned();
    let burst = NonZeroU32::new(1_000_001).expect("not zero");
    assert_eq!(refusal(RateLimiter::new(1.0, burst)), (ErrorKind::InvalidConfig, message));
    assert!(RateLimiter::new(0.001, NonZeroU32::new(1_000_000).expect("not zero")).is_ok());
}
