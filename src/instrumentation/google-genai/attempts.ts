/**
 * Counts the SDK's own retries within a request. Its results do not mention them, so each call of `fetch` by its client is
 * counted as an attempt.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { LlmMetricsCollector } from '../../collectors/llm/llm-collector';
import { quietly } from '../../warnings';
import type { Around } from '../patches';

/** Called at each attempt after the first. @param failure the error of the attempt before, or an object with its `status` */
export type OnRetry = (failure: unknown) => void;

type Fetch = (input: unknown, init?: unknown) => Promise<{ readonly status: number }>;
/** The parameter of `apiCall` that holds the `fetch` to use; the default is the global one. */
const FETCH_AT = 5;

/** The listeners of the running request, by collector. */
const retries = new AsyncLocalStorage<ReadonlyMap<LlmMetricsCollector, OnRetry>>();

/** Runs a request, and calls `onRetry` for each retry within it. */
export function withRetryListener<R>(collector: LlmMetricsCollector, onRetry: OnRetry, run: () => R): R {
  return retries.run(new Map(retries.getStore()).set(collector, onRetry), run);
}

/** Wraps the client's `apiCall`, so that attempts within `withRetryListener()` are counted. */
export function countAttempts(collector: LlmMetricsCollector): Around {
  return (original, args) => {
    const onRetry = retries.getStore()?.get(collector);
    if (onRetry === undefined) return original();
    const given = [...args];
    given[FETCH_AT] = countFetches((args[FETCH_AT] ?? fetch) as Fetch, onRetry);
    return original(given);
  };
}

function countFetches(send: Fetch, onRetry: OnRetry): Fetch {
  let failure: unknown;
  return (input, init) => {
    const before = failure;
    if (before !== undefined) quietly(() => onRetry(before));
    const sent = send(input, init);
    sent.then(
      ({ status }) => {
        failure = { status };
      },
      (error: unknown) => {
        failure = error;
      },
    );
    return sent;
  };
}
