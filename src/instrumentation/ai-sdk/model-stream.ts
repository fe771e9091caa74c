/**
 * Observes a web stream without reading ahead of its reader: as another stream, or, if the SDK may compare streams by
 * identity, as the same object.
 */
import { ReadableStream } from 'node:stream/web';
import { read } from '../../read';
import { quietly } from '../../warnings';

/** Receives the events of a stream. It ends with exactly one call of `done`, `failed` or `left`. */
export interface StreamObserver {
  value(value: unknown): void;
  done(): void;
  failed(error: unknown): void;
  /** The reader cancelled the stream. */
  left(reason: unknown): void;
}

type PipeThrough = ReadableStream['pipeThrough'];

/** @returns false if `stream` is not a web stream */
export function observeStream(stream: unknown, observer: StreamObserver): boolean {
  if (!isWebStream(stream)) return false;
  const pipeThrough: PipeThrough = (...args) => {
    delete (stream as { pipeThrough?: PipeThrough }).pipeThrough;
    const tapped = quietly(() => tapStream(stream, observer)) ?? stream;
    return tapped.pipeThrough(...args);
  };
  Object.defineProperty(stream, 'pipeThrough', { value: pipeThrough, configurable: true, writable: true });
  return true;
}

function isWebStream(value: unknown): value is ReadableStream {
  return typeof read(value, 'getReader') === 'function' && typeof read(value, 'pipeThrough') === 'function';
}

/** A stream that passes on the chunks of another one and reports them; nothing if `stream` is not a web stream. */
export function tapStream(stream: unknown, observer: StreamObserver): ReadableStream | undefined {
  if (!isWebStream(stream)) return undefined;
  const reader = stream.getReader();
  // A read that is pending when the stream is cancelled ends too, and is not reported.
  let isLeft = false;
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (isLeft) return;
          quietly(() => (done ? observer.done() : observer.value(value)));
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          if (!isLeft) quietly(() => observer.failed(error));
          throw error;
        }
      },
      cancel(reason) {
        isLeft = true;
        quietly(() => observer.left(reason));
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
