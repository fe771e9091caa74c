//! stub
use super::tls::TlsConfig;
use crate::error::Result;
use std::path::Path;
pub(crate) struct WebConfig {
    pub(crate) tls: Option<TlsConfig>,
    pub(crate) basic_users: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
}
impl WebConfig {
    pub(crate) fn read(_: &Path) -> Result<Self> {
        unimplemented!()
    }
}
