/**
 * Watches the HTTP requests of a call, which the SDK's results do not show: its own retries, and a failure that a body with
 * status 200 reports.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { now, secondsSince } from '../../clock';
import type { LlmMetricsCollector } from '../../collectors/llm/llm-collector';
import { asPromise, isPromise, read } from '../../read';
import { quietly } from '../../warnings';
import { findFailure } from '../failure';
import { observeIteratorInPlace } from '../iteration';
import type { Around, Patches } from '../patches';

/** Receives what happens within a call. */
export interface WireListener {
  /** Another attempt begins. @param failure the error of the attempt before, or an object with its `status` */
  retried(failure: unknown): void;
  /** Receives the duration of each attempt, to the headers of its answer or its failure; undefined if no metric needs it. */
  readonly timed: ((durationMs: number) => void) | undefined;
  /** An attempt was answered. */
  answered(status: number): void;
  /** The body of an answer, or of a chunk, reports a failure that the SDK drops. */
  reported(failure: unknown): void;
}

type Fetch = (input: unknown, init?: unknown) => Promise<{ readonly status: number }>;

/** An answer, or a chunk, before the SDK reads its body. */
interface HttpBody {
  json: () => Promise<unknown>;
}

/** The parameter of `apiCall` that holds the `fetch` to use; the default is the global one. */
const FETCH_AT = 5;

/** The listeners of the running call, by collector. */
const listeners = new AsyncLocalStorage<ReadonlyMap<LlmMetricsCollector, WireListener>>();

/** Runs a call, and tells a listener what happens within it. */
export function withWireListener<R>(collector: LlmMetricsCollector, listener: WireListener, run: () => R): R {
  return listeners.run(new Map(listeners.getStore()).set(collector, listener), run);
}

/** Wraps the methods of the SDK's HTTP client. */
export function watchWire(patches: Patches, apiClient: unknown, collector: LlmMetricsCollector): void {
  const whileListening =
    (watch: (original: Parameters<Around>[0], args: readonly unknown[], listener: WireListener) => unknown): Around =>
    (original, args) => {
      const listener = listeners.getStore()?.get(collector);
      return listener === undefined ? original() : watch(original, args, listener);
    };
  const apiCall = whileListening((original, args, listener) => {
    const given = [...args];
    given[FETCH_AT] = countFetches((args[FETCH_AT] ?? fetch) as Fetch, listener);
    return original(given);
  });
  const request = whileListening((original, _args, listener) => {
    const sent = original();
    if (!isPromise(sent)) return sent;
    return asPromise(sent).then((answer) => {
      quietly(() => watchAnswer(answer, listener));
      return answer;
    });
  });
  patches.wrap(apiClient, 'apiCall', apiCall);
  patches.wrap(apiClient, 'request', request);
  patches.wrap(apiClient, 'requestStream', request);
}

function watchAnswer(answer: unknown, listener: WireListener): void {
  if (typeof read(answer, 'next') !== 'function') {
    watchBody(answer as HttpBody, listener);
    return;
  }
  const nothing = () => {};
  observeIteratorInPlace(answer as AsyncIterator<HttpBody>, {
    value: (chunk) => watchBody(chunk, listener),
    done: nothing,
    failed: nothing,
    left: nothing,
  });
}

function watchBody(answer: HttpBody, listener: WireListener): void {
  const { json } = answer;
  if (typeof json !== 'function') return;
  answer.json = async () => {
    const body = await json.call(answer);
    quietly(() => {
      const failure = findFailure(body);
      if (failure !== undefined) listener.reported(failure);
    });
    return body;
  };
}

function countFetches(send: Fetch, listener: WireListener): Fetch {
  let failure: unknown;
  return (input, init) => {
    const before = failure;
    if (before !== undefined) quietly(() => listener.retried(before));
    const { timed } = listener;
    const start = timed === undefined ? undefined : now();
    const sent = send(input, init);
    const ended = () => {
      if (start !== undefined) quietly(() => timed?.(secondsSince(start) * 1000));
    };
    sent.then(
      ({ status }) => {
        failure = { status };
        ended();
        listener.answered(status);
      },
      (error: unknown) => {
        failure = error;
        ended();
      },
    );
    return sent;
  };
}
