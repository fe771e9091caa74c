/**
 * Reads answers and streams of Anthropic's Messages API. Its `input_tokens` exclude tokens that were read from or written to
 * the cache; `inputTokens` includes them.
 */
import type { AnswerEnd, ChunkReader, Endpoint } from '../api-client/endpoint';
import { findFailure } from '../failure';
import { parseFinishReason } from '../finish-reason';
import { mergeUsage, readAnswerUsage, readUsage } from '../usage';

interface Message {
  readonly usage?: object | null;
  readonly stop_reason?: string | null;
  readonly model?: string;
}

interface Delta {
  readonly stop_reason?: string | null;
  readonly text?: unknown;
  readonly thinking?: unknown;
  readonly partial_json?: unknown;
}

interface MessageEvent {
  readonly type?: string;
  readonly message?: Message;
  readonly delta?: Delta;
  readonly usage?: object | null;
}

/** Reads a whole message. */
export function readMessage(answer: unknown): AnswerEnd {
  const { stop_reason: reason } = answer as Message;
  const end = readAnswerUsage(answer);
  end.finishReason = parseFinishReason(reason);
  return { end, failure: findFailure(answer) };
}

class MessageReader implements ChunkReader {
  #usage: unknown;
  #model: string | undefined;
  #thought = false;
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
        this.#began ||= hasContent(delta);
        this.#thought ||= hasText(delta?.thinking);
        break;
      case 'message_start':
        this.#model = message?.model;
        this.#usage = mergeUsage(this.#usage, message?.usage);
        break;
      case 'message_delta':
        this.#usage = mergeUsage(this.#usage, usage);
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
    const end = readUsage(this.#usage);
    end.responseModel = this.#model;
    end.finishReason = parseFinishReason(this.#reason);
    if (this.#thought) end.visibleTokens = end.outputTokens;
    return { end };
  }
}

/** An empty delta may come before the first content. A signature or a citation is not content. */
function hasContent(delta: Delta | undefined): boolean {
  return hasText(delta?.text) || hasText(delta?.thinking) || hasText(delta?.partial_json);
}

function hasText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

export const messageEndpoints: readonly Endpoint[] = [
  { path: 'v1/messages', operation: 'chat', readEnd: readMessage, chunkReader: () => new MessageReader() },
];
