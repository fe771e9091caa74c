/**
 * What every JavaScript door shares: a request in the words of HTTP, and its answer. Knows no server; what is
 * answered, the core decides.
 */
import { ConfigurationError, describe } from '../errors';
import { addon, type NativeBody } from '../native/addon';
import { checkedTimeout } from '../registry/collect';
import { checkScope, Registry, toHeaders } from '../registry/registry';

/** Settings of a door. */
export interface DoorOptions {
  /** What is scraped. @default register */
  registry?: Registry;
  /** The path of the exposition. @default '/metrics' */
  path?: string;
  /** How long collectors may take where the scraper does not say. @default 10000 */
  timeoutMs?: number;
  /** As in `registry.scrape()`. */
  scope?: 'process' | 'own';
}

/** A request, as a door sees it. */
export interface DoorRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** The address at the other end of the connection. */
  readonly peer: string | undefined;
  /** A header by its name in lower case. */
  header(name: string): string | undefined;
}

/** What is to be sent; for HEAD too with the body of GET. */
export interface DoorAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Record<string, string>;
  readonly body: Buffer | NativeBody;
}

/** What is left of a scraper's timeout for collectors: the answer has to be written and sent in the rest. */
const COLLECTOR_SHARE = 0.9;

/** Answers the exposition's path, `/health` and `/ready`. */
export class Door {
  readonly #registry: Registry;
  readonly #path: string;
  readonly #timeoutMs: number | undefined;
  readonly #scope: 'process' | 'own' | undefined;
  #ready = true;

  /** @throws {ConfigurationError} `INVALID_CONFIG` */
  constructor(options: DoorOptions = {}) {
    const { registry = Registry.globalRegistry, path = '/metrics', timeoutMs, scope } = options;
    if (!(registry instanceof Registry)) {
      throw new ConfigurationError(
        'INVALID_CONFIG',
        `Expected a Registry for registry but received ${describe(registry)}`,
      );
    }
    if (typeof path !== 'string' || !path.startsWith('/')) {
      throw new ConfigurationError(
        'INVALID_CONFIG',
        `Expected a path that begins with / but received ${describe(path)}`,
      );
    }
    checkedTimeout(timeoutMs);
    checkScope(scope);
    this.#registry = registry;
    this.#path = path;
    this.#timeoutMs = timeoutMs;
    this.#scope = scope;
  }

  /** The answer; `null` where the path is none of the door's. */
  async answer(request: DoorRequest): Promise<DoorAnswer | null> {
    const { method, target } = request;
    const answer = addon.answer(method, target, this.#path, this.#ready);
    if (answer === null) {
      return this.#registry.scrapeForDoor({
        accept: request.header('accept'),
        acceptEncoding: request.header('accept-encoding') ?? '',
        names: namesIn(target),
        timeoutMs: timeoutOf(request) ?? this.#timeoutMs,
        scope: this.#scope,
      });
    }
    if (answer.status === 404) return null;
    return { status: answer.status, headers: toHeaders(answer.headers, answer.body), body: answer.body };
  }

  /** What `/ready` answers: 200 or 503. Ready from the start. */
  setReady(ready: boolean): void {
    this.#ready = ready;
  }
}

function namesIn(target: string): string[] {
  const query = target.indexOf('?');
  return query < 0 ? [] : new URLSearchParams(target.slice(query)).getAll('name[]');
}

/** What the scraper's timeout leaves to collectors; nothing where it says none. */
function timeoutOf(request: DoorRequest): number | undefined {
  const seconds = Number(request.header('x-prometheus-scrape-timeout-seconds'));
  return seconds > 0 && Number.isFinite(seconds) ? seconds * 1000 * COLLECTOR_SHARE : undefined;
}

/** A stream takes a tenth of a millisecond for a piece of this size, and the loop turns between two of them. */
const PIECE_BYTES = 64 * 1024;

/** A body piece by piece; its memory is given back when all were read, or the reader stops. */
export async function* piecesOf(body: Buffer | NativeBody): AsyncGenerator<Buffer, void, undefined> {
  if (!(body instanceof addon.NativeBody)) {
    yield body;
    return;
  }
  try {
    for (let at = 0; at < body.length; ) {
      // Each its own: a reader may hold several.
      const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
      const count = body.read(at, piece);
      if (count === 0) return;
      at += count;
      yield piece.subarray(0, count);
    }
  } finally {
    body.release();
  }
}
