/**
 * `createHttpMetrics()`: one recorder, as a middleware for each kind of framework.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { checkOptionNames, optionNames } from '../../options';
import { toTarget } from '../target';
import { follow, type RouteOf } from './exchange';
import { type ExpressRequest, expressRoute } from './express';
import { FetchExchange } from './fetch';
import { type HonoMiddleware, honoRoute, nodeExchange } from './hono';
import { type KoaMiddleware, koaRoute } from './koa';
import { checkSettings, type HttpMetricsOptions } from './options';
import { HttpRecorder } from './recorder';

/** A handler of Bun, Deno, Next.js, or Hono's `app.fetch`. The runtime passes the arguments after the request. */
export type FetchHandler<A extends unknown[]> = (request: Request, ...rest: A) => Response | Promise<Response>;

/** Settings of `metrics.fetch()`. */
export interface FetchMetricsOptions {
  /** The route of a request: a pattern such as `/users/:id`, never a path. @default 'unmatched' */
  route?: string | ((request: Request) => string | undefined) | undefined;
}

const FETCH_OPTIONS = optionNames<FetchMetricsOptions>('fetch', { route: true });

/** Records each request once, when its response has ended. */
export interface HttpMetrics {
  /** For Express, NestJS and frameworks that call `(req, res, next)`. With `node:http`, call it before your handler. */
  (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void): void;
  /** For Koa. Finds the routes of `@koa/router`. */
  readonly koa: KoaMiddleware;
  /** For Hono. */
  readonly hono: HonoMiddleware;
  /** Wraps a handler that takes a `Request` and returns a `Response`. */
  fetch<A extends unknown[]>(
    handler: FetchHandler<A>,
    options?: FetchMetricsOptions,
  ): (request: Request, ...rest: A) => Promise<Response>;
}

/**
 * Makes a middleware that records `http_requests_total`, `http_request_duration_seconds`, `http_request_size_bytes`,
 * `http_response_size_bytes` and `http_active_requests`, by method, route and class of status.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` for an invalid setting
 * @throws {RegistrationError} `TYPE_MISMATCH` if the registry has these metrics with other buckets
 *
 * @example
 * app.use(createHttpMetrics({ ignore: ['/metrics', '/health', '/ready'] }));
 */
export function createHttpMetrics(options: HttpMetricsOptions = {}): HttpMetrics {
  const recorder = new HttpRecorder(checkSettings(options));
  /** The route by the option `route`, or else by the framework. */
  const routeOf = (byFramework: RouteOf): RouteOf =>
    options.route === undefined ? byFramework : (req, res) => options.route?.(req, res) ?? byFramework(req, res);

  return Object.assign(expressMiddleware(recorder, routeOf), {
    koa: koaMiddleware(recorder, routeOf),
    hono: honoMiddleware(recorder, routeOf),
    fetch: fetchWrapper(recorder),
  });
}

/** Puts the user's option before the route that a framework tells. */
type WithOption = (byFramework: RouteOf) => RouteOf;

function expressMiddleware(recorder: HttpRecorder, routeOf: WithOption) {
  const route = routeOf((request, response) => expressRoute(request as ExpressRequest, response));
  return (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void): void => {
    const { originalUrl = request.url } = request as ExpressRequest;
    follow(recorder, request, response, originalUrl, route);
    next?.();
  };
}

function koaMiddleware(recorder: HttpRecorder, routeOf: WithOption): KoaMiddleware {
  return (context, next) => {
    const { req, res } = context;
    const { originalUrl = req.url } = context as { originalUrl?: string };
    const route = routeOf(() => koaRoute(context));
    follow(recorder, req, res, originalUrl, route);
    return next();
  };
}

function honoMiddleware(recorder: HttpRecorder, routeOf: WithOption): HonoMiddleware {
  return async (context, next) => {
    const { raw } = context.req;
    const target = toTarget(raw.url);
    const node = nodeExchange(context.env);
    if (node !== undefined) {
      const route = routeOf(() => honoRoute(context));
      follow(recorder, node.incoming, node.outgoing, target, route);
      return next();
    }
    if (recorder.ignores(raw.method, target)) return next();
    const exchange = new FetchExchange(recorder, raw, () => honoRoute(context));
    try {
      await next();
    } catch (error) {
      exchange.failed();
      throw error;
    }
    const answered = exchange.answered(context.res);
    if (answered === context.res) return;
    // Hono copies the headers of an existing `res` into the new one: clear it first.
    (context as { res: Response | undefined }).res = undefined;
    context.res = answered;
  };
}

function fetchWrapper(recorder: HttpRecorder): HttpMetrics['fetch'] {
  return (handler, options = {}) => {
    checkOptionNames(options, FETCH_OPTIONS);
    const { route } = options;
    return async (request, ...rest) => {
      if (recorder.ignores(request.method, toTarget(request.url))) return handler(request, ...rest);
      const exchange = new FetchExchange(recorder, request, () =>
        typeof route === 'function' ? route(request) : route,
      );
      try {
        return exchange.answered(await handler(request, ...rest));
      } catch (error) {
        exchange.failed();
        throw error;
      }
    };
  };
}
