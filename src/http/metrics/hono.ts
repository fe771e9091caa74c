/**
 * Hono's form: the route that answered, and the request of `node:http` beneath, where there is one.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** What the middleware needs of Hono's context. */
export interface HonoContext {
  readonly req: { readonly raw: Request; readonly method: string };
  readonly env: unknown;
  res: Response;
}

/** A Hono middleware. */
export type HonoMiddleware = (context: HonoContext, next: () => Promise<void>) => Promise<void>;

/** How a handler of a mounted application with an error handler of its own shows what it wraps. */
const WRAPPED = '__COMPOSED_HANDLER';

interface Handler {
  readonly length: number;
  readonly [WRAPPED]?: Handler;
}

interface RoutedRequest {
  /** The entry that ran last. */
  readonly routeIndex?: number;
  readonly matchedRoutes?: readonly { readonly path: string; readonly method: string; readonly handler: Handler }[];
}

/** The pattern of the route that answered, or would have, had no middleware done so; `undefined` where there is none. */
export function honoRoute(context: HonoContext): string | undefined {
  const { routeIndex = 0, matchedRoutes = [] } = context.req as RoutedRequest;
  const isMiddleware = ({ method, handler }: (typeof matchedRoutes)[number]) =>
    method === 'ALL' && unwrapped(handler).length > 1;
  const route = matchedRoutes.slice(routeIndex).find((entry) => !isMiddleware(entry));
  if (route !== undefined) return route.path;
  return context.res.status === 404 ? undefined : matchedRoutes[routeIndex]?.path;
}

function unwrapped(handler: Handler): Handler {
  const inner = handler[WRAPPED];
  return inner === undefined ? handler : unwrapped(inner);
}

/** The request and response of `node:http` that `@hono/node-server` passes on. */
export function nodeExchange(env: unknown): { incoming: IncomingMessage; outgoing: ServerResponse } | undefined {
  const { incoming, outgoing } = (env ?? {}) as { incoming?: IncomingMessage; outgoing?: ServerResponse };
  if (incoming === undefined || typeof outgoing?.writeHead !== 'function') return undefined;
  return { incoming, outgoing };
}
