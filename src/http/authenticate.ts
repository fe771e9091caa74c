/**
 * Runs the application's `authenticate` callback. An error or a timeout never allows a request, and the request always gets
 * an answer.
 */
import { clearTimeout, setTimeout } from 'node:timers';
import { ConfigurationError, describe } from '../errors';
import { forLog, type LimitedWarnings } from '../warnings';

/** The request that `authenticate` decides about. */
export interface Visitor {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** The client's IP address; undefined for a Unix socket. */
  readonly remoteAddress: string | undefined;
  /** Headers; names are in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Decides if a request is allowed. Only `true` allows it. */
export type Authenticate = (visitor: Visitor) => boolean | Promise<boolean>;

/** Time limit of a callback. */
const AUTHENTICATE_TIMEOUT_MS = 2000;

const LATE = Symbol('late');

/** @throws {ConfigurationError} `INVALID_CONFIG` if `authenticate` is not a function */
export function checkAuthenticate(authenticate: unknown): void {
  if (authenticate === undefined || typeof authenticate === 'function') return;
  throw new ConfigurationError(
    'INVALID_CONFIG',
    `Expected a function for authenticate but received ${describe(authenticate)}`,
  );
}

/** Runs the callback. @returns true only if it returned `true`; undefined if it failed or took too long */
export async function asked(
  authenticate: Authenticate,
  visitor: Visitor,
  warnings: LimitedWarnings,
): Promise<boolean | undefined> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<typeof LATE>((resolve) => {
      // unref: this timer must not keep the process alive.
      timer = setTimeout(resolve, AUTHENTICATE_TIMEOUT_MS, LATE).unref();
    });
    const answer = await Promise.race([authenticate(visitor), late]);
    return answer === LATE ? undefined : answer === true;
  } catch (error) {
    warnings.warn('authenticate', () => `authenticate() failed: ${forLog(error)}`);
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
