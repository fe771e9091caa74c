//! The words that labels of LLM and agent metrics may be, as types. The catalogue has the same ones; a test holds them
//! together.

use std::fmt;

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

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

public_words! {
    /// What a model is asked for.
    LlmOperation {
        /// A conversation.
        Chat = "chat",
        /// A text that goes on.
        TextCompletion = "text_completion",
        /// Vectors of texts.
        Embeddings = "embeddings",
        /// Texts in the order in which they answer a question.
        Rerank = "rerank",
        /// A picture.
        Image = "image",
        /// Text read aloud.
        Speech = "speech",
        /// Speech written down.
        Transcription = "transcription",
        /// Anything else.
        Other = "other",
    }
}

public_words! {
    /// How a request to a model ends.
    LlmStatus {
        /// With an answer.
        Success = "success",
        /// With an error.
        Error = "error",
        /// Too late.
        Timeout = "timeout",
        /// Who asked is gone.
        Cancelled = "cancelled",
    }
}

public_words! {
    /// Why a request to a model failed.
    LlmErrorType {
        /// Too many requests or tokens a minute.
        RateLimit = "rate_limit",
        /// The account may spend no more.
        QuotaExceeded = "quota_exceeded",
        /// The provider has too much to do.
        Overloaded = "overloaded",
        /// No answer in time.
        Timeout = "timeout",
        /// The provider was not reached.
        Connection = "connection",
        /// Nobody knows the key.
        Authentication = "authentication",
        /// The key may not do this.
        Permission = "permission",
        /// No such model.
        NotFound = "not_found",
        /// The provider does not understand the request.
        InvalidRequest = "invalid_request",
        /// Too many bytes.
        RequestTooLarge = "request_too_large",
        /// Too many tokens for the model.
        ContextLength = "context_length",
        /// A policy forbids it.
        ContentFilter = "content_filter",
        /// The provider failed.
        ServerError = "server_error",
        /// Who asked is gone.
        Cancelled = "cancelled",
        /// The stream broke off after its first chunk.
        StreamInterrupted = "stream_interrupted",
        /// The answer is not what was asked for.
        InvalidResponse = "invalid_response",
        /// Anything else.
        Other = "other",
    }
}

/// Why an agent or one of its tools failed: what a request to a model may fail of, and what only agents can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AgentErrorType {
    /// As a request to a model.
    Llm(LlmErrorType),
    /// A tool failed.
    ToolError,
    /// It took as many steps as it may.
    MaxSteps,
    /// A guardrail stopped it.
    Guardrail,
    /// The model asked for a tool that there is not.
    UnknownTool,
}

impl AgentErrorType {
    /// What only agents can fail of, in the order of the catalogue.
    pub const OWN: [Self; 4] = [Self::ToolError, Self::MaxSteps, Self::Guardrail, Self::UnknownTool];

    /// The word that labels show.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Llm(error) => error.as_str(),
            Self::ToolError => "tool_error",
            Self::MaxSteps => "max_steps",
            Self::Guardrail => "guardrail",
            Self::UnknownTool => "unknown_tool",
        }
    }

    /// The one that labels show as this word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        <Self as Word>::all().find(|word| word.as_str() == name)
    }
}

impl Word for AgentErrorType {
    const COUNT: usize = LlmErrorType::COUNT + Self::OWN.len();

    fn all() -> impl Iterator<Item = Self> {
        LlmErrorType::all().map(Self::Llm).chain(Self::OWN)
    }

    fn index(self) -> usize {
        let own = match self {
            Self::Llm(error) => return error.index(),
            Self::ToolError => 0,
            Self::MaxSteps => 1,
            Self::Guardrail => 2,
            Self::UnknownTool => 3,
        };
        LlmErrorType::COUNT + own
    }

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl From<LlmErrorType> for AgentErrorType {
    fn from(error: LlmErrorType) -> Self {
        Self::Llm(error)
    }
}

impl fmt::Display for AgentErrorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

public_words! {
    /// Why a model stopped.
    FinishReason {
        /// It had said everything.
        Stop = "stop",
        /// It had said as much as it may.
        Length = "length",
        /// It wants tools called.
        ToolCalls = "tool_calls",
        /// A policy stopped it.
        ContentFilter = "content_filter",
        /// It does not want to.
        Refusal = "refusal",
        /// It failed.
        Error = "error",
        /// Anything else.
        Other = "other",
    }
}

public_words! {
    /// What a rate limit counts.
    RateLimitResource {
        /// Requests.
        Requests = "requests",
        /// Tokens, of questions and answers.
        Tokens = "tokens",
        /// Tokens of questions.
        InputTokens = "input_tokens",
        /// Tokens of answers.
        OutputTokens = "output_tokens",
    }
}

public_words! {
    /// Who or what ended a stream before its end.
    Interruption {
        /// Who asked.
        Client = "client",
        /// Who answers.
        Provider = "provider",
        /// The clock.
        Timeout = "timeout",
    }
}

public_words! {
    /// What media are counted in.
    MediaUnit {
        /// Pictures.
        Images = "images",
        /// Seconds of audio.
        AudioSeconds = "audio_seconds",
        /// Characters of speech.
        Characters = "characters",
    }
}

public_words! {
    /// What a look into the application's own cache gives.
    CacheResult {
        /// The answer was there.
        Hit = "hit",
        /// It was not.
        Miss = "miss",
    }
}

public_words! {
    /// Where a guardrail stands.
    GuardrailStage {
        /// Before the model.
        Input = "input",
        /// Behind it.
        Output = "output",
        /// Before a tool.
        Tool = "tool",
        /// Anywhere else.
        Other = "other",
    }
}

public_words! {
    /// What a guardrail decides.
    GuardrailResult {
        /// It may go on.
        Pass = "pass",
        /// It may not.
        Block = "block",
        /// The check itself failed.
        Error = "error",
    }
}

public_words! {
    /// How an execution of an agent ends.
    ExecutionStatus {
        /// It has done what it was asked to.
        Success = "success",
        /// It failed.
        Failed = "failed",
        /// It took too long.
        Timeout = "timeout",
        /// Who asked is gone.
        Cancelled = "cancelled",
        /// It took as many steps as it may.
        MaxSteps = "max_steps",
        /// A guardrail stopped it.
        Guardrail = "guardrail",
    }
}

public_words! {
    /// What a step of an agent is.
    StepType {
        /// A request to a model.
        Llm = "llm",
        /// A call of a tool.
        Tool = "tool",
        /// Planning.
        Plan = "plan",
        /// Looking something up.
        Retrieval = "retrieval",
        /// Giving work to another agent.
        Handoff = "handoff",
        /// Remembering.
        Memory = "memory",
        /// A check.
        Guardrail = "guardrail",
        /// Anything else.
        Other = "other",
    }
}

public_words! {
    /// How a call of a tool ends.
    ToolStatus {
        /// With a result.
        Success = "success",
        /// With an error.
        Error = "error",
        /// Too late.
        Timeout = "timeout",
        /// Who asked is gone.
        Cancelled = "cancelled",
        /// It may not be called.
        Denied = "denied",
    }
}

public_words! {
    /// How a handoff, a fallback or an operation on memory ends.
    Outcome {
        /// Well.
        Success = "success",
        /// Not well.
        Error = "error",
    }
}

public_words! {
    /// What is done with an agent's memory.
    MemoryOperation {
        /// Something is read.
        Read = "read",
        /// Something is written.
        Write = "write",
        /// Something is looked for.
        Search = "search",
        /// Something is forgotten.
        Delete = "delete",
    }
}

words! {
    /// Whose tokens they are.
    pub(super) TokenType {
        Input = "input",
        Output = "output",
    }
}

words! {
    /// Which part of the tokens.
    pub(super) TokenDetail {
        CacheRead = "cache_read",
        CacheWrite = "cache_write",
        Reasoning = "reasoning",
        AudioInput = "audio_input",
        AudioOutput = "audio_output",
        ImageInput = "image_input",
    }
}
