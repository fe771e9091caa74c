/**
 * Readiness checks: named functions of the application that say whether it can serve. Each runs on its own and has the
 * same time, so that one that hangs makes the answer late by that time and no more.
 */
import { clearTimeout, setTimeout } from 'node:timers';
import { ConfigurationError, describe, messageOf } from '../errors';
import type { CheckResult } from '../native/addon';

/** Says whether a part of the application is ready: not if it returns `false`, throws or rejects. */
export type ReadinessCheck = () => unknown;

/** Checks by name. */
export type ReadinessChecks = Readonly<Record<string, ReadinessCheck>>;

/** A reason of a hundred characters says what is wrong; a longer one is cut. */
const MAX_REASON = 100;

/** @throws {ConfigurationError} `INVALID_CONFIG` */
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

/** Runs that have not ended, which probes share: nobody can have checks run as often as he asks. */
const running = new WeakMap<ReadinessChecks, Promise<CheckResult[]>>();

/** Runs all checks side by side, or joins the run that is going on. */
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
