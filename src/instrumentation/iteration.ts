/**
 * Observes an asynchronous iteration. Reads nothing ahead, delays nothing and changes nothing: the reader gets the source's
 * own promises.
 */
import { asPromise } from '../read';
import { quietly } from '../warnings';

/** Receives the events of an iteration. It ends with exactly one call of `done`, `failed` or `left`. */
export interface IterationObserver<T> {
  value(value: T): void;
  /** The source has no more values. */
  done(): void;
  failed(error: unknown): void;
  /** The reader stopped before the end: `break`, `return` or `throw` within the loop. */
  left(): void;
}

const getPrototype = (value: object): object => Object.getPrototypeOf(value);

const METHODS = ['next', 'return', 'throw'] as const;

/** `%AsyncIteratorPrototype%`, which gives the observed iterator the language's methods, such as disposal. */
const ITERATOR_PROTOTYPE = getPrototype(getPrototype(getPrototype((async function* () {})())));

/** An iterator that passes on the source's values and reports them. */
export function observeIteration<T>(
  source: AsyncIterator<T>,
  observer: IterationObserver<T>,
): AsyncIterableIterator<T> {
  return new ObservedIterator(source, observer);
}

/**
 * Observes an iterator by replacing its methods. The reader keeps the object that the SDK made, with its other fields and
 * methods.
 */
export function observeIteratorInPlace<T>(iterator: AsyncIterator<T>, observer: IterationObserver<T>): void {
  const source: Record<string, unknown> = {};
  for (const name of METHODS) {
    const method = iterator[name] as ((value?: unknown) => unknown) | undefined;
    if (method !== undefined) source[name] = method.bind(iterator);
  }
  const watched = observeIteration(source as unknown as AsyncIterator<T>, observer);
  for (const name of METHODS) {
    const method = watched[name] as ((value?: unknown) => unknown) | undefined;
    if (method === undefined) continue;
    const value = method.bind(watched);
    Object.defineProperty(iterator, name, { value, writable: true, configurable: true, enumerable: false });
  }
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
    // This handler is added before the reader's own, so the observer is called before the reader goes on.
    asPromise(step).then(this.#stepped, this.#failed);
    return step;
  }

  /** One function for all steps, because a stream has thousands of them. */
  readonly #stepped = (result: IteratorResult<T>): void => {
    if (this.#over) return;
    if (result.done) this.#finish(() => this.#observer.done());
    else this.#report(result.value);
  };

  readonly #failed = (error: unknown): void => this.#finish(() => this.#observer.failed(error));

  #report(value: T): void {
    quietly(() => this.#observer.value(value));
  }

  #leave(leaving: () => unknown): Promise<IteratorResult<T>> {
    this.#finish(() => this.#observer.left());
    return leaving() as Promise<IteratorResult<T>>;
  }

  #finish(report: () => void): void {
    if (this.#over) return;
    this.#over = true;
    quietly(report);
  }
}

Object.setPrototypeOf(ObservedIterator.prototype, ITERATOR_PROTOTYPE);
