// The exports for frameworks fit the types of the real frameworks.

import KoaRouter from '@koa/router';
import { createFetchHandler, createHttpMetrics, createMetricsHandler } from '@llm-devops/prometheus-metrics';
import fastifySubpath, {
  createHttpMetrics as createFastifyHttpMetrics,
  fastifyMetrics,
} from '@llm-devops/prometheus-metrics/fastify';
import type { INestApplication } from '@nestjs/common';
import express, { type Request as ExpressRequest } from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';

const app = express();
app.use(createMetricsHandler());
app.use('/metrics', createMetricsHandler());
app.get('/awaited', async (request, response) => await createMetricsHandler()(request, response));
app.use('/in', createHttpMetrics());
app.get('/x', createHttpMetrics({ route: (request: ExpressRequest) => request.route?.path }));

const koa = new Koa();
koa.use(createMetricsHandler().koa);
koa.use(createHttpMetrics().koa);
new KoaRouter().use(createHttpMetrics().koa);

const hono = new Hono();
hono.use(createHttpMetrics().hono);
hono.use('/in/*', createHttpMetrics().hono);
const metrics = createFetchHandler();
hono.get('/metrics', (c) => metrics(c.req.raw, c.env));
hono.get('/metrics', metrics);
hono.all('/ready', (c) => metrics(c));
hono.use(metrics);
hono.mount('/internal', metrics);
const bound = new Hono<{ Bindings: { key: string }; Variables: { user: string } }>();
bound.use(createHttpMetrics().hono);

const fastify = Fastify();
fastify.register(fastifyMetrics);
fastify.register(fastifyMetrics, { prefix: '/ops', path: '/m', httpMetrics: { ignore: ['/m'] } });
fastify.register(createFastifyHttpMetrics({ route: (request) => request.routeOptions.url }));
fastify.register(fastifySubpath.fastifyMetrics, { isReady: () => true });
// @ts-expect-error: a path is a string
fastify.register(fastifyMetrics, { path: 1 });
// @ts-expect-error: no such option
fastify.register(fastifyMetrics, { paths: [] });
const http2 = Fastify({ http2: true });
http2.register(fastifyMetrics);

declare const nest: INestApplication;
nest.use(createHttpMetrics(), createMetricsHandler());

// Next.js route handlers.
export const GET: (request: Request, context: { params: Promise<{ id: string }> }) => Promise<Response> =
  createHttpMetrics().fetch(async (_request, { params }: { params: Promise<{ id: string }> }) =>
    Response.json(await params),
  );
export const metricsRoute: (request: Request) => Promise<Response> = createFetchHandler();
