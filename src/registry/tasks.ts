/**
 * Runs `collect()` callbacks and requests to foreign metrics side by side, within one time limit. One that throws or
 * hangs only costs the scrape its own values. Does not depend on metrics.
 */
import { performance } from 'node:perf_hooks';
import { unixMs } from '../clock';
import { ConfigurationError, describe, type MetricsErrorCode, messageOf } from '../errors';
import { addon } from '../native/addon';
import type { Logger } from '../types';
import { processLogger, WARNING_INTERVAL_MS } from '../warnings';

/** Characters of an error's message in a warning, with the mark of a cut. */
const SHOWN_CHARACTERS = 201;

/** A task is called again if its last call has not ended after this time. */
const REPEAT_MS = 1000;

/** The default time limit of a scrape: the default timeout of Prometheus. */
export const DEFAULT_TIMEOUT_MS = 10_000;

/** The longest delay of a Node.js timer; a longer one would fire at once. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** One callback that a scrape runs. */
export interface Task<R> {
  readonly name: string;
  run(): R | Promise<R>;
}

/** Runs the tasks of one registry, and warns of failures, at most once a minute for each task. */
export class TaskRunner {
  readonly #logger: Logger;
  readonly #failed: (name: string) => void;
  readonly #reported = new Map<string, number>();
  /** For each task the newest call, while it has not ended. */
  readonly #running = new Map<string, { call: Promise<unknown>; since: number }>();

  /** @param failed called with the name of each task that failed */
  constructor(logger: Logger, failed: (name: string) => void) {
    this.#logger = logger;
    this.#failed = failed;
  }

  /**
   * Runs the tasks side by side. The result of a task that failed or took too long is `undefined`.
   *
   * @param background true if waiting must not keep the process alive
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
    // A synchronous result needs no turn of the event loop.
    if (!isThenable(call)) return call;
    const outcome = await Promise.race([call, deadline.passed]);
    if (outcome !== TIMED_OUT) return outcome as R;
    this.#report(task.name, 'COLLECTOR_TIMEOUT', `took longer than ${deadline.ms} ms`);
    return undefined;
  }

  /**
   * Calls a task, or joins its newest call if that began less than a second ago, so that several scrapers do not call a
   * slow collector at once. An older call may never end, so the task is called again: at most once a second.
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
    // The message may contain a connection string with a password.
    this.#report(name, 'COLLECTOR_FAILED', `failed: ${addon.redactForLog(messageOf(error), SHOWN_CHARACTERS)}`);
  }

  #report(name: string, code: MetricsErrorCode, what: string): void {
    this.#failed(name);
    const now = unixMs();
    if (now - (this.#reported.get(name) ?? Number.NEGATIVE_INFINITY) < WARNING_INTERVAL_MS) return;
    this.#reported.set(name, now);
    this.warn(`${code}: collect() of "${name}" ${what}; its metric keeps the values it had`);
  }

  /** Logs a warning. If the logger throws, uses Node.js' warnings, so that the scrape succeeds. */
  warn(message: string): void {
    try {
      this.#logger.warn(message);
    } catch {
      processLogger.warn(message);
    }
  }
}

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

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
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
