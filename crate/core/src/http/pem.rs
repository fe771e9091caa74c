//! Reads certificates and keys in PEM, from a file or from the setting's text. It must not know which of them belong
//! together.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::{MetricsError, Result};

/// The largest accepted file. A certificate chain has about 10 kB.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Certificates or a key in PEM.
#[derive(Clone, PartialEq, Eq)]
pub enum Pem {
    /// A file, which is read again when it changes.
    File(PathBuf),
    /// The text itself.
    Text(String),
}

impl From<PathBuf> for Pem {
    fn from(file: PathBuf) -> Self {
        Self::File(file)
    }
}

impl From<&Path> for Pem {
    fn from(file: &Path) -> Self {
        Self::File(file.to_owned())
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.fmt(f),
            Self::Text(_) => f.write_str("(inline)"),
        }
    }
}

pub(super) fn certificates(setting: &str, pem: &Pem) -> Result<Vec<CertificateDer<'static>>> {
    let bytes = read(setting, pem)?;
    let chain = CertificateDer::pem_slice_iter(&bytes).collect::<std::result::Result<Vec<_>, _>>().map_err(
        |error| {
            MetricsError::invalid_config(format!(
                "Expected PEM in {} but received {error}",
                named(setting, pem)
            ))
        },
    )?;
    if chain.is_empty() {
        return Err(MetricsError::invalid_config(format!(
            "Expected a certificate in {} but received none",
            named(setting, pem)
        )));
    }
    Ok(chain)
}

pub(super) fn private_key(pem: &Pem) -> Result<PrivateKeyDer<'static>> {
    let bytes = read("key", pem)?;
    let expected = |what: &str| {
        MetricsError::invalid_config(format!(
            "Expected an unencrypted private key in {} but received {what}",
            named("key", pem)
        ))
    };
    let text = String::from_utf8_lossy(&bytes);
    if text.contains("ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(expected("an encrypted one"));
    }
    // Do not show the error's text: it may quote a line of the file, which may be part of a key.
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| match error {
        pem::Error::NoItemsFound => expected("none"),
        _ => expected("malformed PEM"),
    })
}

fn read(setting: &str, pem: &Pem) -> Result<Vec<u8>> {
    let path = match pem {
        Pem::File(path) => path,
        Pem::Text(text) => return Ok(text.clone().into_bytes()),
    };
    read_bounded(path, MAX_FILE_BYTES).map_err(|what| {
        MetricsError::invalid_config(format!(
            "Expected a readable file for {} but received {what}",
            named(setting, pem)
        ))
    })
}

/// The content of a regular file, or a text that says why it cannot be read.
pub(super) fn read_bounded(path: &Path, max_bytes: u64) -> std::result::Result<Vec<u8>, String> {
    // Check the type first: opening a pipe would block until it has a writer.
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("something other than a file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(max_bytes + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > max_bytes {
        return Err(format!("more than {max_bytes} bytes"));
    }
    Ok(bytes)
}

/// The setting and its file, for error messages.
pub(super) fn named(setting: &str, pem: &Pem) -> String {
    match pem {
        Pem::File(path) => format!("{setting}_file {path:?}"),
        Pem::Text(_) => setting.to_owned(),
    }
}
