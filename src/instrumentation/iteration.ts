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

/** What an iterator does, told on the way. */
interface Told<T> {
  next: AsyncIterator<T>['next'];
  return?: NonNullable<AsyncIterator<T>['return']>;
  throw?: NonNullable<AsyncIterator<T>['throw']>;
}

/** An iterator that gives what the source gives, and tells. */
export function observed<T>(source: AsyncIterator<T>, observer: IterationObserver<T>): AsyncIterableIterator<T> {
  const iterator: AsyncIterableIterator<T> = Object.assign(told(source, observer), {
    [Symbol.asyncIterator]: () => iterator,
  });
  return iterator;
}

/** Tells of an iterator where it is: it stays the object that the SDK made, with all that it can besides. */
export function observeInPlace<T>(iterator: AsyncIterator<T>, observer: IterationObserver<T>): void {
  for (const [name, method] of Object.entries(told(iterator, observer))) {
    Object.defineProperty(iterator, name, { value: method, writable: true, configurable: true, enumerable: false });
  }
}

function told<T>(source: AsyncIterator<T>, observer: IterationObserver<T>): Told<T> {
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
  const { next, return: leave, throw: fail } = source;
  const methods: Told<T> = { next: (...args) => watch(next.apply(source, args)) };
  if (leave !== undefined) {
    methods.return = (value) => {
      finish(() => observer.left());
      return leave.call(source, value);
    };
  }
  if (fail !== undefined) {
    methods.throw = (error) => {
      finish(() => observer.left());
      return fail.call(source, error);
    };
  }
  return methods;
}
