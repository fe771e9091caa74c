/**
 * Records the requests of all `node:http` servers of a realm, without a middleware: Node.js and Fastify report requests and
 * applications through diagnostics channels. The routes are those that the middlewares find. For frameworks that keep the
 * route in an object of their own, `routed()` takes the function that reads it.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Histogram } from '../../metrics/histogram';
import { seriesSet } from '../../metrics/series';
import { onFirstUse } from '../../on-first-use';
import { Registry } from '../../registry/registry';
import { quietly } from '../../warnings';
import { follow, type RouteOf } from './exchange';
import { type ExpressRequest, expressRoute } from './express';
import { type FastifyInstanceLike, pluginThat, routeOf } from './fastify';
import { type HonoContext, honoRoute, nodeExchange } from './hono';
import { type KoaContext, koaRoute } from './koa';
import { checkSettings } from './options';
import { HttpRecorder } from './recorder';

/** Tells the route of requests that a framework handles. */
export interface ServerWatch {
  /** A Koa application has made the context of a request. */
  koa(context: unknown): void;
  /** A Hono application has called a handler or middleware with the context of a request. */
  hono(context: unknown): void;
}

const express: RouteOf = (request, response) => expressRoute(request as ExpressRequest, response);

/** Records the requests of all servers in the default registry, from now on. Registers the metrics at the first request. */
export function watchServers(): ServerWatch {
  const withRecorder = onFirstUse(makeRecorder);
  subscribe('http.server.request.start', (message) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    withRecorder((recorder) => follow(recorder, request, response, request.url, express));
  });
  subscribe('fastify.initialization', (message) => {
    const { fastify } = message as { fastify: FastifyInstanceLike };
    const plugin = pluginThat(({ raw, answer, routed }) =>
      withRecorder((recorder) => follow(recorder, raw, answer, raw.url, () => routed && routeOf(routed))),
    );
    quietly(() => plugin(fastify, {}, () => {}));
  });
  /** Requests whose outermost context is known: a mounted application has contexts of its own. */
  const known = new WeakSet<ServerResponse>();
  return {
    koa: (context) =>
      withRecorder((recorder) => {
        const { req, res } = context as KoaContext;
        follow(recorder, req, res, req.url, () => koaRoute(context as KoaContext));
      }),
    hono: (context) =>
      withRecorder((recorder) => {
        const node = nodeExchange((context as HonoContext).env);
        if (node === undefined || known.has(node.outgoing)) return;
        known.add(node.outgoing);
        follow(recorder, node.incoming, node.outgoing, node.incoming.url, (_, { statusCode }) =>
          honoRoute(context as HonoContext, statusCode),
        );
      }),
  };
}

/** A recorder with the buckets of the metrics that the program has registered, if it has. */
function makeRecorder(): HttpRecorder {
  const bucketsOf = (name: string): readonly number[] | undefined => {
    const known = Registry.globalRegistry.getSingleMetric(`llmdevops_${name}`);
    return known instanceof Histogram ? known[seriesSet].bounds : undefined;
  };
  return new HttpRecorder(
    checkSettings({
      durationBuckets: bucketsOf('http_request_duration_seconds'),
      sizeBuckets: bucketsOf('http_request_size_bytes'),
    }),
    true,
  );
}
