/**
 * The door for `node:http` and for frameworks that call `(req, res, next)`: answers scrapes, health and readiness on the
 * application's own server.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { addon } from '../native/addon';
import { guarded } from '../warnings';
import { doorRequest, hasSentAll, release, watch } from './answer';
import type { Deliveries } from './deliveries';
import { Door, type DoorAnswer, type DoorOptions, notFound } from './door';
import { expressPlace } from './express';
import { type KoaDoorMiddleware, koaDoor } from './koa';
import { piecesOf } from './pieces';

/** Settings of a handler. */
export interface MetricsHandlerOptions extends DoorOptions {}

/**
 * Answers the exposition's path, `/health` and `/ready`, and on a server of its own also `/`, with `page: true`. For other paths
 * it calls `next`, or answers 404 without `next`. If a framework has mounted the handler at a path, or routed a path to it, that
 * path shows the exposition, and with `page: true` the page to browsers.
 */
export interface MetricsHandler {
  /** The promise is resolved when the client has read the answer or has left, or after `next`. It is never rejected. */
  (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void): Promise<void>;
  /** Sets the answer of `/ready`: 200 or 503. Initially 200. */
  setReady(ready: boolean): void;
  /** The same as a Koa middleware. */
  readonly koa: KoaDoorMiddleware;
}

type Next = (error?: unknown) => void;

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
  const handler = async (request: IncomingMessage, response: ServerResponse, next?: Next): Promise<void> => {
    try {
      const place = expressPlace(request, handler, next === undefined);
      const { originalUrl } = request as { originalUrl?: string };
      const answer = door.answer(doorRequest(request, place && originalUrl, place));
      // Most answers need no waiting: they are sent in this turn of the event loop.
      const given = answer === null || 'status' in answer ? answer : await answer;
      // It may be an async function, though its type says otherwise.
      if (given === null && next !== undefined) await next();
      else await send(request, response, given ?? notFound(), door.deliveries);
    } catch (error) {
      fail(response, door.failed(error));
    }
  };
  let koa: KoaDoorMiddleware | undefined;
  const setReady = (ready: boolean) => door.setReady(ready);
  return Object.defineProperties(handler, {
    setReady: { value: setReady, enumerable: true },
    koa: { get: () => (koa ??= koaDoor(door)), enumerable: true },
  }) as MetricsHandler;
}

/** Sends an answer, without a body for HEAD. Resolved when the client has read it or has left. */
async function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: DoorAnswer,
  deliveries: Deliveries,
): Promise<void> {
  // The client may have disconnected during the scrape.
  if (response.destroyed || response.headersSent) return release(body);
  let isOver = false;
  let resolve = (): void => {};
  const over = new Promise<void>((done) => {
    resolve = done;
  });
  const delivery = watch(deliveries, response, body, () => {
    isOver = true;
    resolve();
  });
  response.writeHead(status, headers);
  if (request.method === 'HEAD') response.end();
  else if (body instanceof addon.NativeBody) {
    const pieces = piecesOf(body, delivery.moved, () => hasSentAll(response));
    await sendInPieces(response, pieces, over, () => isOver);
  } else response.end(body);
  await over;
}

/** Sends a body from native memory piece by piece, as fast as the client reads. */
async function sendInPieces(
  response: ServerResponse,
  pieces: AsyncIterable<Buffer>,
  over: Promise<void>,
  isOver: () => boolean,
): Promise<void> {
  for await (const piece of pieces) {
    if (isOver()) return;
    // Only `false` asks to wait, as in Node.js' own pipe: a `write()` that a logger has wrapped may return nothing. Wait for
    // `drain`, because some compressing middleware does not call the callback of `write`.
    if (response.write(piece) === false) await drained(response, over);
  }
  if (!isOver()) response.end();
}

async function drained(response: ServerResponse, over: Promise<void>): Promise<void> {
  let done = (): void => {};
  const drain = new Promise<void>((resolve) => {
    done = resolve;
    response.once('drain', resolve);
  });
  await Promise.race([drain, over]);
  response.removeListener('drain', done);
}

/** Answers a request for which reading it, sending the answer or `next()` has failed. The response may fail again. */
function fail(response: ServerResponse, { status, headers, body }: DoorAnswer): void {
  const destroy = (): void =>
    void guarded(
      () => response.destroy(),
      () => {},
    );
  guarded(() => {
    if (response.headersSent) destroy();
    else response.writeHead(status, headers).end(body);
  }, destroy);
}
