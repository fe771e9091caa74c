/**
 * Answers of chats, of texts that are completed, and of embeddings.
 */
import type { LlmUsage } from '../../collectors/llm/request';
import type { FinishReason } from '../../collectors/words';
import { finishReasonOf } from '../finish-reason';
import type { Answered, Endpoint, Reading } from '../stainless/wire';
import { type CompletionUsage, completionUsage } from './usage';

interface Message {
  readonly content?: unknown;
  readonly refusal?: unknown;
  readonly tool_calls?: unknown;
  readonly function_call?: unknown;
  readonly audio?: unknown;
  /** How providers that speak OpenAI's language name a model's thinking. */
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

function reasonOf(given: string, refused: boolean): FinishReason | undefined {
  const reason = finishReasonOf(given);
  return refused && reason === 'stop' ? 'refusal' : reason;
}

function answered(answer: unknown): Answered {
  const { choices, usage } = answer as Completion;
  const choice = choices?.[0];
  const reason = choice?.finish_reason;
  const finishReason = typeof reason === 'string' ? reasonOf(reason, hasText(choice?.message?.refusal)) : undefined;
  return { end: { ...completionUsage(usage), finishReason } };
}

class CompletionReading implements Reading {
  #reason: string | undefined;
  #usage: LlmUsage = {};
  #began = false;
  #refused = false;

  get complete(): boolean {
    return this.#reason !== undefined;
  }

  chunk(chunk: unknown): boolean {
    const { choices, usage } = chunk as Completion;
    if (usage !== undefined && usage !== null) this.#usage = completionUsage(usage);
    const choice = choices?.[0];
    if (choice === undefined) return false;
    // Some gateways send an empty one until they know.
    if (hasText(choice.finish_reason)) this.#reason ??= choice.finish_reason;
    if (hasText(choice.delta?.refusal)) this.#refused = true;
    if (!this.#began) this.#began = hasContent(choice);
    return this.#began;
  }

  answered(): Answered {
    const reason = this.#reason;
    const finishReason = reason === undefined ? undefined : reasonOf(reason, this.#refused);
    return { end: { ...this.#usage, finishReason } };
  }
}

/** The first chunk of a chat only names a role. */
function hasContent({ delta, text }: Choice): boolean {
  if (hasText(text)) return true;
  if (delta === undefined || delta === null) return false;
  return (
    hasText(delta.content) ||
    hasText(delta.refusal) ||
    hasText(delta.reasoning_content) ||
    hasText(delta.reasoning) ||
    isThere(delta.tool_calls) ||
    isThere(delta.function_call) ||
    isThere(delta.audio)
  );
}

function hasText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** Asks for the usage of a stream, which is not sent otherwise; a user who has decided so himself is left alone. */
function askingForUsage(body: Readonly<Record<string, unknown>>): unknown {
  const options = body.stream_options as Record<string, unknown> | null | undefined;
  if (body.stream !== true || isThere(options?.include_usage)) return undefined;
  return { ...body, stream_options: { ...options, include_usage: true } };
}

/** @param includeUsage whether streams are asked to report their usage */
export function completionEndpoints(includeUsage: boolean): readonly Endpoint[] {
  const streamed = { method: 'create', answered, reading: () => new CompletionReading() };
  const asking = includeUsage ? askingForUsage : undefined;
  return [
    { ...streamed, resource: 'chat.completions', operation: 'chat', asking },
    { ...streamed, resource: 'completions', operation: 'text_completion', asking },
    { resource: 'embeddings', method: 'create', operation: 'embeddings', answered },
  ];
}
