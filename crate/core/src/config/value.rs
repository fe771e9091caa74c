//! Values of settings: what a caller gave, what a setting accepts, and the conversion between the two and a field of the
//! configuration. It must not know any single setting.

use std::time::Duration;

/// A setting as the environment or the caller gave it.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// The text of an environment variable. It may stand for a value of any type.
    Variable(String),
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
    /// A switch.
    Flag(bool),
    /// Several texts.
    List(Vec<String>),
    /// A value of another type, described in words.
    Other(String),
}

/// A checked value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A switch.
    Flag(bool),
    /// A number; durations are milliseconds.
    Number(f64),
    /// A text.
    Text(String),
    /// Several texts.
    List(Vec<String>),
}

/// The form of a setting's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// True or false.
    Flag,
    /// A whole number in a range.
    Integer,
    /// A number in a range.
    Number,
    /// A duration in milliseconds.
    Milliseconds,
    /// A text that is not empty.
    Text,
    /// The path of a route.
    Path,
    /// Texts that are not empty.
    List,
    /// Texts with a colon in them.
    Users,
    /// Texts with a name and `=` at the beginning.
    Pairs,
}

/// The values that a setting accepts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Accepted {
    pub(super) shape: Shape,
    /// Both ends belong to the range. Only numbers have one.
    least: f64,
    most: f64,
    pub(super) expected: &'static str,
    /// The only texts that make sense, if they are few.
    pub(super) words: &'static [&'static str],
    /// The value must not appear in an error.
    pub(super) is_secret: bool,
}

impl Accepted {
    pub(super) const fn new(shape: Shape, expected: &'static str) -> Self {
        Self::between(shape, f64::NEG_INFINITY, f64::INFINITY, expected)
    }

    pub(super) const fn integer(least: u32, most: u32, expected: &'static str) -> Self {
        Self::between(Shape::Integer, least as f64, most as f64, expected)
    }

    pub(super) const fn between(shape: Shape, least: f64, most: f64, expected: &'static str) -> Self {
        Self { shape, least, most, expected, words: &[], is_secret: false }
    }

    pub(super) const fn words(self, words: &'static [&'static str]) -> Self {
        Self { words, ..self }
    }

    pub(super) const fn secret(self) -> Self {
        Self { is_secret: true, ..self }
    }

    /// The checked value; nothing if the setting does not accept it.
    pub(super) fn read(&self, given: &Given) -> Option<Value> {
        let in_range = |number: &f64| (self.least..=self.most).contains(number);
        match self.shape {
            Shape::Flag => given.flag().map(Value::Flag),
            Shape::Integer => {
                given.number().filter(|number| number.fract() == 0.0 && in_range(number)).map(Value::Number)
            }
            Shape::Number | Shape::Milliseconds => given.number().filter(in_range).map(Value::Number),
            Shape::Text => given.text().map(Value::Text),
            Shape::Path => given.text().filter(|path| is_usable(path)).map(Value::Text),
            Shape::List => given.list().map(Value::List),
            Shape::Pairs => given
                .list()
                .filter(|pairs| pairs.iter().all(|pair| pair.find('=').is_some_and(|at| at > 0)))
                .map(Value::List),
            Shape::Users => {
                given.list().filter(|users| users.iter().all(|user| user.contains(':'))).map(Value::List)
            }
        }
    }

    /// The text that an error shows for a value that is not accepted.
    pub(super) fn describe(&self, given: &Given) -> String {
        if self.is_secret { "something else".to_owned() } else { given.describe() }
    }
}

/// Whether a route may have this path. `/`, `/health` and `/ready` are routes of the endpoint itself.
fn is_usable(path: &str) -> bool {
    path.starts_with('/')
        && path.bytes().all(|byte| byte.is_ascii_graphic())
        && !matches!(path, "/" | "/health" | "/ready")
        && !path.contains(['?', '#'])
}

/// The longest text, in bytes: no path of Linux and no token in a request's head is longer.
const LONGEST_TEXT: usize = 4096;

/// No name of a file, address or user is empty or contains NUL: the system would cut it there.
fn is_text(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_TEXT && !text.contains('\0')
}

/// How many characters of a value an error shows.
const SHOWN_CHARACTERS: usize = 200;
const SHOWN_ENTRIES: usize = 10;

fn quoted(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

impl Given {
    fn flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            Self::Variable(text) => match text.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Some(true),
                "false" | "0" | "no" | "off" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Variable(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) | Self::Variable(text) if is_text(text) => Some(text.clone()),
            _ => None,
        }
    }

    fn list(&self) -> Option<Vec<String>> {
        let entries = match self {
            Self::List(entries) => entries.clone(),
            Self::Variable(text) => text.split(',').map(|entry| entry.trim().to_owned()).collect(),
            _ => return None,
        };
        entries.iter().all(|entry| is_text(entry)).then_some(entries)
    }

    fn describe(&self) -> String {
        match self {
            Self::Variable(text) => quoted(text),
            Self::Text(text) => format!("{} of type string", quoted(text)),
            // JavaScript writes "Infinity" where Rust writes "inf".
            Self::Number(number) if number.is_infinite() => {
                format!("{}Infinity of type number", if *number < 0.0 { "-" } else { "" })
            }
            Self::Number(number) => format!("{number} of type number"),
            Self::Flag(flag) => format!("{flag} of type boolean"),
            Self::List(entries) => {
                let shown: Vec<_> = entries.iter().take(SHOWN_ENTRIES).map(|entry| quoted(entry)).collect();
                let more = if entries.len() > SHOWN_ENTRIES { ", …" } else { "" };
                format!("[{}{more}] of type Array", shown.join(", "))
            }
            Self::Other(words) => words.clone(),
        }
    }
}

/// A type that a field of the configuration may have.
pub(super) trait Field: Sized {
    /// Nothing if the value has another type, which is a mistake in the list of settings.
    fn from_value(value: Value) -> Option<Self>;
    /// Nothing for a setting that is not set and has no default.
    fn to_value(&self) -> Option<Value>;
}

impl<T: Field> Field for Option<T> {
    fn from_value(value: Value) -> Option<Self> {
        T::from_value(value).map(Some)
    }

    fn to_value(&self) -> Option<Value> {
        self.as_ref().and_then(T::to_value)
    }
}

/// Types that a variant of `Value` holds as it is, and numbers, whose range the setting has checked.
macro_rules! fields {
    ($($type:ty: $variant:ident $pattern:ident => $from:expr, $to:expr;)+) => {$(
        impl Field for $type {
            fn from_value(value: Value) -> Option<Self> {
                match value {
                    Value::$variant($pattern) => Some($from),
                    _ => None,
                }
            }

            fn to_value(&self) -> Option<Value> {
                let $pattern = self;
                Some(Value::$variant($to))
            }
        }
    )+};
}

fields! {
    bool: Flag flag => flag, *flag;
    String: Text text => text, text.clone();
    Vec<String>: List list => list, list.clone();
    f64: Number number => number, *number;
    u16: Number number => number as u16, f64::from(*number);
    u32: Number number => number as u32, f64::from(*number);
    usize: Number number => number as usize, *number as f64;
    Duration: Number number => Duration::from_secs_f64(number / 1000.0), number.as_secs_f64() * 1000.0;
}
