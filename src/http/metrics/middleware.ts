/**
 * `createHttpMetrics()`: one recorder, in the shapes in which frameworks take a middleware.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { toTarget } from '../target';
import { follow, type RouteOf } from './exchange';
import { type ExpressRequest, expressRoute } from './express';
import { FetchExchange } from './fetch';
import { type HonoMiddleware, honoRoute, nodeExchange } from './hono';
import { type KoaMiddleware, koaRoute } from './koa';
import { checkSettings, type HttpMetricsOptions } from './options';
import { HttpRecorder } from './recorder';

/** A handler as Bun, Deno, Next.js and Hono's `app.fetch` are one; what follows the request is the runtime's. */
export type FetchHandler<A extends unknown[]> = (request: Request, ...rest: A) => Response | Promise<Response>;

/** Settings of `metrics.fetch()`. */
export interface FetchMetricsOptions {
  /** The route of a request: a pattern, never a path. @default `unmatched` */
  route?: string | ((request: Request) => string | undefined) | undefined;
}

/** Records the requests that pass through it: once each, when the response has ended. */
export interface HttpMetrics {
  /** For Express, NestJS and whatever calls `(req, res, next)`; for `node:http`, called before the request is handled. */
  (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void): void;
  /** For Koa; routes are those of `@koa/router`. */
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
 * Middleware that records `http_requests_total`, `http_request_duration_seconds`, `http_request_size_bytes`,
 * `http_response_size_bytes` and `http_active_requests`, by method, route and class of status.
 *
 * @example
 * app.use(createHttpMetrics({ ignore: ['/metrics', '/health', '/ready'] }));
 * @throws {ConfigurationError} `INVALID_CONFIG`
 * @throws {RegistrationError} `TYPE_MISMATCH` where the registry has these metrics with other buckets
 */
export function createHttpMetrics(options: HttpMetricsOptions = {}): HttpMetrics {
  const recorder = new HttpRecorder(checkSettings(options));
  /** What the option says, then what the framework does. */
  const routeOf = (byFramework: RouteOf): RouteOf =>
    options.route === undefined ? byFramework : (req, res) => options.route?.(req, res) ?? byFramework(req, res);

  const ofExpress = routeOf((request, response) => expressRoute(request as ExpressRequest, response));
  const middleware = (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void): void => {
    const { originalUrl = request.url } = request as ExpressRequest;
    if (!recorder.ignores(request.method, originalUrl)) follow(recorder, request, response, ofExpress);
    next?.();
  };

  const koa: KoaMiddleware = (context, next) => {
    const { req, res } = context;
    const { originalUrl = req.url } = context as { originalUrl?: string };
    if (!recorder.ignores(req.method, originalUrl)) {
      follow(
        recorder,
        req,
        res,
        routeOf(() => koaRoute(context)),
      );
    }
    return next();
  };

  const hono: HonoMiddleware = async (context, next) => {
    const { raw } = context.req;
    if (recorder.ignores(raw.method, toTarget(raw.url))) return next();
    const node = nodeExchange(context.env);
    if (node !== undefined) {
      follow(
        recorder,
        node.incoming,
        node.outgoing,
        routeOf(() => honoRoute(context)),
      );
      return next();
    }
    const exchange = new FetchExchange(recorder, raw, () => honoRoute(context));
    try {
      await next();
    } catch (error) {
      exchange.failed();
      throw error;
    }
    const answered = exchange.answered(context.res);
    if (answered === context.res) return;
    // Hono copies the headers of a response that is there into the one that follows.
    (context as { res: Response | undefined }).res = undefined;
    context.res = answered;
  };

  const fetch: HttpMetrics['fetch'] =
    (handler, { route } = {}) =>
    async (request, ...rest) => {
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

  return Object.assign(middleware, { koa, hono, fetch });
}
