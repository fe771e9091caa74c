/**
 * The door for `node:http` and for frameworks that call `(req, res, next)`: answers scrapes, health and readiness on the
 * application's own server.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { addon, type NativeBody } from '../native/addon';
import { doorRequest } from './answer';
import { Door, type DoorAnswer, type DoorOptions, piecesOf } from './door';
import { type KoaDoorMiddleware, koaDoor } from './koa';

/** Settings of a handler. */
export interface MetricsHandlerOptions extends DoorOptions {}

/** Answers the exposition's path, `/health` and `/ready`. For other paths it calls `next`, or answers 404 without `next`. */
export interface MetricsHandler {
  (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void): void;
  /** Sets the answer of `/ready`: 200 or 503. Initially 200. */
  setReady(ready: boolean): void;
  /** The same as a Koa middleware. */
  readonly koa: KoaDoorMiddleware;
}

const NOT_FOUND = Buffer.from('Not found.\n');

/**
 * Makes a handler for `node:http`, Express and other frameworks that call `(req, res, next)`.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` for an invalid setting
 *
 * @example
 * http.createServer(createMetricsHandler()).listen(9090);
 */
export function createMetricsHandler(options: MetricsHandlerOptions = {}): MetricsHandler {
  const door = new Door(options, 'createMetricsHandler');
  const handler = (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void): void => {
    const answer = door.answer(doorRequest(request));
    if (answer === null) {
      if (next === undefined) notFound(request, response);
      else next();
    } else if ('then' in answer) {
      answer.then((answer) => sendAnswer(request, response, answer)).catch((error) => fail(response, next, error));
    } else {
      sendAnswer(request, response, answer);
    }
  };
  let koa: KoaDoorMiddleware | undefined;
  const setReady = (ready: boolean) => door.setReady(ready);
  return Object.defineProperties(handler, {
    setReady: { value: setReady, enumerable: true },
    koa: { get: () => (koa ??= koaDoor(door)), enumerable: true },
  }) as MetricsHandler;
}

/** Sends an answer, without a body for HEAD. */
function sendAnswer(request: IncomingMessage, response: ServerResponse, answer: DoorAnswer): void {
  const { status, headers, body } = answer;
  // The client may have disconnected during the scrape.
  if (response.destroyed || response.headersSent) {
    if (body instanceof addon.NativeBody) body.release();
    return;
  }
  response.writeHead(status, headers);
  if (request.method === 'HEAD') response.end();
  else if (body instanceof addon.NativeBody) sendInPieces(response, body).catch(() => response.destroy());
  else response.end(body);
}

/** Sends a body from native memory piece by piece, as fast as the client reads. */
async function sendInPieces(response: ServerResponse, body: NativeBody): Promise<void> {
  // Free the memory as soon as the client disconnects.
  response.once('close', () => body.release());
  for await (const piece of piecesOf(body)) {
    if (response.destroyed) return;
    // Wait for `drain`, because some compressing middleware does not call the callback of `write`.
    if (!response.write(piece)) await drained(response);
  }
  response.end();
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

function notFound(request: IncomingMessage, response: ServerResponse): void {
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'content-length': `${NOT_FOUND.length}` };
  sendAnswer(request, response, { status: 404, headers, body: NOT_FOUND });
}

function fail(response: ServerResponse, next: ((error?: unknown) => void) | undefined, error: unknown): void {
  if (next !== undefined) next(error);
  else if (!response.destroyed && !response.headersSent) {
    response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' });
    response.end('The scrape failed.\n');
  }
}
