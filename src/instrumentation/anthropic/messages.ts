/**
 * Answers of Anthropic's Messages API. It counts tokens that come from its cache, or go into it, apart from the input.
 */
import type { LlmUsage } from '../../collectors/llm/request';
import { finishReasonOf } from '../finish-reason';
import type { Answered, Endpoint, Reading } from '../stainless/wire';

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

function usageOf(usage: Usage | null | undefined): LlmUsage {
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

function answered(answer: unknown): Answered {
  const { usage, stop_reason: reason } = answer as Message;
  return { end: { ...usageOf(usage), finishReason: finishReasonOf(reason) } };
}

class MessageReading implements Reading {
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

  answered(): Answered {
    return { end: { ...usageOf(this.#usage), finishReason: finishReasonOf(this.#reason) } };
  }

  /** Usage is told again as it grows, and what is told as null stays what it was. */
  #add(usage: Usage | null | undefined): void {
    const told = Object.entries(usage ?? {}).filter(([, amount]) => amount !== null);
    this.#usage = { ...this.#usage, ...Object.fromEntries(told) };
  }
}

const messages = { method: 'create', operation: 'chat', answered, reading: () => new MessageReading() } as const;

export const messageEndpoints: readonly Endpoint[] = [
  { ...messages, resource: 'messages' },
  { ...messages, resource: 'beta.messages' },
];
