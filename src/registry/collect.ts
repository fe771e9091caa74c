/**
 * Runs what a scrape asks JavaScript for: `collect()` callbacks and foreign metrics, each on its own and each with
 * the same budget, so that one that throws or hangs costs the scrape nothing but its own values.
 */
import { ConfigurationError, describe, type MetricsErrorCode, messageOf } from '../errors';
import type { Logger } from '../types';

/** A warning about the same collector is not repeated within this time. */
const SILENCE_MS = 60_000;

/** What a scrape waits for where nobody says how long it may take: Prometheus' default timeout. */
export const DEFAULT_TIMEOUT_MS = 10_000;

/** Timers of Node.js take no more; a longer one would fire at once. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** Warnings of the library go to Node.js' own, unless a logger is given. */
export const processLogger: Logger = {
  warn: (message) => process.emitWarning(message, 'PrometheusMetricsWarning'),
};

/** One thing that a scrape asks for. */
export interface Task<R> {
  readonly name: string;
  run(): R | Promise<R>;
}

/** Runs tasks, reports failures, and says when each was last reported. */
export class Collectors {
  readonly #logger: Logger;
  readonly #failed: (name: string) => void;
  readonly #reported = new Map<string, number>();
  /** Calls that have not ended, nor outlived a scrape's patience. */
  readonly #running = new Map<string, Promise<unknown>>();

  /** @param failed is told the name of each task that failed */
  constructor(logger: Logger, failed: (name: string) => void) {
    this.#logger = logger;
    this.#failed = failed;
  }

  /** Runs the tasks side by side; the results of those that failed or took too long are `undefined`. */
  async run<R>(tasks: readonly Task<R>[], timeoutMs: number): Promise<(R | undefined)[]> {
    if (tasks.length === 0) return [];
    const deadline = new Deadline(timeoutMs);
    try {
      return await Promise.all(tasks.map((task) => this.#runOne(task, deadline)));
    } finally {
      deadline.cancel();
    }
  }

  async #runOne<R>(task: Task<R>, deadline: Deadline): Promise<R | undefined> {
    const call = this.#call(task);
    // What is no promise needs no turn of the loop.
    if (!isThenable(call)) return call;
    const outcome = await Promise.race([call, deadline.passed]);
    if (outcome !== TIMED_OUT) return outcome as R;
    // The next scrape calls again: what this one waited for may never end.
    if (this.#running.get(task.name) === call) this.#running.delete(task.name);
    this.#report(task.name, 'COLLECTOR_TIMEOUT', `took longer than ${deadline.ms} ms`);
    return undefined;
  }

  /** Calls a task, or joins its call that is going on: a slow collector is not called by each scraper anew. */
  #call<R>(task: Task<R>): R | undefined | Promise<R | undefined> {
    const running = this.#running.get(task.name);
    if (running !== undefined) return running as Promise<R | undefined>;
    try {
      const result = task.run();
      if (!isThenable(result)) return result;
      const call: Promise<R | undefined> = Promise.resolve(result)
        .catch((error: unknown) => this.#reportFailure(task.name, error))
        .finally(() => {
          if (this.#running.get(task.name) === call) this.#running.delete(task.name);
        });
      this.#running.set(task.name, call);
      return call;
    } catch (error) {
      return this.#reportFailure(task.name, error);
    }
  }

  #reportFailure(name: string, error: unknown): undefined {
    const text = messageOf(error);
    this.#report(name, 'COLLECTOR_FAILED', `failed: ${text.length > 200 ? `${text.slice(0, 200)}…` : text}`);
  }

  #report(name: string, code: MetricsErrorCode, what: string): void {
    this.#failed(name);
    const now = Date.now();
    if (now - (this.#reported.get(name) ?? Number.NEGATIVE_INFINITY) < SILENCE_MS) return;
    this.#reported.set(name, now);
    this.warn(`${code}: collect() of "${name}" ${what}; its metric keeps the values it had`);
  }

  /** Warns; a logger that throws is no reason to fail a scrape. */
  warn(message: string): void {
    try {
      this.#logger.warn(message);
    } catch {
      processLogger.warn(message);
    }
  }
}

const TIMED_OUT = Symbol('timed out');

/** One timer for all tasks of a scrape. */
class Deadline {
  readonly passed: Promise<typeof TIMED_OUT>;
  #timer: NodeJS.Timeout | undefined;

  constructor(readonly ms: number) {
    this.passed = new Promise((resolve) => {
      // Once all tasks are begun: one of them may count what keeps the event loop alive.
      Promise.resolve().then(() => {
        this.#timer = setTimeout(resolve, ms, TIMED_OUT);
      });
    });
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** @throws {ConfigurationError} `INVALID_CONFIG` for what is no duration */
export function checkedTimeout(ms: number | undefined): number {
  if (ms === undefined) return DEFAULT_TIMEOUT_MS;
  if (typeof ms === 'number' && ms > 0 && Number.isFinite(ms)) return Math.min(ms, LONGEST_TIMEOUT_MS);
  throw new ConfigurationError(
    'INVALID_CONFIG',
    `Expected milliseconds above 0 for timeoutMs but received ${describe(ms)}`,
  );
}
