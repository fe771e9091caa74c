//! Compresses bodies with gzip at level 1. On exposition text, level 6 takes five times the processor time to save an
//! eighth of the size.

use super::body::Body;
use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compression, Crc};
use std::io::Write;

/// The fastest level, because a scrape is read once and discarded.
const LEVEL: u32 = 1;

/// The smallest part that is worth a thread: it takes 1 ms to compress, starting a thread a twentieth of that.
const PART_BYTES: usize = 1024 * 1024;

/// The head of a gzip member without a name, a time and a system (RFC 1952, 2.3).
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// How many parts are compressed in parallel. Half of the cores, because the other half belongs to the host program; so
/// one part on two cores.
fn default_parts() -> usize {
    static CORES: std::sync::LazyLock<usize> =
        std::sync::LazyLock::new(|| std::thread::available_parallelism().map_or(1, Into::into));
    (*CORES / 2).clamp(1, 4)
}

/// Compresses `body` into `out`, which is cleared first. A large body is compressed on several threads.
pub fn gzip(body: &[u8], out: &mut Vec<u8>) {
    gzip_parts(body, out, default_parts().min(body.len() / PART_BYTES));
}

/// Compresses `body` into `out`, which is cleared first, in this many parts (at least one) on as many threads. The parts
/// make one gzip member: browsers read the first member and ignore the others.
pub fn gzip_parts(body: &[u8], out: &mut Vec<u8>, parts: usize) {
    out.clear();
    if parts < 2 || body.is_empty() {
        return member(body, out);
    }
    let size = body.len().div_ceil(parts);
    let last = body.len().div_ceil(size) - 1;
    let mut parts = body.chunks(size).enumerate();
    let (_, first) = parts.next().unwrap_or_default();
    out.extend_from_slice(&HEAD);
    let crc = std::thread::scope(|scope| {
        let rest: Vec<_> = parts
            .map(|(at, part)| {
                let job = move || {
                    let mut compressed = Body::with_room(0);
                    let crc = deflate(part, at == last, compressed.buffer());
                    (compressed, crc)
                };
                // If the system has no thread, this one does the work.
                std::thread::Builder::new().spawn_scoped(scope, job).map_err(|_| job)
            })
            .collect();
        let mut crc = deflate(first, last == 0, out);
        for thread in rest {
            let (compressed, of_part) = match thread {
                Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                Err(job) => job(),
            };
            out.extend_from_slice(compressed.as_slice());
            crc.combine(&of_part);
        }
        crc
    });
    out.extend_from_slice(&crc.sum().to_le_bytes());
    // The length modulo 2^32, as the format has it.
    out.extend_from_slice(&(body.len() as u32).to_le_bytes());
}

/// Appends a part of a member. A part that is not the last one ends at a whole byte, so that another can follow.
fn deflate(part: &[u8], is_last: bool, out: &mut Vec<u8>) -> Crc {
    let mut crc = Crc::new();
    crc.update(part);
    let mut encoder = DeflateEncoder::new(std::mem::take(out), Compression::new(LEVEL));
    // Writing to a `Vec` cannot fail.
    let written = encoder.write_all(part).and_then(|()| match is_last {
        true => encoder.try_finish(),
        false => encoder.flush(),
    });
    if written.is_ok() {
        *out = std::mem::take(encoder.get_mut());
    }
    crc
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
    fn any_number_of_parts_is_one_member_of_the_whole_body() {
        let body = "http_requests_total{method=\"GET\"} 1\n".repeat(1000);
        for (text, least) in [(body.as_str(), body.len() / 10), ("abc", 100), ("", 100)] {
            for parts in [0, 1, 2, 3, 7] {
                let mut compressed = vec![1, 2, 3];
                gzip_parts(text.as_bytes(), &mut compressed, parts);
                assert!(compressed.len() < least);
                let mut back = String::new();
                let mut decoder = flate2::bufread::GzDecoder::new(&compressed[..]);
                decoder.read_to_string(&mut back).expect("gzip");
                assert_eq!(back, text, "{parts} parts");
                assert_eq!(decoder.into_inner(), b"", "one member");
            }
        }
    }

    /// Runs the test above in a process that can start no thread, because no stack has as much room.
    #[cfg(all(unix, target_pointer_width = "64"))]
    #[test]
    fn without_threads_it_compresses_alone() {
        const NAME: &str = "http::compression::tests::any_number_of_parts_is_one_member_of_the_whole_body";
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
