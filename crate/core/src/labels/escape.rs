//! Escapes label values and HELP texts for the text formats. Text 0.0.4 and OpenMetrics agree on label values, so
//! rendered labels serve both; they differ in HELP.

/// Appends a label value: `\`, `"` and LF are escaped (both formats).
pub(crate) fn label_value(value: &str, out: &mut Vec<u8>) {
    escape(value, true, out);
}

/// Appends a HELP text. Text 0.0.4 escapes `\` and LF; OpenMetrics also escapes `"`.
pub(crate) fn help(text: &str, quotes: bool, out: &mut Vec<u8>) {
    escape(text, quotes, out);
}

fn escape(text: &str, quotes: bool, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let mut clean = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let replacement: &[u8] = match byte {
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'"' if quotes => b"\\\"",
            _ => continue,
        };
        out.extend_from_slice(&bytes[clean..at]);
        out.extend_from_slice(replacement);
        clean = at + 1;
    }
    out.extend_from_slice(&bytes[clean..]);
}

/// Appends the label value that was written as `escaped`.
#[cfg(any(feature = "prometheus-client", feature = "protobuf"))]
pub(crate) fn unescape(escaped: &[u8], out: &mut Vec<u8>) {
    let mut bytes = escaped.iter().copied();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'n') => b'\n',
                Some(other) => other,
                None => b'\\',
            },
            other => other,
        });
    }
}
