/**
 * Counts the SDK's own retries within a request. Its results do not mention them, so each call of `fetch` by its client is
 * counted as an attempt.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { quietly } from '../../warnings';

/** Called at each attempt after the first. @param failure the error of the attempt before, or an object with its `status` */
export type OnRetry = (failure: unknown) => void;

type Fetch = (input: unknown, init?: unknown) => Promise<{ readonly status: number }>;
type ApiCall = (this: unknown, ...args: unknown[]) => unknown;

/** The parameter of `apiCall` that holds the `fetch` to use; the default is the global one. */
const FETCH_AT = 5;

const retries = new AsyncLocalStorage<OnRetry>();

/** Runs a request, and calls `onRetry` for each retry within it. */
export function withRetryListener<R>(onRetry: OnRetry, run: () => R): R {
  return retries.run(onRetry, run);
}

/** Wraps the client's `apiCall`, so that attempts within `withRetryListener()` are counted. */
export function countAttempts(apiCall: ApiCall): ApiCall {
  return function (this: unknown, ...args: unknown[]): unknown {
    const onRetry = retries.getStore();
    if (onRetry === undefined) return apiCall.apply(this, args);
    const given = [...args];
    given[FETCH_AT] = countFetches((args[FETCH_AT] ?? fetch) as Fetch, onRetry);
    return apiCall.apply(this, given);
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
