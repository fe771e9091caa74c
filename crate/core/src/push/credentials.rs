//! Makes the `Authorization` header of requests: from settings, from the URL, or from files, which are read for each
//! request because they may change. Hides secrets in texts.

use super::settings::Receiver;
use crate::config::MetricsConfig;
use crate::error::{MetricsError, Result};
use crate::http::read_bounded;
use crate::labels::redact_for_log;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::path::{Path, PathBuf};

/// Longer secrets fit into no header.
const MAX_FILE_BYTES: u64 = 16 * 1024;
/// The values of headers that may be secret have at least this length.
const SECRET_LENGTH: usize = 6;
/// How much of a text a message shows.
const SHOWN_CHARACTERS: usize = 200;

/// A secret.
enum Secret {
    Text(String),
    File(PathBuf),
}

/// How a pusher authenticates itself.
pub(super) struct Credentials {
    /// With a user it is basic authentication, without one a bearer token.
    user: Option<String>,
    secret: Option<Secret>,
    /// Values of other headers, which may be secret too.
    others: Vec<String>,
}

impl Credentials {
    /// # Errors
    /// `InvalidConfig` for settings that contradict each other, and for a file that cannot be read.
    pub(super) fn new(config: &MetricsConfig, receiver: &Receiver) -> Result<Self> {
        const PASSWORD: [&str; 2] = ["pushPassword", "pushPasswordFile"];
        const TOKEN: [&str; 2] = ["pushBearerToken", "pushBearerTokenFile"];
        const USER: &str = "pushUsername";
        let is_option = |name: &&str| config.is_option(name);
        let has_basic = PASSWORD.iter().chain([&USER]).any(is_option);
        let has_token = TOKEN.iter().any(is_option);
        let has_url = receiver.user.is_some() && config.is_option("pushUrl");
        // Options override variables of another kind too.
        let kept = |value: &Option<String>, name: &str, overridden: bool| {
            value.clone().filter(|_| !overridden || config.is_option(name))
        };
        let secret = |text: &Option<String>, file: &Option<String>, names: [&str; 2], overridden: bool| {
            let text = kept(text, names[0], overridden || config.is_option(names[1]));
            let file = kept(file, names[1], overridden || config.is_option(names[0]));
            match (text, file) {
                (Some(_), Some(_)) => {
                    let error =
                        MetricsError::invalid_config("Expected a secret or its file but received both");
                    Err(config.blame(&error, &names))
                }
                (Some(text), None) => Ok(Some(Secret::Text(text))),
                (None, Some(file)) => Ok(Some(Secret::File(PathBuf::from(file)))),
                (None, None) => Ok(None),
            }
        };
        let password =
            secret(&config.push_password, &config.push_password_file, PASSWORD, has_token || has_url)?;
        let token =
            secret(&config.push_bearer_token, &config.push_bearer_token_file, TOKEN, has_basic || has_url)?;
        let username = kept(&config.push_username, USER, has_token || has_url);
        let is_of_url = has_url || !(has_basic || has_token);
        let of_url = receiver
            .user
            .clone()
            .filter(|_| is_of_url)
            .map(|(user, password)| (user, Secret::Text(password)));
        let (user, secret) = match (username, password, token, of_url) {
            (Some(user), Some(password), None, None) => (Some(user), Some(password)),
            (None, None, Some(token), None) => (None, Some(token)),
            (None, None, None, Some((user, password))) => (Some(user), Some(password)),
            (None, None, None, None) => (None, None),
            _ => {
                let error = MetricsError::invalid_config(
                    "Expected one of: a user with a password, a bearer token, a user and a password in the URL",
                );
                return Err(config.blame(&error, &[&PASSWORD[..], &TOKEN, &[USER]].concat()));
            }
        };
        // A shorter value says little, and might be a part of any text.
        let values = receiver.headers.iter().filter_map(|(_, value)| value.to_str().ok());
        // A receiver may quote a value without its scheme, such as `Bearer`.
        let values =
            values.flat_map(|value| [Some(value), value.split_once(' ').map(|(_, rest)| rest)]).flatten();
        let query = receiver.target.split_once('?').map_or("", |(_, query)| query);
        let query = query.split('&').filter_map(|pair| pair.split_once('=')).map(|(_, value)| value);
        let others =
            values.chain(query).filter(|value| value.len() >= SECRET_LENGTH).map(str::to_owned).collect();
        let credentials = Self { user, secret, others };
        credentials.header().map_err(MetricsError::invalid_config)?;
        Ok(credentials)
    }

    /// The value of the header, or a text that says why there is none.
    pub(super) fn header(&self) -> std::result::Result<Option<String>, String> {
        let Some(secret) = &self.secret else { return Ok(None) };
        let secret = secret.read()?;
        Ok(Some(match &self.user {
            Some(user) => format!("Basic {}", STANDARD.encode(format!("{user}:{secret}"))),
            None if secret.bytes().all(|byte| (0x20..0x7f).contains(&byte)) => format!("Bearer {secret}"),
            None => return Err("Expected a bearer token of ASCII characters".to_owned()),
        }))
    }

    /// A text for a log: one line, without secrets, which a receiver may have quoted.
    pub(super) fn redacted(&self, text: &str) -> String {
        let header = self.header().ok().flatten();
        let encoded = header.as_deref().and_then(|header| header.split(' ').nth(1)).map(str::to_owned);
        let own = self.secret.as_ref().and_then(|secret| secret.read().ok());
        let hidden = own.into_iter().chain(encoded).chain(self.others.iter().cloned());
        let text = hidden
            .filter(|secret| !secret.is_empty())
            .fold(text.to_owned(), |text, secret| text.replace(&secret, "[secret]"));
        redact_for_log(&text, SHOWN_CHARACTERS)
    }
}

impl Secret {
    fn read(&self) -> std::result::Result<String, String> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::File(path) => read_text(path, MAX_FILE_BYTES),
        }
    }
}

/// The text of a file, without line ends at its end, or a text that says why there is none.
pub(super) fn read_text(path: &Path, max_bytes: u64) -> std::result::Result<String, String> {
    let shown = path.display();
    let bytes = read_bounded(path, max_bytes)
        .map_err(|what| format!("Expected a readable file {shown} but received {what}"))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| format!("Expected text in the file {shown} but received other bytes"))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
