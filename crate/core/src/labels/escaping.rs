//! Writes names of UTF-8 for servers that know only names of ASCII. The schemes are those of Prometheus: a name that is
//! valid by the old rule is the same in each of them.

use std::borrow::Cow;

/// How names beyond `[a-zA-Z_:][a-zA-Z0-9_:]*` are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Escaping {
    /// As they are, in quotes where the format needs them.
    AllowUtf8,
    /// With `_` in place of each invalid character.
    #[default]
    Underscores,
    /// With `_dot_` for a dot, `__` for `_` and for each other invalid character.
    Dots,
    /// With the prefix `U__`, `__` for `_` and the hexadecimal number of each other invalid character: no information is
    /// lost.
    Values,
}

impl Escaping {
    /// All schemes.
    pub(crate) const ALL: [Self; 4] = [Self::AllowUtf8, Self::Underscores, Self::Dots, Self::Values];

    /// The value of the parameter `escaping` in media types.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AllowUtf8 => "allow-utf-8",
            Self::Underscores => "underscores",
            Self::Dots => "dots",
            Self::Values => "values",
        }
    }

    /// A metric's name in this scheme.
    #[must_use]
    pub fn metric_name(self, name: &str) -> Cow<'_, str> {
        self.name(name, true)
    }

    /// A label's name in this scheme. It differs from that of a metric: a colon is not valid in a label's name.
    #[must_use]
    pub fn label_name(self, name: &str) -> Cow<'_, str> {
        self.name(name, false)
    }

    fn name(self, name: &str, colons: bool) -> Cow<'_, str> {
        if self == Self::AllowUtf8 || is_name(name, colons) {
            return Cow::Borrowed(name);
        }
        let mut escaped = String::with_capacity(name.len() + 8);
        if self == Self::Values {
            escaped.push_str("U__");
        }
        for (at, character) in name.char_indices() {
            let is_valid = match character {
                'a'..='z' | 'A'..='Z' | '_' => true,
                ':' => colons,
                '0'..='9' => at > 0,
                _ => false,
            };
            match (self, character) {
                (Self::Dots | Self::Values, '_') => escaped.push_str("__"),
                (Self::Dots, '.') => escaped.push_str("_dot_"),
                _ if is_valid => escaped.push(character),
                (Self::Dots, _) => escaped.push_str("__"),
                (Self::Values, _) => escaped.push_str(&format!("_{:x}_", u32::from(character))),
                _ => escaped.push('_'),
            }
        }
        Cow::Owned(escaped)
    }
}

/// True for a name by the old rule. A label has no colons.
pub(crate) fn is_name(name: &str, colons: bool) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || (colons && byte == b':');
    let mut bytes = name.bytes();
    bytes.next().is_some_and(letter) && bytes.all(|byte| letter(byte) || byte.is_ascii_digit())
}

/// The different forms that a name has in all schemes, the name itself first. Two names that share a form are the same
/// series, or the same label, for some server.
pub(crate) fn forms(name: &str, colons: bool) -> Vec<Cow<'_, str>> {
    let mut forms = vec![Cow::Borrowed(name)];
    if !is_name(name, colons) {
        for escaping in Escaping::ALL {
            let form = escaping.name(name, colons);
            if !forms.contains(&form) {
                forms.push(form);
            }
        }
    }
    forms
}

/// The first two of these label names that are one in some scheme.
pub(crate) fn same_labels<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Option<(&'a str, &'a str)> {
    // Different plain names are different in every scheme.
    if names.clone().all(|name| is_name(name, false)) {
        return None;
    }
    let mut seen: Vec<(&str, Vec<Cow<'_, str>>)> = Vec::new();
    for name in names {
        let own = forms(name, false);
        let same = seen.iter().find(|(_, others)| own.iter().any(|form| others.contains(form)));
        if let Some((other, _)) = same {
            return Some((other, name));
        }
        seen.push((name, own));
    }
    None
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Name; with underscores, with dots, by values.
    const CASES: [[&str; 4]; 12] = [
        ["plain_name:total", "plain_name:total", "plain_name:total", "plain_name:total"],
        ["_", "_", "_", "_"],
        ["http.status:sum", "http_status:sum", "http_dot_status:sum", "U__http_2e_status:sum"],
        ["label with 😱", "label_with__", "label__with____", "U__label_20_with_20__1f631_"],
        [
            "mysystem.prod.west.cpu.load",
            "mysystem_prod_west_cpu_load",
            "mysystem_dot_prod_dot_west_dot_cpu_dot_load",
            "U__mysystem_2e_prod_2e_west_2e_cpu_2e_load",
        ],
        [
            "mysystem.prod.west.cpu.load_total",
            "mysystem_prod_west_cpu_load_total",
            "mysystem_dot_prod_dot_west_dot_cpu_dot_load__total",
            "U__mysystem_2e_prod_2e_west_2e_cpu_2e_load__total",
        ],
        ["花火", "__", "____", "U___82b1__706b_"],
        ["1a", "_a", "__a", "U___31_a"],
        ["a1", "a1", "a1", "a1"],
        ["a-1", "a_1", "a__1", "U__a_2d_1"],
        ["U__a.b", "U__a_b", "U____a_dot_b", "U__U____a_2e_b"],
        ["é", "_", "__", "U___e9_"],
    ];

    #[test]
    fn names_have_the_forms_that_go_writes() {
        for [name, underscores, dots, values] in CASES {
            assert_eq!(Escaping::AllowUtf8.metric_name(name), name);
            assert_eq!(Escaping::Underscores.metric_name(name), underscores, "{name}");
            assert_eq!(Escaping::Dots.metric_name(name), dots, "{name}");
            assert_eq!(Escaping::Values.metric_name(name), values, "{name}");
        }
        assert_eq!(Escaping::Underscores.label_name("a:b"), "a_b");
        assert_eq!(Escaping::Dots.label_name("a:b"), "a__b");
        assert_eq!(Escaping::Values.label_name("a:b"), "U__a_3a_b");
    }

    #[test]
    fn two_names_are_the_same_if_one_scheme_makes_them_so() {
        let same = |names: &[&'static str]| same_labels(names.iter().copied());
        assert_eq!(same(&["a_b", "a.c", "a.b"]), Some(("a_b", "a.b")));
        assert_eq!(same(&["a.b", "a_dot_b"]), Some(("a.b", "a_dot_b")), "only with dots");
        assert_eq!(same(&["a.b", "U__a_2e_b"]), Some(("a.b", "U__a_2e_b")), "only by values");
        assert_eq!(same(&["a.b", "a.c", "a__b"]), None);
    }
}
