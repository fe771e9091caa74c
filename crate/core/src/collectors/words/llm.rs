//! The words of LLM metrics.

use super::Word;

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

impl LlmOperation {
    /// Whether providers report tokens of it; they measure others otherwise.
    pub(in crate::collectors) const fn has_tokens(self) -> bool {
        !matches!(self, Self::Image | Self::Speech | Self::Transcription | Self::Rerank)
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

words! {
    /// Which part of the tokens.
    pub(in crate::collectors) TokenDetail {
        CacheRead = "cache_read",
        CacheWrite = "cache_write",
        Reasoning = "reasoning",
        AudioInput = "audio_input",
        AudioOutput = "audio_output",
        ImageInput = "image_input",
    }
}
