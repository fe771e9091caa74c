/**
 * Runs what a scrape asks JavaScript for: `collect()` callbacks and foreign metrics, each on its own and each with
 * the same budget, so that one that throws or hangs costs the scrape nothing but its own values.
 */
import { performance } from 'node:perf_hooks';
import { unixMs } from '../clock';
import { ConfigurationError, describe, type MetricsErrorCode, messageOf } from '../errors';
import { addon } from '../native/addon';
import { processLogger } from '../quietly';
import type { Logger } from '../types';

/** A warning about the same collector is not repeated within this time. */
const SILENCE_MS = 60_000;

/** Characters of an error's message that a warning shows, the mark of a cut included. */
const SHOWN_CHARACTERS = 201;

/** A call that has not ended after this long is made again. */
const REPEAT_MS = 1000;

/** What a scrape waits for where nobody says how long it may take: Prometheus' default timeout. */
export const DEFAULT_TIMEOUT_MS = 10_000;

/** Timers of Node.js take no more; a longer one would fire at once. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** One thing that a scrape asks for. */
export interface Task<R> {
  readonly name: string;
  run(): R | Promise<R>;
}

/** Runs tasks, reports failures, and says when each was last reported. */
export class TaskRunner {
  readonly #logger: Logger;
  readonly #failed: (name: string) => void;
  readonly #reported = new Map<string, number>();
  /** The newest call of each task that has not ended. */
  readonly #running = new Map<string, { call: Promise<unknown>; since: number }>();

  /** @param failed is told the name of each task that failed */
  constructor(logger: Logger, failed: (name: string) => void) {
    this.#logger = logger;
    this.#failed = failed;
  }

  /**
   * Runs the tasks side by side; the results of those that failed or took too long are `undefined`.
   *
   * @param background whether waiting is no reason to keep the process alive
   */
  async run<R>(tasks: readonly Task<R>[], timeoutMs: number, background: boolean): Promise<(R | undefined)[]> {
    if (tasks.length === 0) return [];
    const deadline = new Deadline(timeoutMs, background);
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
    this.#report(task.name, 'COLLECTOR_TIMEOUT', `took longer than ${deadline.ms} ms`);
    return undefined;
  }

  /**
   * Calls a task, or joins its newest call that is going on: a slow collector is not called by each scraper anew. A call
   * that has lasted may never end, so after a second another is made; however short scrapers' patience, one a second.
   */
  #call<R>(task: Task<R>): R | undefined | Promise<R | undefined> {
    const running = this.#running.get(task.name);
    const now = performance.now();
    if (running !== undefined && now - running.since < REPEAT_MS) return running.call as Promise<R | undefined>;
    try {
      const result = task.run();
      if (!isThenable(result)) return result;
      const call: Promise<R | undefined> = Promise.resolve(result)
        .catch((error: unknown) => this.#reportFailure(task.name, error))
        .finally(() => {
          if (this.#running.get(task.name)?.call === call) this.#running.delete(task.name);
        });
      this.#running.set(task.name, { call, since: now });
      return call;
    } catch (error) {
      return this.#reportFailure(task.name, error);
    }
  }

  #reportFailure(name: string, error: unknown): undefined {
    // What was thrown may have a connection string in it.
    this.#report(name, 'COLLECTOR_FAILED', `failed: ${addon.redactForLog(messageOf(error), SHOWN_CHARACTERS)}`);
  }

  #report(name: string, code: MetricsErrorCode, what: string): void {
    this.#failed(name);
    const now = unixMs();
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

  constructor(
    readonly ms: number,
    background: boolean,
  ) {
    this.passed = new Promise((resolve) => {
      // Once all tasks are begun: one of them may count what keeps the event loop alive.
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
