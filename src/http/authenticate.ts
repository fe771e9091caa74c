/**
 * A callback that says who may come in. Whatever it does, the request gets an answer: nobody comes in by an error.
 */
import { clearTimeout, setTimeout } from 'node:timers';
import { ConfigurationError, describe, messageOf } from '../errors';

/** Who wants to come in. */
export interface Visitor {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** The address of the connection's other end; nothing behind a Unix socket. */
  readonly remoteAddress: string | undefined;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Says whether somebody may come in. */
export type Authenticate = (visitor: Visitor) => boolean | Promise<boolean>;

/** How long a callback may take. */
const AUTHENTICATE_TIMEOUT_MS = 2000;

const LATE = Symbol('late');

/** @throws {ConfigurationError} `INVALID_CONFIG` */
export function checkAuthenticate(authenticate: unknown): void {
  if (authenticate === undefined || typeof authenticate === 'function') return;
  throw new ConfigurationError(
    'INVALID_CONFIG',
    `Expected a function for authenticate but received ${describe(authenticate)}`,
  );
}

/** Asks the callback; `undefined` where it failed or took too long. Only `true` is yes. */
export async function asked(
  authenticate: Authenticate,
  visitor: Visitor,
  warn: (message: string) => void,
): Promise<boolean | undefined> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<typeof LATE>((resolve) => {
      // The request keeps the process alive, if anything does.
      timer = setTimeout(resolve, AUTHENTICATE_TIMEOUT_MS, LATE).unref();
    });
    const answer = await Promise.race([authenticate(visitor), late]);
    return answer === LATE ? undefined : answer === true;
  } catch (error) {
    warn(`authenticate() failed: ${messageOf(error)}`);
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
