/**
 * Runs the application's readiness checks. All checks run concurrently with the same time limit, so a check that hangs
 * delays the answer by that limit at most.
 */
import { performance } from 'node:perf_hooks';
import { clearTimeout, setTimeout } from 'node:timers';
import { ConfigurationError, describe, messageOf } from '../errors';
import type { CheckResult } from '../native/addon';
import { forLog, type LimitedWarnings, oneLine, withoutNamedSecrets } from '../warnings';

/** Checks a part of the application. The part is not ready if the function returns `false`, throws or rejects. */
export type ReadinessCheck = () => unknown;

/** Checks by name. */
export type ReadinessChecks = Readonly<Record<string, ReadinessCheck>>;

/** Runs a second that clients can cause. Further probes get the newest results. */
const MAX_RUNS_PER_SECOND = 10;

/** A check whose last call has not ended is called again only after this time, because it may never end. */
const REPEAT_MS = 10_000;

type NamedCheck = readonly [name: string, check: ReadinessCheck];

/** The runners of doors, by the object that the program has passed. All doors with the same checks share one. */
const runners = new WeakMap<object, CheckRunner>();

/**
 * The runner of these checks. They are read here and not later, because getters and proxies may fail.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` if `checks` is not an object of functions
 */
export function checkRunner(checks: unknown): CheckRunner {
  if (checks === undefined) return new CheckRunner([]);
  const entries = namedChecks(checks);
  if (entries === undefined) {
    throw new ConfigurationError(
      'INVALID_CONFIG',
      `Expected an object of functions for checks but received ${describe(checks)}`,
    );
  }
  const known = runners.get(checks as object);
  if (known?.has(entries) === true) return known;
  const runner = new CheckRunner(entries);
  runners.set(checks as object, runner);
  return runner;
}

/** The checks of an object; `undefined` if it has others, or hides them: a `Map`, or an object with methods. */
function namedChecks(checks: unknown): NamedCheck[] | undefined {
  if (typeof checks !== 'object' || checks === null) return undefined;
  const entries = Object.entries(checks);
  if (entries.some(([, check]) => typeof check !== 'function')) return undefined;
  const prototype: unknown = Object.getPrototypeOf(checks);
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  return entries.length > 0 || isPlain ? entries : undefined;
}

/** Runs the checks of one object. */
export class CheckRunner {
  readonly #checks: readonly NamedCheck[];
  /** The current run, or the newest. */
  #run: Promise<CheckResult[]> | undefined;
  #isRunning = false;
  /** The beginning of the current second, and the runs in it. */
  #second = 0;
  #runs = 0;
  /** When the calls began that have not ended, by the name of their check. */
  readonly #open = new Map<string, { readonly since: number }>();

  constructor(checks: readonly NamedCheck[]) {
    this.#checks = checks;
  }

  get isEmpty(): boolean {
    return this.#checks.length === 0;
  }

  /** True if these are its checks. */
  has(checks: readonly NamedCheck[]): boolean {
    const own = this.#checks;
    return (
      own.length === checks.length && checks.every(([name, check], at) => own[at][0] === name && own[at][1] === check)
    );
  }

  /** Runs all checks concurrently, joins the current run, or takes the newest results if there were too many runs. */
  run(timeoutMs: number, warnings: LimitedWarnings): Promise<CheckResult[]> {
    const now = performance.now();
    if (now - this.#second >= 1000) [this.#second, this.#runs] = [now, 0];
    if (this.#run !== undefined && (this.#isRunning || this.#runs >= MAX_RUNS_PER_SECOND)) return this.#run;
    this.#runs++;
    this.#run = this.#runAll(timeoutMs, warnings);
    return this.#run;
  }

  async #runAll(timeoutMs: number, warnings: LimitedWarnings): Promise<CheckResult[]> {
    this.#isRunning = true;
    try {
      return await Promise.all(this.#checks.map(([name, check]) => this.#runOne(name, check, timeoutMs, warnings)));
    } finally {
      this.#isRunning = false;
    }
  }

  async #runOne(
    name: string,
    check: ReadinessCheck,
    timeoutMs: number,
    warnings: LimitedWarnings,
  ): Promise<CheckResult> {
    const late: CheckResult = { name, outcome: 'timeout', reason: '' };
    const open = this.#open.get(name);
    if (open !== undefined && performance.now() - open.since < REPEAT_MS) return late;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<CheckResult>((resolve) => {
      timer = setTimeout(resolve, timeoutMs, late).unref();
    });
    try {
      const isReady = await Promise.race([this.#call(name, check), limit]);
      if (isReady === late) {
        warnings.warn(`check ${name}`, () => `Readiness check "${oneLine(name)}" took longer than ${timeoutMs} ms`);
        return late;
      }
      if (isReady === false) return { name, outcome: 'failed', reason: 'not ready' };
      return { name, outcome: 'ok', reason: '' };
    } catch (error) {
      warnings.warn(`check ${name}`, () => `Readiness check "${oneLine(name)}" failed: ${forLog(error)}`);
      const reason = typeof error === 'string' ? error : messageOf(error);
      // The core hides further secrets, cuts what it shows, and shows it only to clients with credentials.
      return { name, outcome: 'failed', reason: withoutNamedSecrets(reason) || 'failed' };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Calls a check, and remembers the call until it has ended. */
  async #call(name: string, check: ReadinessCheck): Promise<unknown> {
    const call = { since: performance.now() };
    this.#open.set(name, call);
    try {
      return await check();
    } finally {
      if (this.#open.get(name) === call) this.#open.delete(name);
    }
  }
}
