/**
 * Takes part in an asynchronous iteration without reading ahead, delaying or changing anything: the promises that the
 * reader gets are the source's own.
 */
import { quietly } from '../quietly';

/** What is told of an iteration. One of the last three is told, once. */
export interface IterationObserver<T> {
  value(value: T): void;
  /** It came to its end. */
  done(): void;
  failed(error: unknown): void;
  /** The reader left before the end: `break`, `return` or `throw` within the loop. */
  left(): void;
}

const prototypeOf = (value: object): object => Object.getPrototypeOf(value);

/** What all asynchronous iterators of the language inherit, such as their disposal. */
const ITERATOR_PROTOTYPE = prototypeOf(prototypeOf(prototypeOf((async function* () {})())));

/** An iterator that gives what the source gives, and tells. */
export function observed<T>(source: AsyncIterator<T>, observer: IterationObserver<T>): AsyncIterableIterator<T> {
  return new ObservedIterator(source, observer);
}

class ObservedIterator<T> implements AsyncIterableIterator<T> {
  readonly #source: AsyncIterator<T>;
  readonly #observer: IterationObserver<T>;
  declare return?: (value?: unknown) => Promise<IteratorResult<T>>;
  declare throw?: (error?: unknown) => Promise<IteratorResult<T>>;
  #over = false;

  constructor(source: AsyncIterator<T>, observer: IterationObserver<T>) {
    this.#source = source;
    this.#observer = observer;
    if (source.return !== undefined) this.return = (value) => this.#leave(() => source.return?.(value));
    if (source.throw !== undefined) this.throw = (error) => this.#leave(() => source.throw?.(error));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(...args: [] | [undefined]): Promise<IteratorResult<T>> {
    const step = this.#source.next(...args);
    // Registered before the reader's own reaction, so what is told is told before the reader goes on.
    Promise.resolve(step).then(this.#stepped, this.#failed);
    return step;
  }

  /** One function for all steps: a stream has thousands. */
  readonly #stepped = (result: IteratorResult<T>): void => {
    if (this.#over) return;
    if (result.done) this.#finish(() => this.#observer.done());
    else this.#tell(result.value);
  };

  readonly #failed = (error: unknown): void => this.#finish(() => this.#observer.failed(error));

  #tell(value: T): void {
    quietly(() => this.#observer.value(value));
  }

  #leave(leaving: () => unknown): Promise<IteratorResult<T>> {
    this.#finish(() => this.#observer.left());
    return leaving() as Promise<IteratorResult<T>>;
  }

  #finish(tell: () => void): void {
    if (this.#over) return;
    this.#over = true;
    quietly(tell);
  }
}

Object.setPrototypeOf(ObservedIterator.prototype, ITERATOR_PROTOTYPE);
