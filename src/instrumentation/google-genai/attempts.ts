/**
 * Attempts that the SDK makes within a request: it tries again where it was told to, and nothing that it returns says so.
 * Every attempt goes through the `fetch` that its client calls, which is where they are counted.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { quietly } from '../../quietly';

/** Is told of an attempt after the first. What went wrong with the one before is an error, or has a status. */
export type OnRetry = (failure: unknown) => void;

type Fetch = (input: unknown, init?: unknown) => Promise<{ readonly status: number }>;
type ApiCall = (this: unknown, ...args: unknown[]) => unknown;

/** Where `apiCall` takes the `fetch` to use; it takes the global one without. */
const FETCH_AT = 5;

const retries = new AsyncLocalStorage<OnRetry>();

/** Runs a request whose attempts after the first are told. */
export function withRetryListener<R>(onRetry: OnRetry, run: () => R): R {
  return retries.run(onRetry, run);
}

/** The client's `apiCall`, whose attempts are counted within `withRetryListener`. */
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
