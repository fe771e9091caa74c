/**
 * Types of the Koa middleware, and the route that `@koa/router` matched.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** The part of Koa's context that is used. */
export interface KoaContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/** A Koa middleware. */
export type KoaMiddleware = (context: KoaContext, next: () => Promise<unknown>) => Promise<unknown>;

/** A context after `@koa/router`. */
interface RoutedContext extends KoaContext {
  /** All layers that match the path, for any method, including the router's middleware. */
  readonly matched?: readonly { readonly path: string | RegExp; readonly methods: readonly string[] }[];
  readonly _matchedRoute?: string | RegExp;
}

/** The pattern of the matched route; undefined if none matched. */
export function koaRoute(context: KoaContext): string | undefined {
  const { matched = [], _matchedRoute, req } = context as RoutedContext;
  // `_matchedRoute` is the router's middleware if that answered instead of the route, so `matched` comes first.
  const method = req.method ?? 'GET';
  const route = matched.findLast(({ methods }) => methods.includes(method))?.path ?? _matchedRoute;
  return route === undefined ? undefined : String(route);
}
