//! Stands in for `tls.rs` in a build without the feature `tls`: it refuses URLs of https.

use crate::config::MetricsConfig;
use crate::error::{MetricsError, Result};
use std::io;
use std::net::TcpStream;

/// The pusher's side of TLS. This build has no value of the type.
pub(super) enum Tls {}

impl Tls {
    /// # Errors
    /// Always `InvalidConfig`.
    pub(super) fn new(_config: &MetricsConfig) -> Result<Self> {
        Err(MetricsError::invalid_config(
            "Expected a URL of http, because this program was built without the Cargo feature tls: turn it on or change \
             the URL",
        ))
    }

    pub(super) fn session(&self, _host: &str) -> io::Result<Session> {
        match *self {}
    }
}

/// The encryption of a connection. This build has no value of the type.
pub(super) enum Session {}

impl Session {
    pub(super) fn write(&mut self, _tcp: &mut TcpStream, _bytes: &[u8]) -> io::Result<usize> {
        match *self {}
    }

    pub(super) fn flush(&mut self, _tcp: &mut TcpStream) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn read(&mut self, _tcp: &mut TcpStream, _bytes: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }
}
