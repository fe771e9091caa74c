//! Names the variable or option that the operator has to change in errors that are found when a value is used: a file that
//! cannot be read, an address that cannot be bound. It must not know any single setting.

use super::settings::{MetricsConfig, SETTINGS};
use crate::error::MetricsError;

const _: () = assert!(SETTINGS.len() <= u128::BITS as usize, "`Sources` has a bit for each setting");

impl MetricsConfig {
    /// The name under which this setting was given: its variable or its option. Nothing if it has its default.
    fn given_name(&self, option: &str) -> Option<String> {
        let at = SETTINGS.iter().position(|setting| setting.option == option)?;
        let setting = &SETTINGS[at];
        if self.sources.is_variable(at) {
            return Some(setting.variable.to_owned());
        }
        self.sources.is_option(at).then(|| setting.option_name())
    }

    /// Whether this setting was given.
    #[cfg(feature = "push")]
    pub(super) fn was_given(&self, option: &str) -> bool {
        self.given_name(option).is_some()
    }

    /// Whether this setting was given as an option.
    #[cfg(feature = "push")]
    pub(crate) fn is_option(&self, option: &str) -> bool {
        SETTINGS
            .iter()
            .position(|setting| setting.option == option)
            .is_some_and(|at| self.sources.is_option(at))
    }

    /// The error of a value that was refused when it was used, with the names under which these options were given. A name of
    /// an option in the message becomes the name of the variable, if that was set.
    pub(crate) fn blame(&self, error: &MetricsError, options: &[&str]) -> MetricsError {
        let mut message = error.to_string();
        let mut missing = Vec::new();
        for option in options {
            let Some(name) = self.given_name(option) else { continue };
            // Names of one word (`host`) also occur as words of a message.
            let mentioned = if option.contains(char::is_uppercase) {
                (*option).to_owned()
            } else {
                format!("for {option} ")
            };
            if message.contains(&mentioned) {
                message = message.replace(&mentioned, &mentioned.replace(option, &name));
            } else if !message.contains(&name) {
                missing.push(name);
            }
        }
        if !missing.is_empty() {
            message = format!("{message} ({})", missing.join(", "));
        }
        // A value within the message may have line breaks.
        let one_line = message.chars().flat_map(|character| {
            let escaped = character.is_control().then(|| character.escape_default());
            escaped.clone().into_iter().flatten().chain(escaped.is_none().then_some(character))
        });
        MetricsError::new(error.kind(), one_line.collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Given, MetricsConfig};
    use crate::error::MetricsError;

    fn blamed(config: &MetricsConfig, message: &str) -> String {
        config.blame(&MetricsError::invalid_config(message.to_owned()), &["port", "host"]).to_string()
    }

    #[test]
    fn an_error_names_what_was_set_last() {
        let mut config = MetricsConfig::from_env([("METRICS_ENDPOINT_HOST", "h")]).expect("it is valid");
        assert_eq!(blamed(&config, "no such name"), "no such name (METRICS_ENDPOINT_HOST)");
        let expected = "no localhost for METRICS_ENDPOINT_HOST but";
        assert_eq!(blamed(&config, "no localhost for host but"), expected);
        assert_eq!(blamed(&config, "bad METRICS_ENDPOINT_HOST"), "bad METRICS_ENDPOINT_HOST");
        config.set("host", &Given::Text("other".to_owned())).expect("it is valid");
        assert_eq!(blamed(&config, "no such name"), "no such name (host)");
        assert_eq!(blamed(&config, "none for host but"), "none for host but");
        assert_eq!(blamed(&MetricsConfig::default(), "no such name"), "no such name");
    }

    #[test]
    fn configurations_are_equal_wherever_their_values_come_from() {
        let config = MetricsConfig::from_env([("METRICS_ENDPOINT_PORT", "1")]).expect("it is valid");
        assert_eq!(config, MetricsConfig::default().port(1));
    }
}
