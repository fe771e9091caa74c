/**
 * Runs the application's `authenticate` callback. An error or a timeout never allows a request, and the request always gets
 * an answer.
 */
import { clearTimeout, setTimeout } from 'node:timers';
import { ConfigurationError } from '../errors';
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
  // The value may be a secret, so it is not shown.
  throw new ConfigurationError(
    'INVALID_CONFIG',
    `Expected a function for authenticate but received something of type ${typeof authenticate}`,
  );
}

/** Headers that Node.js shows once: it ignores further ones. */
const SINGLE_HEADERS = new Set([
  ...['age', 'authorization', 'content-length', 'content-type', 'etag', 'expires', 'from', 'host'],
  ...['if-modified-since', 'if-unmodified-since', 'last-modified', 'location', 'max-forwards'],
  ...['proxy-authorization', 'referer', 'retry-after', 'server', 'user-agent'],
]);

/** Headers as Node.js' own servers show them, so that `authenticate` sees the same behind every door. @param flat names and values in turn */
export function joinedHeaders(flat: readonly string[]): Visitor['headers'] {
  const headers: Record<string, string | string[]> = {};
  for (let at = 0; at < flat.length; at += 2) {
    const [name, value] = [flat[at], flat[at + 1]];
    // A client may send any name, such as `constructor`.
    const before = Object.hasOwn(headers, name) ? headers[name] : undefined;
    if (name === 'set-cookie') headers[name] = [...((before as string[] | undefined) ?? []), value];
    else if (before === undefined) headers[name] = value;
    else if (!SINGLE_HEADERS.has(name)) headers[name] = `${before}${name === 'cookie' ? '; ' : ', '}${value}`;
  }
  return headers;
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
