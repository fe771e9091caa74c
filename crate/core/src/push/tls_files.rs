//! Reads the files of a pusher's side of TLS: the authorities that it believes, and its own certificate. It reads them again for
//! each request, because they may change.

use super::credentials::read_text;
use crate::config::MetricsConfig;
use crate::error::{MetricsError, Result};
#[cfg(feature = "tls")]
use crate::http::{Pem, certificates, private_key};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The largest accepted file. A certificate chain has about 10 kB.
const MAX_FILE_BYTES: u64 = 1024 * 1024;
const OPTIONS: [&str; 3] = ["pushTlsCaFile", "pushTlsCertFile", "pushTlsKeyFile"];

/// Certificates and a key, in PEM.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsTexts {
    /// The authorities of the receiver's certificate. `None` means those of the system.
    pub authorities: Option<String>,
    /// The pusher's certificate chain, and its key.
    pub own: Option<(String, String)>,
}

impl TlsTexts {
    #[cfg(feature = "tls")]
    fn check(&self) -> Result<()> {
        let pem = |text: &String| Pem::Text(text.clone());
        if let Some(authorities) = &self.authorities {
            certificates(OPTIONS[0], &pem(authorities))?;
        }
        if let Some((cert, key)) = &self.own {
            certificates(OPTIONS[1], &pem(cert))?;
            private_key(&pem(key))?;
        }
        Ok(())
    }

    /// A program without the feature `tls` brings a transport that knows certificates.
    #[cfg(not(feature = "tls"))]
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// The files of a pusher of `https`.
pub(super) struct TlsFiles {
    authorities: Option<PathBuf>,
    own: Option<(PathBuf, PathBuf)>,
    texts: Arc<TlsTexts>,
}

impl TlsFiles {
    /// Reads and checks the files. `None` for a receiver of `http`.
    ///
    /// # Errors
    /// `InvalidConfig` for a file that cannot be used, and for settings that contradict each other.
    pub(super) fn new(config: &MetricsConfig, is_secure: bool) -> Result<Option<Self>> {
        let path = |file: &Option<String>| file.as_ref().map(PathBuf::from);
        let authorities = path(&config.push_tls_ca_file);
        let own = match (path(&config.push_tls_cert_file), path(&config.push_tls_key_file)) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            _ => {
                let error = MetricsError::invalid_config(
                    "Expected both pushTlsCertFile and pushTlsKeyFile but received one of them alone",
                );
                return Err(config.blame(&error, &OPTIONS[1..]));
            }
        };
        if !is_secure {
            return if authorities.is_none() && own.is_none() {
                Ok(None)
            } else {
                Err(MetricsError::invalid_config(
                    "Expected a URL of https beside settings of TLS but received one of http",
                ))
            };
        }
        let mut files = Self { authorities, own, texts: Arc::default() };
        let texts = files.read().and_then(|texts| texts.check().map(|()| texts));
        files.texts = Arc::new(texts.map_err(|error| config.blame(&error, &OPTIONS))?);
        Ok(Some(files))
    }

    /// What the files contain now. If changed files cannot be used, it is what they contained before.
    pub(super) fn current(&mut self) -> Arc<TlsTexts> {
        if let Ok(texts) = self.read()
            && texts != *self.texts
            && texts.check().is_ok()
        {
            self.texts = Arc::new(texts);
        }
        Arc::clone(&self.texts)
    }

    fn read(&self) -> Result<TlsTexts> {
        let text = |path: &Path| read_text(path, MAX_FILE_BYTES).map_err(MetricsError::invalid_config);
        let own = match &self.own {
            None => None,
            Some((cert, key)) => Some((text(cert)?, text(key)?)),
        };
        Ok(TlsTexts { authorities: self.authorities.as_deref().map(text).transpose()?, own })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_contradict_each_other_are_refused() {
        let config = MetricsConfig::default().push_tls_cert_file(Some("a".to_owned()));
        let refusal = |config: &MetricsConfig, is_secure| {
            TlsFiles::new(config, is_secure).err().expect("it is refused").to_string()
        };
        assert!(refusal(&config, true).contains("pushTlsKeyFile"));
        let config = MetricsConfig::default().push_tls_ca_file(Some("/nowhere".to_owned()));
        assert!(refusal(&config, false).contains("a URL of https"));
        assert!(refusal(&config, true).contains("/nowhere"));
        assert!(TlsFiles::new(&MetricsConfig::default(), false).expect("it is valid").is_none());
        let files = TlsFiles::new(&MetricsConfig::default(), true).expect("it is valid");
        assert!(files.expect("it is secure").current().authorities.is_none());
    }

    #[cfg(feature = "tls")]
    #[test]
    fn a_file_that_is_no_certificate_is_refused_and_does_not_replace_one() {
        let ca = || rcgen::generate_simple_self_signed(vec!["a".to_owned()]).expect("it is made").cert.pem();
        let path = std::env::temp_dir().join(format!("push-ca-{}.pem", std::process::id()));
        let write = |text: &str| std::fs::write(&path, text).expect("the folder is writable");
        let first = ca();
        write(&first);
        let config = MetricsConfig::default().push_tls_ca_file(Some(path.to_string_lossy().into_owned()));
        let mut files = TlsFiles::new(&config, true).expect("it is valid").expect("it is secure");
        let old = files.current();
        assert_eq!(old.authorities.as_deref(), Some(first.trim_end()));
        assert!(Arc::ptr_eq(&old, &files.current()));
        write("half");
        assert!(Arc::ptr_eq(&old, &files.current()));
        assert!(TlsFiles::new(&config, true).is_err());
        let second = ca();
        write(&second);
        assert_eq!(files.current().authorities.as_deref(), Some(second.trim_end()));
        std::fs::remove_file(&path).expect("it is there");
        assert_eq!(files.current().authorities.as_deref(), Some(second.trim_end()));
    }
}
