//! Stands in for `tls.rs` in a build without the feature `tls`: it refuses settings of TLS, so no connection has any.

use super::connection::Socket;
use super::tls_config::TlsConfig;
use crate::error::{MetricsError, Result};

/// The server's side of TLS, of which this build has none.
pub(super) enum Tls {}

impl Tls {
    /// # Errors
    /// Always `InvalidConfig`.
    pub(super) fn new(_config: TlsConfig) -> Result<Self> {
        Err(MetricsError::invalid_config(
            "Expected no TLS settings, because this program was built without the Cargo feature tls: turn it on or \
             remove the settings",
        ))
    }

    #[expect(clippy::unused_async, reason = "it has the signature of the one that speaks TLS")]
    pub(super) async fn accept(&self, _socket: Socket) -> Option<Socket> {
        match *self {}
    }

    pub(super) fn expires(&self) -> Option<u64> {
        match *self {}
    }

    pub(super) fn take_expiry_warning(&self) -> Option<String> {
        match *self {}
    }

    pub(super) fn take_reload_error(&self) -> Option<String> {
        match *self {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::pem::Pem;
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn settings_of_tls_are_refused() {
        let pem = || Pem::Text(String::new());
        let error = Tls::new(TlsConfig::new(pem(), pem())).err().expect("there is no TLS");
        assert_eq!(error.kind(), ErrorKind::InvalidConfig);
        assert!(error.to_string().contains("Cargo feature tls"));
    }
}
