//! The macro that turns the list of settings into the fields of `MetricsConfig`, their defaults and the table that both
//! sources are read by. It must not know any single setting.

/// One entry a setting: the sentence, the field with its type and default, an optional text for a default that is not a
/// value, then in brackets the variable, the option, where the option exists, and the accepted values.
macro_rules! settings {
    ($(
        $(#[doc = $sentence:literal])+
        $field:ident: $type:ty = $default:expr $(, default $words:literal)?,
        [$variable:literal, $option:literal, $place:ident, $($accepted:tt)+];
    )+) => {
        /// The settings of an endpoint. `Default` has every default.
        #[derive(Clone, PartialEq)]
        #[non_exhaustive]
        pub struct MetricsConfig {
            $(
                $(#[doc = $sentence])+
                #[doc = concat!("\n\nVariable `", $variable, "`, option `", $option, "`.")]
                pub $field: $type,
            )+
            /// Attributes of the process that OpenTelemetry's variables name.
            pub(crate) push_resource: Vec<(String, String)>,
            /// Which settings were given, and where, for errors that are found when the values are used.
            pub(super) sources: Sources,
        }

        setters!(MetricsConfig { $($field: $type),+ });

        impl Default for MetricsConfig {
            fn default() -> Self {
                Self { $($field: $default,)+ push_resource: Vec::new(), sources: Sources::default() }
            }
        }

        /// All settings, in the order of the documentation.
        pub(super) static SETTINGS: &[Setting] = &[$(
            Setting {
                variable: $variable,
                option: $option,
                sentence: concat!($($sentence),+),
                default_words: concat!($($words)?),
                place: Place::$place,
                accepted: accepted!($($accepted)+),
                store: |config, value| {
                    config.$field = Field::from_value(value)?;
                    Some(())
                },
                load: |config| config.$field.to_value(),
            },
        )+];
    };
}

/// What a setting accepts, with the text that an error shows for it. Both come from one range.
macro_rules! accepted {
    (secret $($rest:tt)+) => { accepted!($($rest)+).secret() };
    (flag) => { Accepted::new(Shape::Flag, "true or false") };
    (integer $least:literal to $most:literal) => {
        Accepted::integer($least, $most, concat!("an integer from ", $least, " to ", $most))
    };
    (number $least:literal to $most:literal) => {
        Accepted::between(Shape::Number, $least as f64, $most as f64,
            concat!("a number from ", $least, " to ", $most))
    };
    (milliseconds from $least:literal to $most:literal) => {
        Accepted::between(Shape::Milliseconds, $least as f64, $most as f64,
            concat!("milliseconds from ", $least, " to ", $most))
    };
    // A day.
    (milliseconds from $least:literal) => { accepted!(milliseconds from $least to 86_400_000) };
    (text $expected:literal) => { Accepted::new(Shape::Text, $expected) };
    (file) => { accepted!(text "the name of a file") };
    (path) => {
        Accepted::new(Shape::Path, "a path of ASCII that begins with /, other than /, /health and /ready")
    };
    (list) => { Accepted::new(Shape::List, "a list of non-empty strings") };
    (pairs) => { Accepted::new(Shape::Pairs, "pairs of a name and a value") };
    (users) => { Accepted::new(Shape::Users, "users as name:bcrypt-hash") };
    (word $first:literal $(, $next:literal)+ or $last:literal) => {
        Accepted::new(Shape::Text, concat!($first $(, ", ", $next)+, " or ", $last))
            .words(&[$first $(, $next)+, $last])
    };
}

pub(super) use {accepted, settings};
