/**
 * Reads answers and streams of chat completions, text completions and embeddings.
 */
import type { FinishReason } from '../../collectors/words';
import { readText } from '../../read';
import type { AnswerEnd, ChunkReader, Endpoint, RequestBody } from '../api-client/endpoint';
import { findFailure } from '../failure';
import { parseFinishReason } from '../finish-reason';
import { findTier, findUsage, mergeUsage, readAnswerUsage, readUsage } from '../usage';

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
  readonly model?: unknown;
  readonly id?: unknown;
}

function mapFinishReason(given: string, refused: boolean): FinishReason | undefined {
  const reason = parseFinishReason(given);
  return refused && reason === 'stop' ? 'refusal' : reason;
}

function readEnd(answer: unknown): AnswerEnd {
  const choice = (answer as Completion).choices?.[0];
  const reason = choice?.finish_reason;
  const finishReason =
    typeof reason === 'string' ? mapFinishReason(reason, hasText(choice?.message?.refusal)) : undefined;
  const end = readAnswerUsage(answer);
  end.finishReason = finishReason;
  return { end, failure: findFailure(answer), id: readText(answer, 'id') };
}

class CompletionReader implements ChunkReader {
  #reason: string | undefined;
  #usage: unknown;
  #model: string | undefined;
  #id: string | undefined;
  #tier: string | undefined;
  #failure: unknown;
  #began = false;
  #refused = false;
  #reasoned = false;

  get complete(): boolean {
    return this.#reason !== undefined || this.#failure !== undefined;
  }

  chunk(chunk: unknown): boolean {
    // Some servers report the usage so far in each chunk.
    const usage = findUsage(chunk);
    if (usage !== undefined) this.#usage = mergeUsage(this.#usage, usage);
    this.#failure ??= findFailure(chunk);
    const { choices, id, model } = chunk as Completion;
    if (this.#model === undefined && hasText(model)) this.#model = model;
    this.#tier ??= findTier(chunk);
    if (this.#id === undefined && hasText(id)) this.#id = id;
    const choice = choices?.[0];
    if (choice === undefined || choice === null) return false;
    // Some gateways send an empty finish reason in every chunk before the last.
    if (hasText(choice.finish_reason)) this.#reason ??= choice.finish_reason;
    if (hasText(choice.delta?.refusal)) this.#refused = true;
    if (hasReasoning(choice.delta)) this.#reasoned = true;
    if (!this.#began) this.#began = hasContent(choice);
    return this.#began;
  }

  readEnd(): AnswerEnd {
    const end = readUsage(this.#usage);
    const reason = this.#reason;
    end.serviceTier ??= this.#tier;
    end.responseModel = this.#model;
    if (reason !== undefined) end.finishReason = mapFinishReason(reason, this.#refused);
    if (this.#reasoned) end.visibleTokens = end.outputTokens;
    return { end, failure: this.#failure, id: this.#id };
  }
}

/** True if a chunk holds some of the answer. The first chunk of a chat holds only a role. */
function hasContent({ delta, text }: Choice): boolean {
  if (hasText(text)) return true;
  if (delta === undefined || delta === null) return false;
  return (
    isContent(delta.content) ||
    hasText(delta.refusal) ||
    hasReasoning(delta) ||
    hasItems(delta.tool_calls) ||
    isSet(delta.function_call) ||
    isSet(delta.audio)
  );
}

/** Mistral puts parts of an answer into a list. */
function isContent(content: unknown): boolean {
  return hasText(content) || (Array.isArray(content) && content.length > 0);
}

function hasReasoning(delta: Message | null | undefined): boolean {
  return hasText(delta?.reasoning_content) || hasText(delta?.reasoning);
}

function hasText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Some servers send an empty list of tool calls in each chunk. */
function hasItems(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : isSet(value);
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
  const streamed = { readEnd, chunkReader: () => new CompletionReader() };
  const changeBody = includeUsage ? requestUsage : undefined;
  return [
    { ...streamed, path: 'chat/completions', operation: 'chat', changeBody },
    { ...streamed, path: 'completions', operation: 'text_completion', changeBody },
    { path: 'embeddings', operation: 'embeddings', readEnd },
  ];
}
