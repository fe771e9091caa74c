/**
 * The words that labels of LLM and agent metrics may be, as types. The core's catalogue has the same ones; a test holds
 * them together.
 */

/** What a model is asked for. */
export type LlmOperation =
  | 'chat'
  | 'text_completion'
  | 'embeddings'
  | 'rerank'
  | 'image'
  | 'speech'
  | 'transcription'
  | 'other';

/** How a request to a model ends. */
export type LlmStatus = 'success' | 'error' | 'timeout' | 'cancelled';

/** Why a request to a model failed. */
export type LlmErrorType =
  | 'rate_limit'
  | 'quota_exceeded'
  | 'overloaded'
  | 'timeout'
  | 'connection'
  | 'authentication'
  | 'permission'
  | 'not_found'
  | 'invalid_request'
  | 'request_too_large'
  | 'context_length'
  | 'content_filter'
  | 'server_error'
  | 'cancelled'
  | 'stream_interrupted'
  | 'invalid_response'
  | 'other';

/** Why an agent or one of its tools failed. */
export type AgentErrorType = LlmErrorType | 'tool_error' | 'max_steps' | 'guardrail' | 'unknown_tool';

/** Why a model stopped. */
export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'refusal' | 'error' | 'other';

/** What a rate limit counts. */
export type RateLimitResource = 'requests' | 'tokens' | 'input_tokens' | 'output_tokens';

/** Who or what ended a stream before its end. */
export type Interruption = 'client' | 'provider' | 'timeout';

/** What media are counted in. */
export type MediaUnit = 'images' | 'audio_seconds' | 'characters';

/** Where a guardrail stands, and what it decides. */
export type GuardrailStage = 'input' | 'output' | 'tool' | 'other';
export type GuardrailResult = 'pass' | 'block' | 'error';

/** How an execution of an agent ends. */
export type ExecutionStatus = 'success' | 'failed' | 'timeout' | 'cancelled' | 'max_steps' | 'guardrail';

/** What a step of an agent is. */
export type StepType = 'llm' | 'tool' | 'plan' | 'retrieval' | 'handoff' | 'memory' | 'guardrail' | 'other';

/** How a call of a tool ends. */
export type ToolStatus = 'success' | 'error' | 'timeout' | 'cancelled' | 'denied';

/** How a handoff, a fallback or an operation on memory ends. */
export type Outcome = 'success' | 'error';

/** What is done with an agent's memory. */
export type MemoryOperation = 'read' | 'write' | 'search' | 'delete';
