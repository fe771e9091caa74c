/**
 * Runs the application's readiness checks. All checks run concurrently with the same time limit, so a check that hangs
 * delays the answer by that limit at most.
 */
import { clearTimeout, setTimeout } from 'node:timers';
import { ConfigurationError, describe, messageOf } from '../errors';
import type { CheckResult } from '../native/addon';

/** Checks a part of the application. The part is not ready if the function returns `false`, throws or rejects. */
export type ReadinessCheck = () => unknown;

/** Checks by name. */
export type ReadinessChecks = Readonly<Record<string, ReadinessCheck>>;

/** Characters of a reason that are shown. */
const MAX_REASON = 100;

/** @throws {ConfigurationError} `INVALID_CONFIG` if `checks` is not an object of functions */
export function checkChecks(checks: unknown): void {
  if (checks === undefined) return;
  const usable =
    typeof checks === 'object' &&
    checks !== null &&
    Object.values(checks).every((check: unknown) => typeof check === 'function');
  if (usable) return;
  throw new ConfigurationError(
    'INVALID_CONFIG',
    `Expected an object of functions for checks but received ${describe(checks)}`,
  );
}

/** Runs that have not ended. Concurrent probes share one run, so that frequent probes do not overload the checks. */
const running = new WeakMap<ReadinessChecks, Promise<CheckResult[]>>();

/** Runs all checks concurrently, or joins the current run. */
export function runChecks(checks: ReadinessChecks, timeoutMs: number): Promise<CheckResult[]> {
  let run = running.get(checks);
  if (run === undefined) {
    run = Promise.all(Object.entries(checks).map(([name, check]) => runCheck(name, check, timeoutMs)));
    running.set(checks, run);
    void run.finally(() => running.delete(checks));
  }
  return run;
}

async function runCheck(name: string, check: ReadinessCheck, timeoutMs: number): Promise<CheckResult> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<CheckResult>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, { name, outcome: 'timeout', reason: '' }).unref();
  });
  try {
    const outcome = Promise.resolve(check()).then((ready): CheckResult => {
      return ready === false ? { name, outcome: 'failed', reason: 'not ready' } : { name, outcome: 'ok', reason: '' };
    });
    return await Promise.race([outcome, late]);
  } catch (error) {
    const reason = typeof error === 'string' ? error : messageOf(error);
    return { name, outcome: 'failed', reason: reason.slice(0, MAX_REASON) || 'failed' };
  } finally {
    clearTimeout(timer);
  }
}
