//! Ends the process at a named step, as SIGKILL would, so that tests can look at what is left. Only in debug builds.

/// Ends the process if the variable names this step, and its number of earlier passes: `record written:3`.
#[cfg(debug_assertions)]
pub(super) fn crash_point(step: &str) {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU32, Ordering};
    static WANTED: LazyLock<Option<(String, AtomicU32)>> = LazyLock::new(|| {
        let wanted = std::env::var("PROMETHEUS_METRICS_TEST_CRASH").ok()?;
        let (step, passes) = wanted.rsplit_once(':')?;
        Some((step.to_owned(), AtomicU32::new(passes.parse().ok()?)))
    });
    if let Some((wanted, left)) = &*WANTED
        && wanted == step
        && left.fetch_sub(1, Ordering::Relaxed) == 0
    {
        std::process::abort();
    }
}

#[cfg(not(debug_assertions))]
pub(super) fn crash_point(_step: &str) {}
