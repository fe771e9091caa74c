/**
 * The door as a function from `Request` to `Response`, for Hono, Next.js, Bun and Deno. Of each runtime it knows only where
 * the client's address is.
 */
import type { IncomingMessage } from 'node:http';
import { refuseOption } from '../errors';
import { guarded } from '../warnings';
import { fetchBody } from './answer';
import { Door, type DoorAnswer, notFound } from './door';
import type { MetricsHandlerOptions } from './handler';
import { nodeExchange } from './metrics/hono';
import { isWild, type Place, placeOfRoute } from './place';
import { toPath, toTarget } from './target';

/** The part of Hono's context that is used. */
export interface HonoDoorContext {
  readonly req: { readonly raw: Request };
  readonly env: unknown;
}

/**
 * Answers the exposition's path, `/health` and `/ready`, and `/` with `page: true`; 404 for other paths. If a framework has routed
 * a path to it, that path shows the exposition, and with `page: true` the page to browsers.
 */
export interface FetchMetricsHandler {
  /**
   * @param info the runtime's second argument, which has the client's address: the environment of `@hono/node-server`,
   *   Bun's server, Deno's info, or `{ peer }`
   */
  (request: Request, info?: unknown): Promise<Response>;
  /** A handler or middleware of Hono: `app.get('/metrics', metrics)`. Without `next`, other paths get 404. */
  (context: HonoDoorContext, next?: () => Promise<void>): Promise<Response>;
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
 * app.get('/metrics', metrics);
 */
export function createFetchHandler(options: MetricsHandlerOptions = {}): FetchMetricsHandler {
  const door = new Door(options, 'createFetchHandler');
  const answer = async (request: Request, info: unknown, place: Place | undefined): Promise<Response | undefined> => {
    const { method, url, headers } = request;
    const answered = await door.answer({
      method,
      target: toTarget(url),
      place,
      peer: peerOf(request, info),
      // Several headers of one name are joined.
      isMisaddressed: headers.get('host')?.includes(',') === true,
      header: (name) => (name === 'accept-encoding' && isNext(request) ? undefined : (headers.get(name) ?? undefined)),
      headers: () => Object.fromEntries(headers),
    });
    if (answered === null) return undefined;
    const body = fetchBody(method, answered.body, door.deliveries, nodeExchange(info)?.outgoing);
    return new Response(body, { status: answered.status, headers: answered.headers });
  };
  const route = async (asked: Request | HonoDoorContext, given: readonly unknown[]): Promise<Response | undefined> => {
    if (!('req' in asked)) {
      return (await answer(asked, given[0], placeOf(asked, given))) ?? responseOf(asked.method, notFound());
    }
    const { raw } = asked.req;
    const answered = await answer(raw, asked.env, honoPlace(asked));
    if (answered !== undefined || typeof given[0] === 'function') return answered;
    return responseOf(raw.method, notFound());
  };
  const handler = async (asked: Request | HonoDoorContext, ...given: unknown[]): Promise<Response | undefined> => {
    if (typeof asked !== 'object' || asked === null) {
      refuseOption('a Request or the context of Hono', 'the first argument of the handler', asked);
    }
    let answered: Response | undefined;
    try {
      answered = await route(asked, given);
    } catch (error) {
      return responseOf('GET', door.failed(error));
    }
    // Its errors are the framework's to handle.
    if (answered === undefined) await (given[0] as () => Promise<void>)();
    return answered;
  };
  return Object.assign(handler as FetchMetricsHandler, { setReady: (ready: boolean) => door.setReady(ready) });
}

/** The place of a request that a runtime's router has passed to the handler. */
function placeOf(request: Request, [info, ...more]: readonly unknown[]): Place | undefined {
  const path = toPath(request.url);
  // The route handlers of Next.js get parameters, and the requests of Bun's routes have them.
  const isRouted = 'params' in request || (typeof info === 'object' && info !== null && 'params' in info);
  if (isRouted) return { mount: path, rest: '', isOwn: true };
  // Hono's mount() takes its path off the URL, and passes the execution context, or nothing in its place.
  return more.length > 0 ? { mount: '', rest: path, isOwn: true } : undefined;
}

function honoPlace(context: HonoDoorContext): Place {
  const { matchedRoutes = [], routeIndex = 0 } = context.req as RoutedRequest;
  const path = toPath(context.req.raw.url);
  const pattern = matchedRoutes[routeIndex]?.path ?? '*';
  const place = placeOfRoute(pattern, path, true);
  // `use()` of an application that others share has a wildcard too.
  return { ...place, isOwn: place.isOwn && !isWild(pattern), isCaseSensitive: true, isStrict: true };
}

interface RoutedRequest {
  /** The index of the entry that runs. */
  readonly routeIndex?: number;
  readonly matchedRoutes?: readonly { readonly path: string }[];
}

/**
 * True for a request of Next.js, which has this property beyond a `Request`. Next.js removes `content-encoding` from the
 * answers of route handlers, so a scraper could not read a compressed one.
 */
const isNext = (request: Request): boolean => 'nextUrl' in request;

/** The client's address; `undefined` if the runtime does not tell it, or fails to. */
function peerOf(request: Request, info: unknown): string | undefined {
  return guarded(() => {
    if (typeof info !== 'object' || info === null) return undefined;
    const { peer, incoming, remoteAddr } = info as RuntimeInfo;
    if (typeof peer === 'string') return peer;
    if (incoming !== undefined) return incoming.socket?.remoteAddress;
    if (remoteAddr !== undefined) return remoteAddr.hostname;
    return guarded(() => (info as RuntimeInfo).requestIP?.(request), ignore)?.address;
  }, ignore);
}

function ignore(): void {}

function responseOf(method: string, { status, headers, body }: DoorAnswer): Response {
  return new Response(method === 'HEAD' ? null : (body as Buffer), { status, headers });
}
