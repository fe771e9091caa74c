/**
 * Reads answers and streams of Anthropic's Messages API. Its `input_tokens` exclude tokens that were read from or written to
 * the cache; `inputTokens` includes them.
 */
import type { LlmUsage } from '../../collectors/llm/request';
import type { AnswerEnd, ChunkReader, Endpoint } from '../api-client/endpoint';
import { parseFinishReason } from '../finish-reason';

interface Usage {
  readonly input_tokens?: number | null;
  readonly output_tokens?: number | null;
  readonly cache_read_input_tokens?: number | null;
  readonly cache_creation_input_tokens?: number | null;
  readonly output_tokens_details?: { readonly thinking_tokens?: number | null } | null;
}

interface Message {
  readonly usage?: Usage | null;
  readonly stop_reason?: string | null;
}

interface MessageEvent {
  readonly type?: string;
  readonly message?: Message;
  readonly delta?: { readonly stop_reason?: string | null };
  readonly usage?: Usage | null;
}

function readUsage(usage: Usage | null | undefined): LlmUsage {
  if (usage === undefined || usage === null) return {};
  const { input_tokens: fresh, cache_read_input_tokens: read, cache_creation_input_tokens: written } = usage;
  return {
    inputTokens: fresh === undefined || fresh === null ? fresh : fresh + (read ?? 0) + (written ?? 0),
    outputTokens: usage.output_tokens,
    cacheReadTokens: read,
    cacheWriteTokens: written,
    reasoningTokens: usage.output_tokens_details?.thinking_tokens,
  };
}

function readEnd(answer: unknown): AnswerEnd {
  const { usage, stop_reason: reason } = answer as Message;
  return { end: { ...readUsage(usage), finishReason: parseFinishReason(reason) } };
}

class MessageReader implements ChunkReader {
  #usage: Usage = {};
  #reason: string | null | undefined;
  #began = false;
  #complete = false;

  get complete(): boolean {
    return this.#complete;
  }

  chunk(event: unknown): boolean {
    const { type, message, delta, usage } = event as MessageEvent;
    switch (type) {
      case 'content_block_delta':
        this.#began = true;
        break;
      case 'message_start':
        this.#add(message?.usage);
        break;
      case 'message_delta':
        this.#add(usage);
        this.#reason = delta?.stop_reason ?? this.#reason;
        this.#complete ||= typeof this.#reason === 'string';
        break;
      case 'message_stop':
        this.#complete = true;
        break;
    }
    return this.#began;
  }

  readEnd(): AnswerEnd {
    return { end: { ...readUsage(this.#usage), finishReason: parseFinishReason(this.#reason) } };
  }

  /** Adds a later report of the usage. A field that is null keeps its earlier value. */
  #add(usage: Usage | null | undefined): void {
    const reported = Object.entries(usage ?? {}).filter(([, amount]) => amount !== null);
    this.#usage = { ...this.#usage, ...Object.fromEntries(reported) };
  }
}

const messages = { method: 'create', operation: 'chat', readEnd, chunkReader: () => new MessageReader() } as const;

export const messageEndpoints: readonly Endpoint[] = [
  { ...messages, resource: 'messages' },
  { ...messages, resource: 'beta.messages' },
];
