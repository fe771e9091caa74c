//! The macros that make an enum, its texts and its list for other languages from one definition of words. They must not
//! know any single word.

/// A word among a few: its place in the list, and its text.
pub(in crate::collectors) trait Word: Copy {
    /// How many words there are.
    const COUNT: usize;
    /// All words, in the order of the list.
    fn all() -> impl Iterator<Item = Self>;
    fn index(self) -> usize;
    fn word(self) -> &'static str;
}

/// A list of words, as other languages need it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct WordList {
    /// The name of the type.
    pub name: &'static str,
    /// What the words say, in one sentence.
    pub sentence: &'static str,
    /// The type whose words come first in this list, or nothing.
    pub base: Option<&'static str>,
    /// All words.
    pub words: &'static [&'static str],
}

/// An enum of words.
macro_rules! words {
    (
        $(#[doc = $about:literal])+
        $visibility:vis $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        $visibility enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// All of them, in the order of the catalogue.
            $visibility const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Their texts, in the same order.
            $visibility const WORDS: &'static [&'static str] = &[$($word),+];

            /// The text that labels show.
            #[must_use]
            $visibility const fn as_str(self) -> &'static str {
                Self::WORDS[self as usize]
            }
        }

        impl Word for $name {
            const COUNT: usize = Self::ALL.len();

            fn all() -> impl Iterator<Item = Self> {
                Self::ALL.iter().copied()
            }

            fn index(self) -> usize {
                self as usize
            }

            fn word(self) -> &'static str {
                self.as_str()
            }
        }
    };
}

/// An enum of words that callers use: they can also read a word and print it.
macro_rules! public_words {
    ($(#[doc = $about:literal])+ $name:ident { $($rest:tt)+ }) => {
        words! { $(#[doc = $about])+ pub $name { $($rest)+ } }
        readable! { $name, base: None, $($about),+ }
    };
}

/// An enum of words that has those of another enum before its own.
macro_rules! extended_words {
    (
        $(#[doc = $about:literal])+
        $name:ident {
            $(#[doc = $first:literal])* $wrapper:ident($base:ident),
            $($(#[doc = $doc:literal])* $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = $first])* $wrapper($base),
            $($(#[doc = $doc])* $variant,)+
        }

        impl $name {
            /// Only its own words, without those of the other enum, in the order of the catalogue.
            pub const OWN: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            /// The texts of all words, in the order of the catalogue.
            pub const WORDS: &'static [&'static str] = &joined::<{ <Self as Word>::COUNT }>($base::WORDS, &[$($word),+]);

            /// The text that labels show.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    Self::$wrapper(base) => base.as_str(),
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl Word for $name {
            const COUNT: usize = $base::COUNT + Self::OWN.len();

            fn all() -> impl Iterator<Item = Self> {
                $base::all().map(Self::$wrapper).chain(Self::OWN)
            }

            fn index(self) -> usize {
                let Self::$wrapper(base) = self else {
                    let own = Self::OWN.iter().position(|own| *own == self);
                    return $base::COUNT + own.expect("every other variant is in OWN");
                };
                base.index()
            }

            fn word(self) -> &'static str {
                self.as_str()
            }
        }

        impl From<$base> for $name {
            fn from(base: $base) -> Self {
                Self::$wrapper(base)
            }
        }

        readable! { $name, base: Some(stringify!($base)), $($about),+ }
    };
}

/// Reading, printing and listing of an enum of words.
macro_rules! readable {
    ($name:ident, base: $base:expr, $($about:literal),+) => {
        impl $name {
            pub(in crate::collectors) const LIST: WordList = WordList {
                name: stringify!($name),
                sentence: concat!($($about),+),
                base: $base,
                words: Self::WORDS,
            };

            /// The one with this text.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                <Self as Word>::all().find(|word| word.as_str() == name)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

/// Two lists as one array of their common length.
pub(super) const fn joined<const N: usize>(
    first: &[&'static str],
    second: &[&'static str],
) -> [&'static str; N] {
    let mut all = [""; N];
    let mut at = 0;
    while at < N {
        all[at] = if at < first.len() { first[at] } else { second[at - first.len()] };
        at += 1;
    }
    all
}

pub(super) use {extended_words, public_words, readable, words};
