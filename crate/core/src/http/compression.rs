//! Compresses bodies with gzip at level 1. On exposition text, level 6 takes five times the processor time to save an
//! eighth of the size.

use super::body::Body;
use flate2::{Compression, write::GzEncoder};
use std::io::Write;

/// The fastest level, because a scrape is read once and discarded.
const LEVEL: u32 = 1;

/// The smallest part that is worth a thread: it takes 1 ms to compress, starting a thread a twentieth of that.
const MEMBER_BYTES: usize = 1024 * 1024;

/// How many gzip members are compressed in parallel. Scrapers read consecutive members as one text (RFC 1952, 2.2).
/// Half of the cores, because the other half belongs to the host program; so one member on two cores.
fn default_members() -> usize {
    static CORES: std::sync::LazyLock<usize> =
        std::sync::LazyLock::new(|| std::thread::available_parallelism().map_or(1, Into::into));
    (*CORES / 2).clamp(1, 4)
}

/// Compresses `body` into `out`, which is cleared first. A large body is compressed on several threads.
pub fn gzip(body: &[u8], out: &mut Vec<u8>) {
    gzip_members(body, out, default_members().min(body.len() / MEMBER_BYTES));
}

/// Compresses `body` into `out`, which is cleared first, as this many gzip members (at least one) on as many threads.
pub fn gzip_members(body: &[u8], out: &mut Vec<u8>, members: usize) {
    out.clear();
    if members < 2 {
        return member(body, out);
    }
    let mut parts = body.chunks(body.len().div_ceil(members).max(1));
    let first = parts.next().unwrap_or_default();
    std::thread::scope(|scope| {
        let rest: Vec<_> = parts
            .map(|part| {
                let job = move || {
                    let mut compressed = Body::with_room(0);
                    member(part, compressed.buffer());
                    compressed
                };
                // If the system has no thread, this one does the work.
                std::thread::Builder::new().spawn_scoped(scope, job).map_err(|_| job)
            })
            .collect();
        member(first, out);
        for thread in rest {
            let compressed = match thread {
                Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                Err(job) => job(),
            };
            out.extend_from_slice(compressed.as_slice());
        }
    });
}

fn member(part: &[u8], out: &mut Vec<u8>) {
    let mut encoder = GzEncoder::new(std::mem::take(out), Compression::new(LEVEL));
    // Writing to a `Vec` cannot fail.
    if let Ok(compressed) = encoder.write_all(part).and_then(|()| encoder.finish()) {
        *out = compressed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn any_number_of_members_decompresses_to_the_body() {
        let body = "http_requests_total{method=\"GET\"} 1\n".repeat(1000);
        for members in [0, 1, 2, 3, 7] {
            let mut compressed = vec![1, 2, 3];
            gzip_members(body.as_bytes(), &mut compressed, members);
            assert!(compressed.len() < body.len() / 10);
            let mut back = String::new();
            flate2::read::MultiGzDecoder::new(&compressed[..]).read_to_string(&mut back).expect("gzip");
            assert_eq!(back, body, "{members} members");
        }
    }

    /// Runs the test above in a process that can start no thread, because no stack has as much room.
    #[cfg(all(unix, target_pointer_width = "64"))]
    #[test]
    fn without_threads_it_compresses_alone() {
        const NAME: &str = "http::compression::tests::any_number_of_members_decompresses_to_the_body";
        let own = std::env::current_exe().expect("this program");
        let output = std::process::Command::new(own)
            .args([NAME, "--exact", "--test-threads=1"])
            .env("RUST_MIN_STACK", (1_usize << 50).to_string())
            .output()
            .expect("it runs");
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && told.contains("1 passed"), "{told}");
    }
}
