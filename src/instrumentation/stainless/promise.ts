/**
 * Follows the promise of a request without asking it for anything: it reads the answer's body when it is first awaited, and
 * not before, and who takes the raw response has the body for himself. So nothing here awaits it; what the SDK does when
 * the user awaits is watched instead.
 */
import { quietly } from '../../quietly';

/** The SDK's promise; the fields are its internals, which is why they are looked for. */
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

/** What is told of a request. The first that is told counts. */
export interface PromiseObserver {
  /** The answer was read: a whole one, or a stream that nobody has read from yet. */
  parsed(value: unknown): void;
  failed(error: unknown): void;
  /** The response came, and its body is the user's. */
  raw(): void;
}

const METHODS = ['parseResponse', 'parse', 'asResponse', '_thenUnwrap'] as const;

/** Whether a value is the promise that is known here. */
export function isApiPromise(value: unknown): value is ApiPromise {
  if (typeof value !== 'object' || value === null) return false;
  const { responsePromise } = value as Partial<ApiPromise>;
  return (
    responsePromise instanceof Promise && METHODS.every((name) => typeof (value as ApiPromise)[name] === 'function')
  );
}

/** Tells what becomes of a request. */
export function follow(promise: ApiPromise, observer: PromiseObserver): void {
  new Followed(promise.responsePromise, observer).add(promise);
}

/** A request, whose promise others may be derived from. */
class Followed {
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
    // Assigned, as the SDK itself does it with some: to define them so that they are not listed takes ten times as long.
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
      // Where a derived promise reads the answer by itself, the first's reading of it is not what is called.
      const derived = derive.call(promise, (value, ...rest) => {
        quietly(() => this.#observer.parsed(value));
        return transform(value, ...rest);
      });
      quietly(() => isApiPromise(derived) && this.add(derived));
      return derived;
    };
    const { _responseProps: props } = promise;
    if (typeof props !== 'function') return;
    // The SDK's conversations take the response so; a whole answer is then read by this promise, a stream by another.
    promise._responseProps = () => {
      this.#watch();
      const response = props.call(promise);
      this.#watchRaw((taken) => (taken as ResponseProps).options?.stream === true);
      return response;
    };
  }

  /** Called where the SDK reacts to the response itself: earlier, a failure that nobody handles would seem handled. */
  #watch(): void {
    if (this.#watched) return;
    this.#watched = true;
    this.#response.then(undefined, (error) => quietly(() => this.#observer.failed(error)));
  }

  #watchRaw(isRaw: (props: unknown) => boolean): void {
    const watch = (props: unknown) => {
      if (!this.#parsing && isRaw(props)) this.#observer.raw();
    };
    // Those who asked for the response as well as for the answer are asked about the answer first.
    this.#response.then(
      (props) => queueMicrotask(() => quietly(() => watch(props))),
      () => {},
    );
  }

  #parsed(parsing: unknown): unknown {
    this.#parsing = true;
    Promise.resolve(parsing).then(
      (value) => quietly(() => this.#observer.parsed(value)),
      (error) => quietly(() => this.#observer.failed(error)),
    );
    return parsing;
  }
}
