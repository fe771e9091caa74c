//! Converts a registry's sanitizer settings from JavaScript, and cleaned values to JavaScript.

use crate::error::{Result, invalid_config, refused};
use napi::bindgen_prelude::{Function, JsObjectValue};
use napi::{Env, JsValue};
use napi_derive::napi;
use prometheus_metrics::labels::{
    Action, ControlPolicy, Detections, FindingKind, Sanitizer, SanitizerConfig, UnicodePolicy,
};
use prometheus_metrics::registry::Family;
use std::borrow::Cow;
use std::cell::Cell;

/// Settings of a sanitizer. JavaScript has checked their types; settings that are missing have their defaults.
#[napi(object, object_to_js = false)]
pub struct SanitizerSettings {
    /// The largest number of characters of a value; 0 for no limit.
    pub max_length: Option<u32>,
    /// `keep`, `remove` or `replace`.
    pub control_characters: Option<String>,
    /// `keep`, `nfc` or `ascii`.
    pub unicode: Option<String>,
    /// Prefixes that label names may not have.
    pub reserved_prefixes: Option<Vec<String>>,
    /// Kinds of content.
    pub kinds: Vec<String>,
    /// The action for each of these kinds: `keep`, `warn`, `redact` or `drop`.
    pub actions: Vec<String>,
}

impl SanitizerSettings {
    pub(crate) fn into_sanitizer(self) -> Result<Sanitizer> {
        let mut config = SanitizerConfig::default();
        if let Some(max) = self.max_length {
            config.max_length = (max > 0).then_some(max as usize);
        }
        if let Some(name) = self.control_characters {
            config.control_characters = named(
                "sanitize.controlCharacters",
                &name,
                ControlPolicy::from_name,
                &ControlPolicy::ALL.map(ControlPolicy::as_str),
            )?;
        }
        if let Some(name) = self.unicode {
            config.unicode = named(
                "sanitize.unicode",
                &name,
                UnicodePolicy::from_name,
                &UnicodePolicy::ALL.map(UnicodePolicy::as_str),
            )?;
        }
        if let Some(prefixes) = self.reserved_prefixes {
            config.reserved_prefixes = prefixes;
        }
        config.detect = detections(config.detect, &self.kinds, &self.actions)?;
        Sanitizer::composing_by(config, composed).map_err(refused)
    }
}

fn detections(mut detect: Detections, kinds: &[String], actions: &[String]) -> Result<Detections> {
    for (kind, action) in kinds.iter().zip(actions) {
        let action = named(
            &format!("sanitize.detect.{kind}"),
            action,
            Action::from_name,
            &Action::ALL.map(Action::as_str),
        )?;
        let kind = named(
            "a kind of sanitize.detect",
            kind,
            FindingKind::from_name,
            &FindingKind::ALL.map(FindingKind::as_str),
        )?;
        detect.set(kind, action);
    }
    Ok(detect)
}

fn named<T>(option: &str, name: &str, from_name: impl Fn(&str) -> Option<T>, names: &[&str]) -> Result<T> {
    from_name(name).ok_or_else(|| {
        invalid_config(format!("Expected one of {} for {option} but received \"{name}\"", names.join(", ")))
    })
}

/// A text for a log line: secrets are redacted, and long texts are cut.
#[napi(catch_unwind)]
pub fn redact_for_log(text: String, max_chars: u32) -> String {
    prometheus_metrics::labels::redact_for_log(&text, max_chars as usize)
}

/// The kinds of content that a sanitizer looks for.
#[napi(catch_unwind)]
pub fn finding_kinds() -> Vec<&'static str> {
    FindingKind::ALL.map(FindingKind::as_str).to_vec()
}

/// Label values after sanitizing.
#[napi(object, object_from_js = false)]
pub struct CleanedValues {
    /// In the order of the label names.
    pub values: Vec<String>,
    /// Warnings to show.
    pub warnings: Vec<String>,
}

thread_local! {
    /// The engine of this thread while it cleans values.
    static ENGINE: Cell<Option<Env>> = const { Cell::new(None) };
}

/// The engine that was lent before. It is set again at the end, also after a panic: a program's `normalize()` may record,
/// which cleans other values meanwhile.
struct Before(Option<Env>);

impl Drop for Before {
    fn drop(&mut self) {
        ENGINE.set(self.0);
    }
}

fn with_engine<T>(env: Env, work: impl FnOnce() -> T) -> T {
    let _before = Before(ENGINE.replace(Some(env)));
    work()
}

/// Composes a text by the engine's own tables of Unicode, so that the addon needs none. The text stays as it is if a program has
/// replaced the engine's function by one that fails.
fn composed(text: &str) -> Cow<'_, str> {
    match ENGINE.get().map(|env| normalize(env, text)) {
        Some(Ok(composed)) => Cow::Owned(composed),
        Some(Err(_)) | None => Cow::Borrowed(text),
    }
}

fn normalize(env: Env, text: &str) -> napi::Result<String> {
    let string = env.create_string(text)?;
    let normalize: Function<'_, &str, String> = string.coerce_to_object()?.get_named_property("normalize")?;
    // `call` clears the exception of a function that throws; after `apply` the program would get it.
    normalize.bind(string)?.call("NFC")
}

impl CleanedValues {
    pub(crate) fn of(env: Env, family: &Family, values: &[String]) -> Option<Self> {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let cleaned = with_engine(env, || family.clean(&values))?;
        Some(Self { values: cleaned.values, warnings: cleaned.warnings })
    }
}
