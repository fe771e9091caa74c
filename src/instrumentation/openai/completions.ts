/**
 * Reads answers and streams of chat completions, text completions and embeddings.
 */
import type { LlmUsage } from '../../collectors/llm/request';
import type { FinishReason } from '../../collectors/words';
import type { AnswerEnd, ChunkReader, Endpoint, RequestBody } from '../api-client/endpoint';
import { parseFinishReason } from '../finish-reason';
import { type CompletionUsage, readCompletionUsage } from './usage';

interface Message {
  readonly content?: unknown;
  readonly refusal?: unknown;
  readonly tool_calls?: unknown;
  readonly function_call?: unknown;
  readonly audio?: unknown;
  /** The model's thinking, under the names that OpenAI-compatible providers use. */
  readonly reasoning_content?: unknown;
  readonly reasoning?: unknown;
}

interface Choice {
  readonly finish_reason?: string | null;
  readonly message?: Message;
  readonly delta?: Message;
  readonly text?: unknown;
}

interface Completion {
  readonly choices?: readonly Choice[] | null;
  readonly usage?: CompletionUsage | null;
}

function mapFinishReason(given: string, refused: boolean): FinishReason | undefined {
  const reason = parseFinishReason(given);
  return refused && reason === 'stop' ? 'refusal' : reason;
}

function readEnd(answer: unknown): AnswerEnd {
  const { choices, usage } = answer as Completion;
  const choice = choices?.[0];
  const reason = choice?.finish_reason;
  const finishReason =
    typeof reason === 'string' ? mapFinishReason(reason, hasText(choice?.message?.refusal)) : undefined;
  return { end: { ...readCompletionUsage(usage), finishReason } };
}

class CompletionReader implements ChunkReader {
  #reason: string | undefined;
  #usage: LlmUsage = {};
  #began = false;
  #refused = false;

  get complete(): boolean {
    return this.#reason !== undefined;
  }

  chunk(chunk: unknown): boolean {
    const { choices, usage } = chunk as Completion;
    if (usage !== undefined && usage !== null) this.#usage = readCompletionUsage(usage);
    const choice = choices?.[0];
    if (choice === undefined) return false;
    // Some gateways send an empty finish reason in every chunk before the last.
    if (hasText(choice.finish_reason)) this.#reason ??= choice.finish_reason;
    if (hasText(choice.delta?.refusal)) this.#refused = true;
    if (!this.#began) this.#began = hasContent(choice);
    return this.#began;
  }

  readEnd(): AnswerEnd {
    const reason = this.#reason;
    const finishReason = reason === undefined ? undefined : mapFinishReason(reason, this.#refused);
    return { end: { ...this.#usage, finishReason } };
  }
}

/** True if a chunk holds some of the answer. The first chunk of a chat holds only a role. */
function hasContent({ delta, text }: Choice): boolean {
  if (hasText(text)) return true;
  if (delta === undefined || delta === null) return false;
  return (
    hasText(delta.content) ||
    hasText(delta.refusal) ||
    hasText(delta.reasoning_content) ||
    hasText(delta.reasoning) ||
    isSet(delta.tool_calls) ||
    isSet(delta.function_call) ||
    isSet(delta.audio)
  );
}

function hasText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** Sets `include_usage` on the body of a streamed request. Returns nothing if the caller has set it already. */
function requestUsage(body: RequestBody): unknown {
  const options = body.stream_options as Record<string, unknown> | null | undefined;
  if (body.stream !== true || isSet(options?.include_usage)) return undefined;
  return { ...body, stream_options: { ...options, include_usage: true } };
}

/** @param includeUsage sets `stream_options.include_usage` on streamed requests */
export function completionEndpoints(includeUsage: boolean): readonly Endpoint[] {
  const streamed = { method: 'create', readEnd, chunkReader: () => new CompletionReader() };
  const changeBody = includeUsage ? requestUsage : undefined;
  return [
    { ...streamed, resource: 'chat.completions', operation: 'chat', changeBody },
    { ...streamed, resource: 'completions', operation: 'text_completion', changeBody },
    { resource: 'embeddings', method: 'create', operation: 'embeddings', readEnd },
  ];
}
