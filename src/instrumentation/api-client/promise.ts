/**
 * Observes the promise that a request returns, without awaiting it. Awaiting would read the body: the SDK's promise reads
 * it when it is first awaited, and a caller who takes the raw response with `asResponse()` must get an unread body. So the
 * methods that the SDK calls when the user awaits are replaced, and report what they return.
 */
import { asPromise, isPromise } from '../../read';
import { quietly } from '../../warnings';

/** The SDK's promise. Its fields are internal to the SDK, so `isApiPromise()` checks that they exist. */
export interface ApiPromise extends Promise<unknown> {
  readonly responsePromise: Promise<unknown>;
  parseResponse: (this: unknown, ...args: unknown[]) => unknown;
  parse: (this: unknown) => unknown;
  asResponse: (this: unknown) => unknown;
  _thenUnwrap: (this: unknown, transform: Transform) => unknown;
  _responseProps?: (this: unknown) => unknown;
}

interface ResponseProps {
  readonly options?: { readonly stream?: unknown };
}

type Transform = (this: unknown, value: unknown, ...rest: unknown[]) => unknown;

/** Receives the outcome of a request. Several methods may be called; the first call counts. */
export interface PromiseObserver {
  /** The answer was parsed: a whole answer, or a stream of which nothing has been read. */
  parsed(value: unknown): void;
  failed(error: unknown): void;
  /** The response came, and the caller reads its body. */
  raw(): void;
}

/** True for a promise of the SDK that has the expected internals. */
export function isApiPromise(value: unknown): value is ApiPromise {
  if (typeof value !== 'object' || value === null) return false;
  const { responsePromise, parseResponse, parse, asResponse, _thenUnwrap } = value as Partial<ApiPromise>;
  return (
    typeof parseResponse === 'function' &&
    typeof parse === 'function' &&
    typeof asResponse === 'function' &&
    typeof _thenUnwrap === 'function' &&
    isPromise(responsePromise)
  );
}

/** Reports the outcome of a request. */
export function observePromise(promise: ApiPromise, observer: PromiseObserver): void {
  new ObservedRequest(promise.responsePromise, observer).add(promise);
}

/** One request: its promise and the promises that the SDK derives from it. */
class ObservedRequest {
  readonly #response: Promise<unknown>;
  readonly #observer: PromiseObserver;
  #watched = false;
  #parsing = false;

  constructor(response: Promise<unknown>, observer: PromiseObserver) {
    this.#response = response;
    this.#observer = observer;
  }

  add(promise: ApiPromise): void {
    const { parseResponse, parse, asResponse, _thenUnwrap: derive } = promise;
    // Assigned, as the SDK itself assigns some of them. Non-enumerable properties would take ten times as long.
    promise.parseResponse = (...args) => this.#parsed(parseResponse.apply(promise, args));
    promise.parse = () => {
      this.#watch();
      return parse.call(promise);
    };
    promise.asResponse = () => {
      this.#watch();
      const response = asResponse.call(promise);
      this.#watchRaw(() => true);
      return response;
    };
    promise._thenUnwrap = (transform) => {
      // A derived promise may parse the answer itself; `parseResponse` of the first promise is not called then.
      const derived = derive.call(promise, (value, ...rest) => {
        quietly(() => this.#observer.parsed(value));
        return transform(value, ...rest);
      });
      quietly(() => isApiPromise(derived) && this.add(derived));
      return derived;
    };
    const { _responseProps: props } = promise;
    if (typeof props !== 'function') return;
    // The SDK's conversation helpers take the response this way. This promise then parses a whole answer; another promise
    // parses a stream.
    promise._responseProps = () => {
      this.#watch();
      const response = props.call(promise);
      this.#watchRaw((taken) => (taken as ResponseProps).options?.stream === true);
      return response;
    };
  }

  /**
   * Called only when the SDK itself handles the response. A handler that is added earlier would hide unhandled rejections.
   */
  #watch(): void {
    if (this.#watched) return;
    this.#watched = true;
    this.#response.then(undefined, (error) => quietly(() => this.#observer.failed(error)));
  }

  #watchRaw(isRaw: (props: unknown) => boolean): void {
    const watch = (props: unknown) => {
      if (!this.#parsing && isRaw(props)) this.#observer.raw();
    };
    // withResponse() wants both the body and the response: wait one microtask, so that the parsed body is reported first.
    this.#response.then(
      (props) => queueMicrotask(() => quietly(() => watch(props))),
      () => {},
    );
  }

  #parsed(parsing: unknown): unknown {
    this.#parsing = true;
    asPromise(parsing).then(
      (value) => quietly(() => this.#observer.parsed(value)),
      (error) => quietly(() => this.#observer.failed(error)),
    );
    return parsing;
  }
}
