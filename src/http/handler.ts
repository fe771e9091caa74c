/**
 * The JavaScript door: answers scrapes, health and readiness on a server of the application's own. It carries bytes;
 * what is answered, the core decides.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ConfigurationError, describe } from '../errors';
import { addon, type NativeBody } from '../native/addon';
import { checkedTimeout } from '../registry/collect';
import { checkScope, Registry, type ScrapeOptions, toHeaders } from '../registry/registry';

/** Settings of a handler. */
export interface MetricsHandlerOptions {
  /** What is scraped. @default register */
  registry?: Registry;
  /** The path of the exposition. @default '/metrics' */
  path?: string;
  /** How long collectors may take where the scraper does not say. @default 10000 */
  timeoutMs?: number;
  /** As in `registry.scrape()`. */
  scope?: 'process' | 'own';
}

/** Answers the exposition's path, `/health` and `/ready`; calls `next` for the rest, or answers 404 without one. */
export interface MetricsHandler {
  (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void): void;
  /** What `/ready` answers: 200 or 503. Ready from the start. */
  setReady(ready: boolean): void;
}

/** What is left of a scraper's timeout for collectors: the answer has to be written and sent in the rest. */
const COLLECTOR_SHARE = 0.9;

/**
 * A handler for `node:http`, Express and whatever calls `(req, res, next)`.
 *
 * @example
 * http.createServer(createMetricsHandler()).listen(9090);
 * @throws {ConfigurationError} `INVALID_CONFIG`
 */
export function createMetricsHandler(options: MetricsHandlerOptions = {}): MetricsHandler {
  const { registry = Registry.globalRegistry, path = '/metrics', timeoutMs, scope } = options;
  if (!(registry instanceof Registry)) {
    throw new ConfigurationError(
      'INVALID_CONFIG',
      `Expected a Registry for registry but received ${describe(registry)}`,
    );
  }
  if (typeof path !== 'string' || !path.startsWith('/')) {
    throw new ConfigurationError('INVALID_CONFIG', `Expected a path that begins with / but received ${describe(path)}`);
  }
  checkedTimeout(timeoutMs);
  checkScope(scope);
  let ready = true;

  const handler = (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void): void => {
    const target = request.url ?? '/';
    const answer = addon.answer(request.method ?? 'GET', target, path, ready);
    if (answer === null) {
      registry
        .scrapeForDoor({ ...scrapeOptions(request, target), timeoutMs: timeoutOf(request) ?? timeoutMs, scope })
        .then(({ status, headers, body }) => send(request, response, status, headers, body))
        .catch((error: unknown) => fail(response, next, error));
    } else if (answer.status === 404 && next !== undefined) {
      next();
    } else {
      send(request, response, answer.status, toHeaders(answer.headers, answer.body), answer.body);
    }
  };
  return Object.assign(handler, {
    setReady(value: boolean) {
      ready = value;
    },
  });
}

/** What a request's headers and query say about the scrape. */
function scrapeOptions({ headers }: IncomingMessage, target: string): ScrapeOptions {
  const query = target.indexOf('?');
  const names = query < 0 ? [] : new URLSearchParams(target.slice(query)).getAll('name[]');
  return {
    accept: headers.accept,
    acceptEncoding: String(headers['accept-encoding'] ?? ''),
    names,
  };
}

/** What the scraper's timeout leaves to collectors; nothing where it says none. */
function timeoutOf({ headers }: IncomingMessage): number | undefined {
  const seconds = Number(headers['x-prometheus-scrape-timeout-seconds']);
  return seconds > 0 && Number.isFinite(seconds) ? seconds * 1000 * COLLECTOR_SHARE : undefined;
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body: Buffer | NativeBody,
): void {
  // The scraper may have gone while its scrape was made.
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, headers);
  if (request.method === 'HEAD') response.end();
  else if (body instanceof addon.NativeBody) sendInPieces(response, body);
  else response.end(body);
}

/**
 * Handing Node.js 10 MB at once stops the loop for milliseconds while the socket takes them; a piece takes a tenth of
 * one, and the loop turns between two of them.
 */
const PIECE_BYTES = 64 * 1024;

/** Sends a body from native memory through one buffer that every piece uses in turn. */
function sendInPieces(response: ServerResponse, body: NativeBody): void {
  const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  let at = 0;
  const more = (): void => {
    const count = body.read(at, piece);
    at += count;
    const chunk = piece.subarray(0, count);
    if (count < PIECE_BYTES || at === body.length) response.end(chunk);
    // Called once the socket has taken the piece, or will take no more of them.
    else response.write(chunk, (error) => (error ? undefined : setImmediate(more)));
  };
  response.once('close', () => body.release());
  more();
}

function fail(response: ServerResponse, next: ((error?: unknown) => void) | undefined, error: unknown): void {
  if (next !== undefined) next(error);
  else if (!response.destroyed && !response.headersSent) {
    response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' });
    response.end('The scrape failed.\n');
  }
}
