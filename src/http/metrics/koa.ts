/**
 * Koa's form: a middleware that follows the response beneath the context, and the route that `@koa/router` chose.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** What the middleware needs of Koa's context. */
export interface KoaContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/** A Koa middleware. */
export type KoaMiddleware = (context: KoaContext, next: () => Promise<unknown>) => Promise<unknown>;

/** What `@koa/router` leaves in a context. */
interface RoutedContext extends KoaContext {
  /** All that matched the path, by this and other methods, middleware of the router included. */
  readonly matched?: readonly { readonly path: string | RegExp; readonly methods: readonly string[] }[];
  readonly _matchedRoute?: string | RegExp;
}

/** The pattern of the route that matched; `undefined` where none did. */
export function koaRoute(context: KoaContext): string | undefined {
  const { matched = [], _matchedRoute, req } = context as RoutedContext;
  // `_matchedRoute` alone would be the router's middleware where that answered in the route's place.
  const method = req.method ?? 'GET';
  const route = matched.findLast(({ methods }) => methods.includes(method))?.path ?? _matchedRoute;
  return route === undefined ? undefined : String(route);
}
