/**
 * Runs `collect()` callbacks and requests to foreign metrics side by side, within one time limit. One that throws or
 * hangs only costs the scrape its own values. Does not depend on metrics.
 */
import { clearTimeout, setTimeout } from 'node:timers';
import { realMs, unixMs } from '../clock';
import { ConfigurationError, describe, type MetricsErrorCode } from '../errors';
import { Callback, isCalledFrom, isCalledFromCallback } from '../metrics/collecting';
import { isThenable } from '../read';
import type { Logger } from '../types';
import { forLog, LimitedWarnings, warnThrough } from '../warnings';

/** A task is called again if its last call has not ended after this time. */
const REPEAT_MS = 1000;

/** The default time limit of a scrape: the default timeout of Prometheus. */
export const DEFAULT_TIMEOUT_MS = 10_000;

/** The longest delay of a Node.js timer; a longer one would fire at once. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** One callback that a scrape runs. */
export interface Task<R> {
  readonly name: string;
  /** The metric that the callback belongs to. */
  readonly of: object;
  run(): R | Promise<R>;
}

/** How a scrape waits for tasks. */
export interface Wait {
  /** Milliseconds that the scrape waits. */
  readonly limitMs: number;
  /** Milliseconds after which a task has failed, if the scrape waits for less. @default limitMs */
  readonly allowedMs?: number;
  /** True if waiting must not keep the process alive. @default false */
  readonly isBackground?: boolean;
  /** The same object for all scrapes that arrived in one turn of the event loop: they share each task's result. */
  readonly turn?: object;
}

/** Runs the tasks of one registry, and warns of failures, at most once a minute for each task. */
export class TaskRunner {
  readonly #logger: Logger;
  readonly #failed: (name: string) => void;
  readonly #warnings = new LimitedWarnings((message) => this.warn(message), unixMs);
  /** Calls that are reported if they take longer than the registry allows, though their scrape has ended before. */
  readonly #followed = new WeakSet<object>();
  /** The synchronous results of the newest shared turn. */
  #turn: { readonly of: object; readonly results: Map<string, unknown> } | undefined;
  /** For each task the newest call, while it has not ended. */
  readonly #running = new Map<string, { promise: Promise<unknown>; callback: Callback; since: number }>();

  /** @param failed called with the name of each task that failed */
  constructor(logger: Logger, failed: (name: string) => void) {
    this.#logger = logger;
    this.#failed = failed;
  }

  /**
   * Runs the tasks side by side. The result of a task that failed or took too long is `undefined`.
   *
   * @param wait how long to wait, and how long a task may take
   */
  async run<R>(tasks: readonly Task<R>[], wait: Wait): Promise<(R | undefined)[]> {
    // A callback of this registry reads it: its scrape already runs the callbacks, so the values are shown as they are.
    if (isCalledFrom(this)) return [];
    const wanted = tasks.filter((task) => !isCalledFrom(task.of));
    if (wanted.length === 0) return [];
    const deadline = new Deadline(wait.limitMs, wait.isBackground === true);
    // Begins here, so that the engine does not begin and end to follow callbacks for each task.
    const reading = new Callback([]);
    try {
      return await Promise.all(wanted.map((task) => this.#runOne(task, deadline, wait)));
    } finally {
      reading.end();
      deadline.cancel();
    }
  }

  async #runOne<R>(task: Task<R>, deadline: Deadline, wait: Wait): Promise<R | undefined> {
    const call = this.#callInTurn(task, wait.turn);
    // A synchronous result needs no turn of the event loop.
    if ('value' in call) return call.value as R | undefined;
    const outcome = await Promise.race([call.promise, deadline.passed]);
    if (outcome !== TIMED_OUT) return outcome as R;
    const { allowedMs = deadline.ms } = wait;
    if (deadline.ms >= allowedMs) this.#reportTimeout(task.name, deadline.ms);
    else void this.#follow(task.name, call.promise, allowedMs, allowedMs - deadline.ms);
    return undefined;
  }

  /** Goes on waiting for a call whose scraper has not waited: only a call that takes longer than allowed has failed. */
  async #follow(name: string, call: PromiseLike<unknown>, allowedMs: number, restMs: number): Promise<void> {
    if (this.#followed.has(call)) return;
    this.#followed.add(call);
    const rest = new Deadline(restMs, true);
    const outcome = await Promise.race([call, rest.passed]);
    rest.cancel();
    if (outcome === TIMED_OUT) this.#reportTimeout(name, allowedMs);
  }

  /** Calls a task, or takes its result if another scrape of the same turn has called it. */
  #callInTurn<R>(task: Task<R>, turn: object | undefined): Call<R | undefined> {
    if (turn === undefined) return this.#call(task);
    if (this.#turn?.of !== turn) this.#turn = { of: turn, results: new Map() };
    const { results } = this.#turn;
    if (!results.has(task.name)) results.set(task.name, this.#call(task));
    return results.get(task.name) as Call<R | undefined>;
  }

  /**
   * Calls a task, or joins its newest call if that began less than a second ago, so that several scrapers do not call a
   * slow collector at once. An older call may never end, so the task is called again: at most once a second. A callback
   * that reads another registry does not join a call, which may in turn wait for the callback.
   */
  #call<R>(task: Task<R>): Call<R | undefined> {
    const running = this.#running.get(task.name);
    const now = realMs();
    if (running !== undefined && now - running.since < REPEAT_MS && !isCalledFromCallback()) {
      return { promise: running.promise as Promise<R | undefined> };
    }
    const callback = new Callback([this, task.of]);
    try {
      const result = callback.call(() => task.run());
      if (!isThenable(result)) {
        callback.end();
        return { value: result };
      }
      const promise = this.#settle(task.name, result, callback);
      this.#running.set(task.name, { promise, callback, since: now });
      return { promise };
    } catch (error) {
      callback.end();
      return { value: this.#reportFailure(task.name, error) };
    }
  }

  /** Awaits a callback. An async function, because a global `Promise` may have been replaced. */
  async #settle<R>(name: string, result: PromiseLike<R>, callback: Callback): Promise<R | undefined> {
    try {
      return await result;
    } catch (error) {
      return this.#reportFailure(name, error);
    } finally {
      callback.end();
      const running = this.#running.get(name);
      if (running?.callback === callback) this.#running.delete(name);
    }
  }

  #reportFailure(name: string, error: unknown): undefined {
    this.#report(name, 'COLLECTOR_FAILED', `failed: ${forLog(error)}`);
  }

  #reportTimeout(name: string, ms: number): void {
    this.#report(name, 'COLLECTOR_TIMEOUT', `took longer than ${ms} ms`);
  }

  #report(name: string, code: MetricsErrorCode, what: string): void {
    this.#failed(name);
    this.#warnings.warn(name, () => `${code}: collect() of "${name}" ${what}; its metric keeps the values it had`);
  }

  /** Logs a warning. If the logger fails, uses Node.js' warnings, so that the scrape succeeds. */
  warn(message: string): void {
    warnThrough(this.#logger, message);
  }
}

/** The outcome of a synchronous callback, or the promise of another. */
type Call<R> = { readonly value: R } | { readonly promise: Promise<R> };

const TIMED_OUT = Symbol('timed out');

/** The time limit of all tasks of one scrape, with a single timer. */
class Deadline {
  readonly passed: Promise<typeof TIMED_OUT>;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    readonly ms: number,
    background: boolean,
  ) {
    this.passed = new Promise((resolve) => {
      // Set after all tasks have begun: a task may count the timers that keep the event loop alive.
      Promise.resolve().then(() => {
        this.#timer = setTimeout(resolve, ms, TIMED_OUT);
        if (background) this.#timer.unref();
      });
    });
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }
}

/**
 * Checks a time limit and fills in the default.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` for an invalid duration
 */
export function checkedTimeout(ms: number | undefined): number {
  if (ms === undefined) return DEFAULT_TIMEOUT_MS;
  if (typeof ms === 'number' && ms > 0 && Number.isFinite(ms)) return Math.min(ms, LONGEST_TIMEOUT_MS);
  throw new ConfigurationError(
    'INVALID_CONFIG',
    `Expected milliseconds above 0 for timeoutMs but received ${describe(ms)}`,
  );
}
