/**
 * Structural types for the telemetry events of the package `ai`, as far as they are used. The package does not depend on
 * the SDK.
 */

/** Every event has the id of the SDK call that it belongs to. */
export interface EventLike {
  readonly callId: string;
}

/** An operation begins. */
export interface StartEventLike extends EventLike {
  /** `ai.generateText`, `ai.embedMany` and so on. */
  readonly operationId?: string;
  readonly provider?: string;
  readonly modelId?: string;
  readonly functionId?: string | undefined;
}

/** A request to a model is about to be made. Sent again for each retry. */
export interface ModelCallLike<T> extends StartEventLike {
  readonly execute: () => PromiseLike<T>;
}

/** A model's answer: whole, or as a stream of parts. */
export interface ModelAnswerLike {
  readonly stream?: unknown;
  readonly usage?: ModelUsageLike;
  readonly finishReason?: string | { readonly unified?: string };
  readonly embeddings?: readonly unknown[];
  readonly images?: readonly unknown[];
  readonly response?: { readonly headers?: Readonly<Record<string, string | undefined>> };
}

/** Tokens as the provider packages report them. Only embeddings have `tokens`. */
export interface ModelUsageLike {
  readonly tokens?: number;
}

/** A part of a stream. */
export interface PartLike {
  readonly type: string;
  readonly delta?: string;
  readonly error?: unknown;
  readonly usage?: ModelUsageLike;
  readonly finishReason?: string | { readonly unified?: string };
}

/** Tokens as the SDK reports them to its users. */
export interface UsageLike {
  readonly inputTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
  readonly inputTokenDetails?: { readonly cacheReadTokens?: number; readonly cacheWriteTokens?: number };
  readonly outputTokenDetails?: { readonly reasoningTokens?: number };
}

export interface ObjectStepEndLike extends EventLike {
  readonly finishReason?: string;
  readonly usage?: UsageLike;
  readonly msToFirstChunk?: number | undefined;
}

export interface EmbedEventLike extends StartEventLike {
  /** The id of one attempt. */
  readonly embedCallId: string;
  readonly values?: readonly unknown[];
  readonly usage?: { readonly tokens?: number };
}

export interface FailureEventLike extends EventLike {
  readonly error?: unknown;
}

export interface AbortEventLike extends EventLike {
  readonly reason?: unknown;
}

export interface ToolCallLike {
  readonly toolName: string;
  readonly toolCallId?: string;
  readonly input?: unknown;
  /** The tool does not exist, or the arguments are invalid. */
  readonly invalid?: boolean;
  readonly error?: unknown;
  readonly providerExecuted?: boolean | undefined;
}

export interface ToolRunLike<T> extends EventLike {
  readonly toolCallId: string;
  readonly toolCall?: ToolCallLike;
  readonly execute: () => PromiseLike<T>;
}

export interface StepEndLike extends EventLike {
  readonly finishReason?: string;
  readonly toolCalls?: readonly ToolCallLike[];
  readonly toolResults?: readonly unknown[];
  readonly content?: readonly {
    readonly type: string;
    readonly approved?: boolean;
    readonly toolCall?: ToolCallLike;
  }[];
  readonly performance?: { readonly responseTimeMs?: number };
}

/** An operation has ended. */
export interface EndEventLike extends EventLike {
  readonly error?: unknown;
  readonly usage?: UsageLike | { readonly tokens?: number };
  readonly finishReason?: string;
  readonly steps?: readonly StepEndLike[];
}
