/**
 * Attempts of requests, which the SDK repeats by itself: counts those after the first by what went wrong with the one
 * before, and takes what answers' headers say of rate limits. Reads no body.
 */

import { errorTypeOf } from '../../collectors/error-type';
import type { LlmMetricsCollector } from '../../collectors/llm/llm-collector';
import { quietly } from '../../quietly';
import type { Patches } from '../patches';
import { rateLimitsOf } from '../rate-limits';
import type { Sdk } from './wire';

/** What an attempt is made for. */
export interface AttemptTarget {
  readonly model: string;
  readonly provider: string;
}

/** How attempts are reported. */
export interface AttemptReporting {
  readonly sdk: Sdk;
  readonly collector: LlmMetricsCollector;
  /** @param options the SDK's own of the request, the same object for each of its attempts */
  targetOf(client: unknown, options: unknown): AttemptTarget | undefined;
}

/**
 * Wraps what makes one attempt.
 *
 * @param holder a client, or its class's prototype
 * @returns whether there is such a method
 */
export function watchAttempts(patches: Patches, holder: unknown, reporting: AttemptReporting): boolean {
  const method = reporting.sdk.attempt.find((name) => typeof (holder as Record<string, unknown>)[name] === 'function');
  if (method === undefined) return false;
  const attempts = new Attempts(reporting);
  patches.wrap(holder, 'prepareRequest', (original, [init, context]) => {
    quietly(() => attempts.prepared(init, context));
    return original();
  });
  patches.wrap(holder, 'retryRequest', (original, [options]) => {
    quietly(() => attempts.repeats(options));
    return original();
  });
  patches.wrap(holder, method, (original, args, client) => {
    const options = quietly(() => attempts.begins(client, args));
    const attempt = original();
    if (options !== undefined && attempt instanceof Promise) {
      attempt.then(
        (response: unknown) => quietly(() => attempts.ended(client, options, response)),
        (error: unknown) => quietly(() => attempts.failed(options, error)),
      );
    }
    return attempt;
  });
  return true;
}

class Attempts {
  readonly #reporting: AttemptReporting;
  /** The options of a request by what was prepared for an attempt of it, until the attempt begins. */
  readonly #prepared = new WeakMap<object, object>();
  /** How the last attempt of a request went wrong, by its options. Empty but for requests that fail: entries cost. */
  readonly #wrong = new WeakMap<object, string>();

  constructor(reporting: AttemptReporting) {
    this.#reporting = reporting;
  }

  prepared(init: unknown, context: unknown): void {
    const { options } = context as { options?: unknown };
    if (isObject(init) && isObject(options)) this.#prepared.set(init, options);
  }

  /** Only a timeout has an attempt repeated that was answered well: the body did not come in time. */
  repeats(options: unknown): void {
    if (isObject(options) && !this.#wrong.has(options)) this.#wrong.set(options, 'timeout');
  }

  begins(client: unknown, args: readonly unknown[]): object | undefined {
    const options = this.#optionsOf(args);
    if (options === undefined) return undefined;
    const wrong = this.#wrong.get(options);
    if (wrong === undefined) return options;
    this.#wrong.delete(options);
    const target = this.#reporting.targetOf(client, options);
    // Nobody's abort is repeated, so it was the SDK's own clock.
    if (target !== undefined) this.#reporting.collector.recordRetry(target, wrong === 'cancelled' ? 'timeout' : wrong);
    return options;
  }

  /** An attempt is given the request's options by some SDKs, and by others only what was prepared with them. */
  #optionsOf([, init, , , options]: readonly unknown[]): object | undefined {
    if (isObject(options) && 'path' in options) return options;
    if (!isObject(init)) return undefined;
    const prepared = this.#prepared.get(init);
    if (prepared !== undefined) this.#prepared.delete(init);
    return prepared;
  }

  failed(options: object, error: unknown): void {
    this.#wrong.set(options, errorTypeOf(error));
  }

  ended(client: unknown, options: object, response: unknown): void {
    if (response instanceof Error) {
      this.failed(options, response);
      return;
    }
    const { ok, status, headers } = response as Response;
    if (!ok) this.failed(options, { status });
    const { sdk, collector } = this.#reporting;
    let target: AttemptTarget | undefined;
    for (const { resource, ...said } of rateLimitsOf(sdk.rateLimits, (name) => headers.get(name))) {
      target ??= this.#reporting.targetOf(client, options);
      if (target !== undefined) collector.setRateLimit(target, resource, said);
    }
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
