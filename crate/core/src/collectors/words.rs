//! The words that labels of LLM and agent metrics may be, as types. The catalogue has the same ones; a test holds them
//! together.

/// A word among a few: its place in the catalogue's list, and itself.
pub(super) trait Word: Copy {
    /// How many there are.
    const COUNT: usize;
    /// All of them, in the catalogue's order.
    fn all() -> impl Iterator<Item = Self>;
    fn index(self) -> usize;
    fn word(self) -> &'static str;
}

macro_rules! words {
    ($(#[$about:meta])* $visibility:vis $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        $visibility enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// All of them, in the order of the catalogue.
            $visibility const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word that labels show.
            #[must_use]
            $visibility const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
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

/// What others may need of a word, too: reading it, and showing it.
macro_rules! public_words {
    ($(#[$about:meta])* $name:ident { $($rest:tt)+ }) => {
        words! { $(#[$about])* pub $name { $($rest)+ } }

        impl $name {
            /// The one that labels show as this word.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.as_str() == name)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

mod agent;
mod llm;

pub use agent::{AgentErrorType, ExecutionStatus, MemoryOperation, StepType, ToolStatus};
pub(super) use llm::TokenDetail;
pub use llm::{
    CacheResult, FinishReason, GuardrailResult, GuardrailStage, Interruption, LlmErrorType, LlmOperation,
    LlmStatus, MediaUnit, RateLimitResource,
};

public_words! {
    /// How a handoff, a fallback or an operation on memory ends.
    Outcome {
        /// Well.
        Success = "success",
        /// Not well.
        Error = "error",
    }
}

words! {
    /// Whose tokens they are.
    pub(super) TokenType {
        Input = "input",
        Output = "output",
    }
}
