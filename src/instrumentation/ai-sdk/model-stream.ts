/**
 * Takes part in a web stream that is piped on, without reading ahead of who reads it. The stream stays the object that it
 * was: the SDK may hold it against what it made.
 */
import { ReadableStream } from 'node:stream/web';
import { quietly } from '../../quietly';

/** What is told of a stream. One of the last three is told, once. */
export interface StreamObserver {
  value(value: unknown): void;
  done(): void;
  failed(error: unknown): void;
  left(reason: unknown): void;
}

type PipeThrough = ReadableStream['pipeThrough'];

/** @returns whether it is observed; not where it is no stream */
export function observeStream(stream: unknown, observer: StreamObserver): boolean {
  if (!(stream instanceof ReadableStream)) return false;
  const pipeThrough: PipeThrough = (...args) => {
    delete (stream as { pipeThrough?: PipeThrough }).pipeThrough;
    const tapped = quietly(() => tap(stream, observer)) ?? stream;
    return tapped.pipeThrough(...args);
  };
  Object.defineProperty(stream, 'pipeThrough', { value: pipeThrough, configurable: true, writable: true });
  return true;
}

function tap(stream: ReadableStream, observer: StreamObserver): ReadableStream {
  const reader = stream.getReader();
  // A read that is pending while the stream is cancelled ends too.
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
