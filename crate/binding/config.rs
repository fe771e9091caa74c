//! Passes settings to the core, from the environment and then from options, and its values and descriptions back. The
//! core's list defines the settings; none is named here.

use crate::error::{Result, engine, refused};
use napi::Env;
use napi::bindgen_prelude::Object;
use napi_derive::napi;
use prometheus_metrics::config::{Given, MetricsConfig, Place, Setting, Shape, Value};
use prometheus_metrics::http::check_config;

/// Checked settings.
#[napi]
pub struct NativeConfig {
    pub(crate) config: MetricsConfig,
}

/// The value of an option, in the field of its type.
#[napi(object, object_to_js = false)]
pub struct GivenValue {
    /// A string.
    pub text: Option<String>,
    /// A number.
    pub number: Option<f64>,
    /// A boolean.
    pub flag: Option<bool>,
    /// An array of strings.
    pub list: Option<Vec<String>>,
    /// A value of another type, described in words.
    pub other: Option<String>,
}

/// A setting, for the documentation and for TypeScript's types.
#[napi(object, object_from_js = false)]
pub struct SettingDescription {
    /// The environment variable.
    pub variable: &'static str,
    /// The option that overrides it.
    pub option: &'static str,
    /// The accepted values, as errors show them.
    pub expected: &'static str,
    /// What the setting does.
    pub sentence: &'static str,
    /// The default in words; empty if the default is a value, or if the setting has no default.
    pub default_words: &'static str,
    /// The TypeScript type of the value.
    pub value_type: String,
    /// Whether the value is a duration in milliseconds.
    pub is_duration: bool,
    /// Which options have the setting: those of every endpoint, of an exporter, of a pusher (without `push` at the beginning),
    /// or none.
    #[napi(ts_type = "'endpoint' | 'exporter' | 'pusher' | 'none'")]
    pub options: &'static str,
}

fn description(setting: &Setting) -> SettingDescription {
    let words = || setting.words().iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" | ");
    SettingDescription {
        variable: setting.variable(),
        option: setting.option(),
        expected: setting.expected(),
        sentence: setting.sentence(),
        default_words: setting.default_words(),
        value_type: match setting.shape() {
            Shape::Flag => "boolean".to_owned(),
            Shape::Integer | Shape::Number | Shape::Milliseconds => "number".to_owned(),
            Shape::Text if !setting.words().is_empty() => words(),
            Shape::Text | Shape::Path => "string".to_owned(),
            Shape::List | Shape::Users | Shape::Pairs => "string[]".to_owned(),
        },
        is_duration: setting.shape() == Shape::Milliseconds,
        options: match setting.place() {
            Place::Everywhere => "endpoint",
            Place::Exporter => "exporter",
            Place::Pusher => "pusher",
            Place::Variable => "none",
        },
    }
}

fn pairs(variables: &[String]) -> impl Iterator<Item = (&str, &str)> {
    variables.as_chunks::<2>().0.iter().map(|[name, value]| (name.as_str(), value.as_str()))
}

#[napi]
impl NativeConfig {
    /// Reads variables: names and values in turn. Those of a listener are left out if `has_listener` is false.
    #[napi(constructor, catch_unwind)]
    pub fn new(variables: Vec<String>, has_listener: Option<bool>) -> Result<Self> {
        let config = if has_listener.unwrap_or(true) {
            MetricsConfig::from_env(pairs(&variables))
        } else {
            MetricsConfig::handler_from_env(pairs(&variables))
        };
        Ok(Self { config: config.map_err(refused)? })
    }

    /// Checks everything that an endpoint with these settings refuses at its start, files included.
    #[napi(catch_unwind)]
    pub fn check(&self) -> Result<()> {
        check_config(&self.config, true).map_err(refused)
    }

    /// Warnings about variables that are ignored: names and values in turn.
    #[napi(catch_unwind)]
    pub fn warnings(variables: Vec<String>, has_listener: bool) -> Vec<String> {
        MetricsConfig::env_warnings(pairs(&variables), has_listener)
    }

    /// Sets an option.
    #[napi(catch_unwind)]
    pub fn set(&mut self, option: String, value: GivenValue) -> Result<()> {
        let GivenValue { text, number, flag, list, other } = value;
        let given = None
            .or(text.map(Given::Text))
            .or(number.map(Given::Number))
            .or(flag.map(Given::Flag))
            .or(list.map(Given::List))
            .unwrap_or(Given::Other(other.unwrap_or_default()));
        self.config.set(&option, &given).map_err(refused)
    }

    /// Takes OpenTelemetry's variables for a pusher of OTLP: names and values in turn. Has to be called after all `set`.
    #[napi(catch_unwind)]
    pub fn read_otel(&mut self, variables: Vec<String>) -> Result<()> {
        self.config.read_otel(&pairs(&variables).collect::<Vec<_>>()).map_err(refused)
    }

    /// All settings, in the order of the documentation.
    #[napi(catch_unwind)]
    pub fn settings() -> Vec<SettingDescription> {
        Setting::all().iter().map(description).collect()
    }

    /// The values in effect, durations in milliseconds. A setting without a value has no property.
    #[napi(catch_unwind, ts_return_type = "import('./settings').ConfigValues")]
    pub fn values<'env>(&self, env: &'env Env) -> Result<Object<'env>> {
        let mut values = Object::new(env).map_err(engine)?;
        for (option, value) in self.config.values() {
            match value {
                Some(Value::Flag(flag)) => values.set(option, flag),
                Some(Value::Number(number)) => values.set(option, number),
                Some(Value::Text(text)) => values.set(option, text),
                Some(Value::List(entries)) => values.set(option, entries),
                None => Ok(()),
            }
            .map_err(engine)?;
        }
        Ok(values)
    }
}
