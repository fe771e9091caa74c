//! Fills in the HTML page at `/`, which shows what the exposition says and how it changes. The page is made of the sources
//! in `page` by the build script. Here it gets the facts that no exposition has: the path of the exposition, the version and
//! the limits of families.

use crate::gather::Gathered;
use crate::serialization::Shown;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::LazyLock;

/// The document, compressed because the addon has little room.
static COMPRESSED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/page.html.deflate"));

/// The word in the document that the facts replace.
const FACTS: &str = "\"FACTS\"";

struct Document {
    before: String,
    after: String,
    policy: String,
}

static DOCUMENT: LazyLock<Document> = LazyLock::new(|| {
    // The build script has compressed it, so neither can fail.
    let html = miniz_oxide::inflate::decompress_to_vec(COMPRESSED).unwrap_or_default();
    let html = String::from_utf8(html).unwrap_or_default();
    let (before, after) = html.split_once(FACTS).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
        source(&html, "<script type=\"module\">", "</script>"),
        source(&html, "<style>", "</style>"),
    );
    Document { before: before.to_owned(), after: after.to_owned(), policy }
});

/// The source of a policy that allows only the text between two tags.
fn source(html: &str, opening: &str, closing: &str) -> String {
    let text = html.split_once(opening).and_then(|(_, rest)| rest.split_once(closing));
    let digest = Sha256::digest(text.unwrap_or_default().0);
    format!("'sha256-{}'", STANDARD.encode(digest))
}

/// The page's `Content-Security-Policy`: only its own script and style, and requests to its own origin.
pub(crate) fn policy() -> &'static str {
    &DOCUMENT.policy
}

/// Writes the page.
pub(crate) fn page(gathered: &Gathered, metrics_path: &str) -> String {
    let Document { before, after, .. } = &*DOCUMENT;
    let mut text = String::with_capacity(before.len() + after.len() + 1024);
    text.push_str(before);
    let limits: Vec<String> = gathered
        .families
        .iter()
        .filter_map(|family| Some(format!("{}:{}", quoted(family.name()), family.max_series()?)))
        .collect();
    // Writing to a text cannot fail.
    let _ = write!(
        text,
        "{{\"path\":{},\"version\":\"{}\",\"limits\":{{{}}}}}",
        quoted(metrics_path),
        env!("CARGO_PKG_VERSION"),
        limits.join(","),
    );
    text.push_str(after);
    text
}

/// A text as JSON that cannot end the element around it.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for char in text.chars() {
        match char {
            // Writing to a text cannot fail.
            '"' | '\\' | '<' | '>' | '&' | '\0'..='\u{1f}' => drop(write!(out, "\\u{:04x}", u32::from(char))),
            _ => out.push(char),
        }
    }
    out.push('"');
    out
}
