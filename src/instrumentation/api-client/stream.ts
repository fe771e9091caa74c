/**
 * Observes how a stream is read, and ends its call. The caller keeps the SDK's own stream object: only its source of chunks
 * (`iterator`) is wrapped. So `tee()`, `toReadableStream()` and the SDK's own readers of the stream are measured too.
 */
import { errorTypeOf } from '../../collectors/error-type';
import type { LlmCall } from '../../collectors/llm/call';
import type { LlmEnd } from '../../collectors/llm/request';
import type { LlmErrorType } from '../../collectors/words';
import { read } from '../../read';
import { type IterationObserver, observeIteration } from '../iteration';
import { type AnswerEnd, type ChunkReader, errorClassesOf } from './endpoint';

/** The SDK's stream. `iterator` is internal to the SDK, so `isStream()` checks that it exists. */
export interface StreamLike {
  iterator: () => AsyncIterator<unknown>;
  readonly controller: AbortController;
}

export function isStream(value: unknown): value is StreamLike {
  if (typeof value !== 'object' || value === null) return false;
  const { iterator, controller } = value as Partial<StreamLike>;
  return typeof iterator === 'function' && typeof read(read(controller, 'signal'), 'aborted') === 'boolean';
}

/** How the request of a stream ends it. */
export interface StreamEnding {
  /** Ends the call with a complete answer. */
  complete(end: AnswerEnd): void;
  /** Says whether the caller or a timer aborted the stream. */
  classifyAbort(): LlmErrorType;
  readonly client: unknown;
}

/** Reports a stream's chunks and its end to a call. */
export function watchStream(stream: StreamLike, call: LlmCall, reader: ChunkReader, ending: StreamEnding): void {
  const { iterator } = stream;
  const { signal } = stream.controller;
  let taken = false;
  stream.iterator = () => {
    const source = iterator.call(stream);
    // A stream can be read once. The SDK's error for a second reader is not a failure of the request.
    if (taken) return source;
    taken = true;
    return observeIteration(source, new ChunkObserver(call, reader, signal, ending));
  };
}

class ChunkObserver implements IterationObserver<unknown> {
  constructor(
    readonly call: LlmCall,
    readonly reader: ChunkReader,
    readonly signal: AbortSignal,
    readonly ending: StreamEnding,
  ) {}

  value(chunk: unknown): void {
    this.call.chunk(this.reader.chunk(chunk));
  }

  done(): void {
    // The SDK ends an aborted stream as if it had ended normally.
    this.#finish(this.signal.aborted ? this.ending.classifyAbort() : 'stream_interrupted');
  }

  left(): void {
    this.#finish('cancelled');
  }

  /** @param incomplete the error type to record if the answer is not complete */
  #finish(incomplete: string): void {
    const end = this.reader.readEnd();
    if (this.reader.complete) this.ending.complete(end);
    else this.call.fail(incomplete, withoutFinishReason(end));
  }

  failed(error: unknown): void {
    this.call.fail(errorTypeOf(error, errorClassesOf(this.ending.client)), withoutFinishReason(this.reader.readEnd()));
  }
}

/** Drops the finish reason: an answer that broke off did not finish. */
function withoutFinishReason({ end }: AnswerEnd): LlmEnd {
  return { ...end, finishReason: undefined };
}
