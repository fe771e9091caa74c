//! The words of LLM metrics, and those that agents' metrics share with them.

use super::define::{Word, WordList, public_words, readable, words};

public_words! {
    /// The kind of a request to a model.
    LlmOperation {
        /// A conversation.
        Chat = "chat",
        /// The continuation of a text.
        TextCompletion = "text_completion",
        /// Vectors for texts.
        Embeddings = "embeddings",
        /// Documents sorted by how well they answer a question.
        Rerank = "rerank",
        /// A picture.
        Image = "image",
        /// Text to speech.
        Speech = "speech",
        /// Speech to text.
        Transcription = "transcription",
        /// Another kind of request.
        Other = "other",
    }
}

impl LlmOperation {
    /// Whether providers report tokens for it. They measure the other operations in other units.
    #[must_use]
    pub const fn has_tokens(self) -> bool {
        !matches!(self, Self::Image | Self::Speech | Self::Transcription | Self::Rerank)
    }
}

public_words! {
    /// How a request to a model ends.
    LlmStatus {
        /// The model answered.
        Success = "success",
        /// The request failed.
        Error = "error",
        /// The request took too long.
        Timeout = "timeout",
        /// The caller cancelled the request.
        Cancelled = "cancelled",
    }
}

public_words! {
    /// Why a request to a model failed.
    LlmErrorType {
        /// Too many requests or tokens a minute.
        RateLimit = "rate_limit",
        /// The account has spent its budget.
        QuotaExceeded = "quota_exceeded",
        /// The provider is overloaded.
        Overloaded = "overloaded",
        /// The answer did not come in time.
        Timeout = "timeout",
        /// The provider could not be reached.
        Connection = "connection",
        /// The key is missing or invalid.
        Authentication = "authentication",
        /// The key does not allow the request.
        Permission = "permission",
        /// The model does not exist.
        NotFound = "not_found",
        /// The request is invalid.
        InvalidRequest = "invalid_request",
        /// The request has too many bytes.
        RequestTooLarge = "request_too_large",
        /// The request has too many tokens for the model.
        ContextLength = "context_length",
        /// A content policy blocked the request or its answer.
        ContentFilter = "content_filter",
        /// The provider failed.
        ServerError = "server_error",
        /// The caller cancelled the request.
        Cancelled = "cancelled",
        /// The stream broke off after its first chunk.
        StreamInterrupted = "stream_interrupted",
        /// The answer does not have the expected form.
        InvalidResponse = "invalid_response",
        /// Another reason.
        Other = "other",
    }
}

public_words! {
    /// Why a model stopped.
    FinishReason {
        /// The answer is complete.
        Stop = "stop",
        /// The answer reached its limit of tokens.
        Length = "length",
        /// The model wants tools to be called.
        ToolCalls = "tool_calls",
        /// A content policy stopped the model.
        ContentFilter = "content_filter",
        /// The model refused to answer.
        Refusal = "refusal",
        /// The model failed.
        Error = "error",
        /// Another reason.
        Other = "other",
    }
}

public_words! {
    /// The resource that a rate limit counts.
    RateLimitResource {
        /// Requests.
        Requests = "requests",
        /// Tokens of requests and answers together.
        Tokens = "tokens",
        /// Tokens of requests.
        InputTokens = "input_tokens",
        /// Tokens of answers.
        OutputTokens = "output_tokens",
    }
}

public_words! {
    /// The cause of a stream that ended too early.
    Interruption {
        /// The caller ended it.
        Client = "client",
        /// The provider ended it.
        Provider = "provider",
        /// It took too long.
        Timeout = "timeout",
    }
}

public_words! {
    /// The unit that media are counted in.
    MediaUnit {
        /// Pictures.
        Images = "images",
        /// Seconds of audio.
        AudioSeconds = "audio_seconds",
        /// Characters of text that is read aloud.
        Characters = "characters",
    }
}

public_words! {
    /// The result of a look-up in the application's own cache.
    CacheResult {
        /// The cache had the answer.
        Hit = "hit",
        /// The cache did not have the answer.
        Miss = "miss",
    }
}

public_words! {
    /// The place of a guardrail.
    GuardrailStage {
        /// Before the model.
        Input = "input",
        /// After the model.
        Output = "output",
        /// Before a tool.
        Tool = "tool",
        /// Another place.
        Other = "other",
    }
}

public_words! {
    /// The decision of a guardrail.
    GuardrailResult {
        /// The request or answer may pass.
        Pass = "pass",
        /// The request or answer is blocked.
        Block = "block",
        /// The check itself failed.
        Error = "error",
    }
}

public_words! {
    /// How a handoff, a fallback or an operation on memory ends.
    Outcome {
        /// It succeeded.
        Success = "success",
        /// It failed.
        Error = "error",
    }
}

words! {
    /// The two sides whose tokens are counted.
    pub(in crate::collectors) TokenType {
        Input = "input",
        Output = "output",
    }
}

words! {
    /// Whether a request met the program's objectives.
    pub(in crate::collectors) ObjectiveResult {
        /// All objectives that apply to it.
        Met = "met",
        /// It succeeded, but too slowly.
        Missed = "missed",
        /// It did not succeed.
        Failed = "failed",
    }
}

words! {
    /// A part of the tokens.
    pub(in crate::collectors) TokenDetail {
        CacheRead = "cache_read",
        CacheWrite = "cache_write",
        Reasoning = "reasoning",
        AudioInput = "audio_input",
        AudioOutput = "audio_output",
        ImageInput = "image_input",
        /// Output tokens of images.
        ImageOutput = "image_output",
    }
}
