/**
 * The door as a function from `Request` to `Response`, for Hono, Next.js, Bun and Deno. Of each runtime it knows only where
 * the client's address is.
 */
import type { IncomingMessage } from 'node:http';
import { fetchBody } from './answer';
import { Door } from './door';
import type { MetricsHandlerOptions } from './handler';
import { toTarget } from './target';

/** Answers the exposition's path, `/health` and `/ready`; 404 for other paths. */
export interface FetchMetricsHandler {
  /**
   * @param info the runtime's second argument, which has the client's address: the environment of `@hono/node-server`,
   *   Bun's server, Deno's info, or `{ peer }`
   */
  (request: Request, info?: unknown): Promise<Response>;
  /** Sets the answer of `/ready`: 200 or 503. Initially 200. */
  setReady(ready: boolean): void;
}

/** The places where runtimes keep the client's address. */
interface RuntimeInfo {
  readonly peer?: unknown;
  readonly incoming?: IncomingMessage;
  readonly remoteAddr?: { readonly hostname?: string };
  requestIP?(request: Request): { readonly address: string } | null;
}

/**
 * Makes a handler for frameworks that answer a `Request` with a `Response`.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` for an invalid setting
 *
 * @example
 * const metrics = createFetchHandler();
 * app.get('/metrics', (c) => metrics(c.req.raw, c.env));
 */
export function createFetchHandler(options: MetricsHandlerOptions = {}): FetchMetricsHandler {
  const door = new Door(options, 'createFetchHandler');
  const handler = async (request: Request, info?: unknown): Promise<Response> => {
    const { method, url, headers } = request;
    const answer = await door.answer({
      method,
      target: toTarget(url),
      peer: peerOf(request, info),
      header: (name) => (name === 'accept-encoding' && isNext(request) ? undefined : (headers.get(name) ?? undefined)),
      headers: () => Object.fromEntries(headers),
    });
    if (answer === null) return notFound(method);
    return new Response(fetchBody(method, answer.body), { status: answer.status, headers: answer.headers });
  };
  return Object.assign(handler, { setReady: (ready: boolean) => door.setReady(ready) });
}

/**
 * True for a request of Next.js, which has this property beyond a `Request`. Next.js removes `content-encoding` from the
 * answers of route handlers, so a scraper could not read a compressed one.
 */
const isNext = (request: Request): boolean => 'nextUrl' in request;

function peerOf(request: Request, info: unknown): string | undefined {
  if (typeof info !== 'object' || info === null) return undefined;
  const { peer, incoming, remoteAddr } = info as RuntimeInfo;
  if (typeof peer === 'string') return peer;
  if (incoming !== undefined) return incoming.socket?.remoteAddress;
  if (remoteAddr !== undefined) return remoteAddr.hostname;
  return (info as RuntimeInfo).requestIP?.(request)?.address;
}

function notFound(method: string): Response {
  const headers = { 'content-type': 'text/plain; charset=utf-8' };
  return new Response(method === 'HEAD' ? null : 'Not found.\n', { status: 404, headers });
}
