/**
 * Counts the retries that the SDK makes by itself, each by the error of the attempt before it, times attempts on request, and
 * reads rate limits from the headers of each answer. Reads no body.
 */

import { type Moment, now, secondsSince } from '../../clock';
import { errorTypeOf } from '../../collectors/error-type';
import type { LlmMetricsCollector } from '../../collectors/llm/llm-collector';
import { isPromise, read, readText } from '../../read';
import { quietly, warnOfFailure } from '../../warnings';
import type { Around, Patches } from '../patches';
import { readRateLimits } from '../rate-limits';
import { errorClassesOf, type Sdk } from './endpoint';

/** The model and the provider of a request. */
export interface AttemptTarget {
  readonly model: string;
  readonly provider: string;
}

/** Where retries and rate limits are recorded. */
export interface AttemptReporting {
  readonly sdk: Sdk;
  readonly collector: LlmMetricsCollector;
  /**
   * @param options the SDK's own options of the request: one object for all its attempts
   * @returns nothing for a request that calls no model
   */
  readTarget(client: unknown, options: unknown): AttemptTarget | undefined;
}

/**
 * Wraps the method that makes one attempt.
 *
 * @param holder a client, or its class's prototype
 * @returns false if the client has no such method
 */
export function watchAttempts(patches: Patches, holder: object, reporting: AttemptReporting): boolean {
  const method = reporting.sdk.attempt.find((name) => typeof read(holder, name) === 'function');
  if (method === undefined) return false;
  const attempts = new Attempts(reporting);
  patches.wrap(holder, 'prepareRequest', (original, [init, context]) => {
    attempts.prepared(init, context);
    return original();
  });
  patches.wrap(holder, 'retryRequest', (original, [options]) => {
    attempts.willRetry(options);
    return original();
  });
  const watch: Around = (original, args, client) => {
    const attempt = attempts.begin(client, args);
    const sent = original();
    if (attempt !== undefined && isPromise(sent)) sent.then(attempt.ended, attempt.failed);
    return sent;
  };
  // A client may refuse to work if its method is not the one of the SDK's class, so it is wrapped there.
  patches.wrap(isPrototype(holder) ? definerOf(holder, method) : holder, method, watch, (client) =>
    isOrInherits(client, holder),
  );
  return true;
}

/** True for the prototype of a class. */
export function isPrototype(holder: object): boolean {
  return Object.hasOwn(holder, 'constructor') && read(read(holder, 'constructor'), 'prototype') === holder;
}

/** The uppermost prototype with a method: the one that the overriding methods of subclasses call. */
export function definerOf(prototype: object, method: string): object {
  let found = prototype;
  for (let at: object | null = prototype; at !== null; at = Object.getPrototypeOf(at)) {
    if (Object.hasOwn(at, method)) found = at;
  }
  return found;
}

function isOrInherits(client: unknown, holder: object): boolean {
  return client === holder || (isObject(client) && Object.prototype.isPrototypeOf.call(holder, client));
}

class Attempts {
  readonly #reporting: AttemptReporting;
  /** Options of a request, by the `init` object that was prepared for its next attempt. Removed when the attempt begins. */
  readonly #prepared = new WeakMap<object, object>();
  /** Error types of the last attempt, by the options of the request. Only failed requests have an entry, to save memory. */
  readonly #failures = new WeakMap<object, string>();

  constructor(reporting: AttemptReporting) {
    this.#reporting = reporting;
  }

  prepared(init: unknown, context: unknown): void {
    const options = read(context, 'options');
    if (isObject(init) && isObject(options)) this.#prepared.set(init, options);
  }

  /** The SDK repeats an attempt with a good status only if its body timed out. */
  willRetry(options: unknown): void {
    if (isObject(options) && !this.#failures.has(options)) this.#failures.set(options, 'timeout');
  }

  /** Begins an attempt; undefined if its options are unknown. */
  begin(client: unknown, args: readonly unknown[]): Attempt | undefined {
    const options = this.#findOptions(args);
    if (options === undefined) return undefined;
    const failure = this.#failures.get(options);
    if (failure !== undefined) quietly(() => this.#retried(client, options, failure));
    return new Attempt(this.#reporting, this.#failures, client, options);
  }

  #retried(client: unknown, options: object, failure: string): void {
    this.#failures.delete(options);
    const target = this.#reporting.readTarget(client, options);
    // The SDK does not retry after the caller's abort, so its own timeout made this one.
    const reason = failure === 'cancelled' ? 'timeout' : failure;
    if (target !== undefined) this.#reporting.collector.recordRetry(target, reason);
  }

  /** Some SDKs pass the request's options to an attempt, others only the `init` object that was prepared from them. */
  #findOptions([, init, , , options]: readonly unknown[]): object | undefined {
    if (isObject(options) && read(options, 'path') !== undefined) return options;
    if (!isObject(init)) return undefined;
    const prepared = this.#prepared.get(init);
    if (prepared !== undefined) this.#prepared.delete(init);
    return prepared;
  }
}

/** One attempt. Its handlers are the ones of the promise, because a call should make few functions. */
class Attempt {
  readonly #reporting: AttemptReporting;
  readonly #failures: WeakMap<object, string>;
  readonly #client: unknown;
  readonly #options: object;
  readonly #start: Moment | undefined;

  constructor(reporting: AttemptReporting, failures: WeakMap<object, string>, client: unknown, options: object) {
    this.#reporting = reporting;
    this.#failures = failures;
    this.#client = client;
    this.#options = options;
    this.#start = reporting.collector.timesAttempts ? now() : undefined;
  }

  readonly ended = (response: unknown): void => {
    try {
      this.#time();
      this.#answered(response);
    } catch (error) {
      warnOfFailure(error);
    }
  };

  readonly failed = (error: unknown): void => {
    quietly(() => {
      this.#time();
      this.#fail(error);
    });
  };

  #time(): void {
    const start = this.#start;
    const target = start === undefined ? undefined : this.#readTarget();
    if (start === undefined || target === undefined) return;
    this.#reporting.collector.recordAttempt(target, secondsSince(start) * 1000);
  }

  #answered(response: unknown): void {
    // The SDK returns the error of a connection. A `Response` has no message.
    if (readText(response, 'message') !== undefined) {
      this.#fail(response);
      return;
    }
    const { ok, status, headers } = response as Response;
    if (!ok) this.#fail({ status });
    const limits = readRateLimits(this.#reporting.sdk.rateLimits, (name) => headers.get(name));
    const target = limits.length === 0 ? undefined : this.#readTarget();
    if (target === undefined) return;
    for (const { resource, amounts } of limits) this.#reporting.collector.setRateLimit(target, resource, amounts);
  }

  #fail(error: unknown): void {
    this.#failures.set(this.#options, errorTypeOf(error, errorClassesOf(this.#client)));
  }

  #readTarget(): AttemptTarget | undefined {
    return this.#reporting.readTarget(this.#client, this.#options);
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
