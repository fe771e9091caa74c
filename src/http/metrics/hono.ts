/**
 * Reads the matched route from Hono's context, and the underlying request of `node:http` if there is one.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** The part of Hono's context that is used. */
export interface HonoContext {
  readonly req: { readonly raw: Request; readonly method: string };
  readonly env: unknown;
  res: Response;
}

/** A Hono middleware. */
export type HonoMiddleware = (context: HonoContext, next: () => Promise<void>) => Promise<void>;

/** The property of a wrapping handler that holds the inner handler. Hono wraps handlers of a mounted app with `onError`. */
const WRAPPED = '__COMPOSED_HANDLER';

interface Handler {
  readonly length: number;
  readonly [WRAPPED]?: Handler;
}

interface RoutedRequest {
  /** The index of the entry that ran last. */
  readonly routeIndex?: number;
  readonly matchedRoutes?: readonly { readonly path: string; readonly method: string; readonly handler: Handler }[];
}

/** The pattern of the route that answered. If a middleware answered, the route that it preceded; undefined if none. */
export function honoRoute(context: HonoContext, status = context.res.status): string | undefined {
  const { routeIndex = 0, matchedRoutes = [] } = context.req as RoutedRequest;
  const isMiddleware = ({ method, handler }: (typeof matchedRoutes)[number]) =>
    method === 'ALL' && unwrapped(handler).length > 1;
  const route = matchedRoutes.slice(routeIndex).find((entry) => !isMiddleware(entry));
  if (route !== undefined) return route.path;
  return status === 404 ? undefined : matchedRoutes[routeIndex]?.path;
}

function unwrapped(handler: Handler): Handler {
  const inner = handler[WRAPPED];
  return inner === undefined ? handler : unwrapped(inner);
}

/** The request and response of `node:http`, which `@hono/node-server` passes in the environment. */
export function nodeExchange(env: unknown): { incoming: IncomingMessage; outgoing: ServerResponse } | undefined {
  const { incoming, outgoing } = (env ?? {}) as { incoming?: IncomingMessage; outgoing?: ServerResponse };
  if (incoming === undefined || typeof outgoing?.writeHead !== 'function') return undefined;
  return { incoming, outgoing };
}
