/**
 * Takes part in an asynchronous iteration without reading ahead, delaying or changing anything: the promises that the
 * reader gets are the source's own.
 */
import { quietly } from './quietly';

/** What is told of an iteration. One of the last three is told, once. */
export interface IterationObserver<T> {
  value(value: T): void;
  /** It came to its end. */
  done(): void;
  failed(error: unknown): void;
  /** The reader left before the end: `break`, `return` or `throw` within the loop. */
  left(): void;
}

/** An iterator that gives what the source gives, and tells. */
export function observed<T>(source: AsyncIterator<T>, observer: IterationObserver<T>): AsyncIterableIterator<T> {
  let over = false;
  const finish = (tell: () => void): void => {
    if (over) return;
    over = true;
    quietly(tell);
  };
  const watch = (step: Promise<IteratorResult<T>>): Promise<IteratorResult<T>> => {
    // Registered before the reader's own reaction, so what is told is told before the reader goes on.
    Promise.resolve(step).then(
      (result) => {
        if (result.done) finish(() => observer.done());
        else if (!over) quietly(() => observer.value(result.value));
      },
      (error) => finish(() => observer.failed(error)),
    );
    return step;
  };
  const iterator: AsyncIterableIterator<T> = {
    next: (...args: [] | [undefined]) => watch(source.next(...args)),
    [Symbol.asyncIterator]: () => iterator,
  };
  if (source.return !== undefined) {
    iterator.return = (value) => {
      finish(() => observer.left());
      return source.return?.(value) as Promise<IteratorResult<T>>;
    };
  }
  if (source.throw !== undefined) {
    iterator.throw = (error) => {
      finish(() => observer.left());
      return source.throw?.(error) as Promise<IteratorResult<T>>;
    };
  }
  return iterator;
}
