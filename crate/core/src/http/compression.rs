//! Gzip. Level 1: on exposition text, level 6 costs five times the processor for an eighth of the size.

#[cfg(feature = "gzip")]
use flate2::{Compression, write::GzEncoder};

/// Bodies below this many bytes stay as they are: gzip's frame and the scraper's inflating cost more than they save.
pub const DEFAULT_MIN_SIZE: usize = 1024;

/// The level: fast, because a scrape is read once and thrown away.
#[cfg(feature = "gzip")]
const LEVEL: u32 = 1;

/// Compresses `body` into `out`, which is emptied first. Returns false where the crate was built without gzip.
pub fn gzip(body: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    #[cfg(feature = "gzip")]
    {
        use std::io::Write;
        let mut encoder = GzEncoder::new(std::mem::take(out), Compression::new(LEVEL));
        // A `Vec` takes everything, so neither step can fail.
        let written = encoder.write_all(body).and_then(|()| encoder.finish());
        match written {
            Ok(compressed) => {
                *out = compressed;
                true
            }
            Err(_) => false,
        }
    }
    #[cfg(not(feature = "gzip"))]
    {
        let _ = body;
        false
    }
}

#[cfg(all(test, not(loom), feature = "gzip"))]
mod tests {
    use std::io::Read;

    #[test]
    fn what_is_compressed_comes_back() {
        let body = "http_requests_total{method=\"GET\"} 1\n".repeat(1000);
        let mut compressed = vec![1, 2, 3];
        assert!(super::gzip(body.as_bytes(), &mut compressed));
        assert!(compressed.len() < body.len() / 10);
        let mut back = String::new();
        flate2::read::GzDecoder::new(&compressed[..]).read_to_string(&mut back).expect("gzip");
        assert_eq!(back, body);
    }
}
