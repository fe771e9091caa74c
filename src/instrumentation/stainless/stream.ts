/**
 * Takes part in the reading of a stream. The stream stays the SDK's own: only where its chunks come from is wrapped, so that
 * branches, readable streams made of it and its readers in the SDK are seen too.
 */
import type { LlmCall } from '../../collectors/llm/call';
import type { LlmEnd } from '../../collectors/llm/request';
import type { LlmErrorType } from '../../collectors/words';
import { type IterationObserver, observed } from '../iteration';
import type { Answered, Reading } from './wire';

/** The SDK's stream; `iterator` is an internal of it, which is why it is looked for. */
export interface StreamLike {
  iterator: () => AsyncIterator<unknown>;
  readonly controller: AbortController;
}

export function isStream(value: unknown): value is StreamLike {
  if (typeof value !== 'object' || value === null) return false;
  const { iterator, controller } = value as Partial<StreamLike>;
  return typeof iterator === 'function' && controller instanceof AbortController;
}

/** What a stream's request knows of its end. */
export interface StreamEnding {
  /** Ends the call with an answer that came to its end. */
  complete(answered: Answered): void;
  /** What an abort of it was. */
  abortType(): LlmErrorType;
}

/** Reports a stream's chunks and end to a call. */
export function watchStream(stream: StreamLike, call: LlmCall, reading: Reading, ending: StreamEnding): void {
  const { iterator } = stream;
  const { signal } = stream.controller;
  let taken = false;
  stream.iterator = () => {
    const source = iterator.call(stream);
    // A stream is read once; that it cannot be read again is no failure of the request.
    if (taken) return source;
    taken = true;
    return observed(source, new StreamReader(call, reading, signal, ending));
  };
}

class StreamReader implements IterationObserver<unknown> {
  constructor(
    readonly call: LlmCall,
    readonly reading: Reading,
    readonly signal: AbortSignal,
    readonly ending: StreamEnding,
  ) {}

  value(chunk: unknown): void {
    this.call.chunk(this.reading.chunk(chunk));
  }

  done(): void {
    // The SDK ends a stream that was aborted as if it had ended by itself.
    this.#over(this.signal.aborted ? this.ending.abortType() : 'stream_interrupted');
  }

  left(): void {
    this.#over('cancelled');
  }

  #over(otherwise: string): void {
    const answered = this.reading.answered();
    if (this.reading.complete) this.ending.complete(answered);
    else this.call.fail(otherwise, usageOf(answered));
  }

  failed(error: unknown): void {
    this.call.fail(error, usageOf(this.reading.answered()));
  }
}

/** An answer that broke off has no reason to have finished. */
function usageOf({ end }: Answered): LlmEnd {
  return { ...end, finishReason: undefined };
}
