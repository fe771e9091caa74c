//! stub
use crate::config::MetricsConfig;
use crate::error::Result;
use std::sync::Arc;
pub(crate) struct TlsConfig;
impl TlsConfig {
    pub(crate) fn from_settings(_: &MetricsConfig) -> Result<Option<Self>> {
        Ok(None)
    }
}
pub(crate) struct Tls;
impl Tls {
    pub(crate) fn new(_: TlsConfig) -> Result<Self> {
        Ok(Self)
    }
    pub(crate) fn server_config(&self) -> Arc<tokio_rustls::rustls::ServerConfig> {
        unimplemented!()
    }
    pub(crate) fn take_reload_error(&self) -> Option<String> {
        None
    }
}
