/**
 * Attempts of requests, which the SDK repeats by itself: counts those after the first by what went wrong with the one
 * before, and takes what answers' headers say of rate limits. Reads no body.
 */

import { errorTypeOf } from '../../collectors/error-type';
import type { LlmMetricsCollector } from '../../collectors/llm/llm-collector';
import type { Patches } from '../patches';
import { quietly } from '../quietly';
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
  patches.wrap(holder, method, (original, args, client) => {
    const options = quietly(() => attempts.optionsOf(args));
    if (options === undefined) return original();
    quietly(() => attempts.begins(client, options));
    const attempt = original();
    quietly(() => attempts.watch(client, options, attempt));
    return attempt;
  });
  return true;
}

class Attempts {
  readonly #reporting: AttemptReporting;
  /** The options of a request by what is given to `fetch` for one attempt of it. */
  readonly #options = new WeakMap<object, object>();
  /** How the last attempt went, by the options of the request. */
  readonly #last = new WeakMap<object, string>();

  constructor(reporting: AttemptReporting) {
    this.#reporting = reporting;
  }

  prepared(init: unknown, context: unknown): void {
    const { options } = context as { options?: unknown };
    if (isObject(init) && isObject(options)) this.#options.set(init, options);
  }

  /** An attempt is given the request's options by some SDKs, and by others only what was prepared with them. */
  optionsOf(args: readonly unknown[]): object | undefined {
    const [, init, , , options] = args;
    if (isObject(options) && 'path' in options) return options;
    return isObject(init) ? this.#options.get(init) : undefined;
  }

  begins(client: unknown, options: object): void {
    const last = this.#last.get(options);
    if (last === undefined) return;
    const { collector } = this.#reporting;
    const target = this.#reporting.targetOf(client, options);
    // Nobody's abort is repeated, so it was the SDK's own clock.
    if (target !== undefined) collector.recordRetry(target, last === 'cancelled' ? 'timeout' : last);
  }

  watch(client: unknown, options: object, attempt: unknown): void {
    if (!(attempt instanceof Promise)) return;
    attempt.then(
      (response: unknown) => quietly(() => this.#answered(client, options, response)),
      (error: unknown) => quietly(() => this.#last.set(options, errorTypeOf(error))),
    );
  }

  #answered(client: unknown, options: object, response: unknown): void {
    if (response instanceof Error) {
      this.#last.set(options, errorTypeOf(response));
      return;
    }
    const { ok, status, headers } = response as Response;
    // An answer that is repeated all the same did not come to its end in time.
    this.#last.set(options, ok ? 'timeout' : errorTypeOf({ status }));
    const { sdk, collector } = this.#reporting;
    let target: AttemptTarget | undefined;
    for (const { resource, limit, remaining } of sdk.rateLimits) {
      const said = { limit: amount(headers, limit), remaining: amount(headers, remaining) };
      if (said.limit === undefined && said.remaining === undefined) continue;
      target ??= this.#reporting.targetOf(client, options);
      if (target !== undefined) collector.setRateLimit(target, resource, said);
    }
  }
}

function amount(headers: Headers, name: string): number | undefined {
  const text = headers.get(name);
  if (text === null || text === '') return undefined;
  const value = Number(text);
  return value >= 0 && Number.isFinite(value) ? value : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
