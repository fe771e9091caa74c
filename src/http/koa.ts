/**
 * The door as a Koa middleware. It answers through Koa's context, so that outer middleware sees the answer.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { doorRequest, sendable } from './answer';
import type { Door } from './door';
import { isWild, type Place, placeOfRoute } from './place';
import { toPath } from './target';

/** The part of Koa's context that is used. */
export interface KoaDoorContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Path and query, without the prefix of `koa-mount`. */
  readonly url: string;
  status: number;
  body: unknown;
  set(headers: Record<string, string>): void;
}

/** A Koa middleware that answers the door's paths and calls `next` for others. */
export type KoaDoorMiddleware = (context: KoaDoorContext, next: () => Promise<unknown>) => Promise<unknown>;

/** Makes a Koa middleware of a door. */
export function koaDoor(door: Door): KoaDoorMiddleware {
  const middleware: KoaDoorMiddleware = async (context, next) => {
    const { originalUrl = context.url } = context as RoutedContext;
    const request = doorRequest(context.req, originalUrl, placeOf(context, middleware, next));
    const answer = await door.answer(request);
    if (answer === null) return next();
    context.status = answer.status;
    // Set the body before the headers, because Koa sets some headers for a body.
    context.body = sendable(request.method, answer.body, door.deliveries, context.res);
    context.set(answer.headers);
    return undefined;
  };
  return middleware;
}

/** What Koa and its routers tell about a request. */
interface RoutedContext extends KoaDoorContext {
  readonly originalUrl?: string;
  /** Set by `koa-mount`. */
  readonly mountPath?: string;
  /** The routes that match the path, and the one that has answered: by `@koa/router`. */
  readonly matched?: readonly { readonly path: unknown; readonly methods: unknown[]; readonly stack: unknown[] }[];
  readonly _matchedRoute?: unknown;
}

function placeOf(context: KoaDoorContext, middleware: unknown, next: () => unknown): Place | undefined {
  const { url, originalUrl = url, mountPath, matched = [], _matchedRoute } = context as RoutedContext;
  const [rest, whole] = [toPath(url), toPath(originalUrl)];
  const own = matched.find(({ methods, stack }) => methods.length > 0 && stack.includes(middleware));
  if (own !== undefined) {
    return typeof own.path === 'string' ? placeOfRoute(own.path, rest, true) : { mount: rest, rest: '', isOwn: false };
  }
  if (mountPath !== undefined && whole !== rest) {
    const mount = whole.endsWith(rest) ? whole.slice(0, whole.length - rest.length) : whole;
    // In an application that is mounted, Koa has bound `next`. Otherwise the middleware itself is mounted.
    return { mount, rest, isOwn: !next.name.startsWith('bound ') };
  }
  if (typeof _matchedRoute !== 'string' || isWild(_matchedRoute)) return undefined;
  return { mount: rest, rest: '', isOwn: false };
}
