// Builds the same small shop in each framework, on any client with prom-client's API. It measures its requests and shows them
// at `/metrics` as programs of prom-client do.

import 'reflect-metadata';
import http from 'node:http';
import { getRequestListener } from '@hono/node-server';
import KoaRouter from '@koa/router';
import { Controller, Get, Header, HttpException, Module, Param, Res } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';

/** The metrics of the shop. */
export function shopMetrics(client) {
  const registers = [new client.Registry()];
  const requests = new client.Counter({
    name: 'shop_requests_total',
    help: 'Requests by route and status',
    labelNames: ['method', 'route', 'status'],
    registers,
  });
  const bytes = new client.Histogram({
    name: 'shop_answer_bytes',
    help: 'Size of "answers"\nin bytes',
    labelNames: ['route'],
    buckets: client.exponentialBuckets(1, 4, 6),
    registers,
  });
  const open = new client.Gauge({ name: 'shop_open_requests', help: 'Requests that are open', registers });
  const stock = new client.Gauge({
    name: 'shop_stock',
    help: 'Items in stock',
    labelNames: ['item'],
    registers,
    async collect() {
      await null;
      this.set({ item: 'tea "green"' }, 7);
    },
  });
  return {
    registry: registers[0],
    stock,
    /** Runs a request's work, and records it. */
    measure(method, route, work) {
      open.inc();
      const answer = work();
      requests.inc({ method, route, status: answer.status });
      bytes.labels(route).observe(answer.text.length);
      open.dec();
      return answer;
    },
  };
}

const item = (id) => (id === 'none' ? { status: 404, text: 'no such item' } : { status: 200, text: `item ${id}` });
const failing = () => ({ status: 500, text: 'the till is broken' });

/** Each takes the metrics and a function that mounts the endpoint, and returns the server. */
export const APPLICATIONS = {
  'Express 5'({ registry, measure }, endpoint) {
    const app = express();
    app.get('/items/:id', ({ params, method }, response) => {
      const { status, text } = measure(method, '/items/:id', () => item(params.id));
      response.status(status).send(text);
    });
    app.get('/till', ({ method }, response) => {
      const { status, text } = measure(method, '/till', failing);
      response.status(status).send(text);
    });
    app.get('/metrics', async (_request, response) => {
      response.set('content-type', registry.contentType).end(await registry.metrics());
    });
    if (endpoint !== undefined) app.use('/internal/metrics', endpoint.handler);
    return http.createServer(app);
  },

  async 'Fastify 5'({ registry, measure }, endpoint) {
    const app = Fastify({ forceCloseConnections: true });
    app.get('/items/:id', (request, reply) => {
      const { status, text } = measure(request.method, '/items/:id', () => item(request.params.id));
      reply.code(status).send(text);
    });
    app.get('/till', (request, reply) => {
      const { status, text } = measure(request.method, '/till', failing);
      reply.code(status).send(text);
    });
    app.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()));
    if (endpoint !== undefined) app.register(endpoint.fastify, { ...endpoint.options, prefix: '/internal' });
    await app.listen({ port: 0, host: '127.0.0.1' });
    return app.server;
  },

  async NestJS({ registry, measure }, endpoint) {
    class Shop {
      item(id) {
        const { status, text } = measure('GET', '/items/:id', () => item(id));
        if (status !== 200) throw new HttpException(text, status);
        return text;
      }

      till() {
        const { status, text } = measure('GET', '/till', failing);
        throw new HttpException(text, status);
      }

      async metrics(response) {
        response.set('content-type', registry.contentType).end(await registry.metrics());
      }
    }
    const decorate = (name, ...decorators) => {
      const descriptor = Object.getOwnPropertyDescriptor(Shop.prototype, name);
      for (const decorator of decorators) decorator(Shop.prototype, name, descriptor);
    };
    decorate('item', Get('items/:id'), Header('x-shop', 'yes'));
    Param('id')(Shop.prototype, 'item', 0);
    decorate('till', Get('till'));
    decorate('metrics', Get('metrics'));
    Res()(Shop.prototype, 'metrics', 0);
    Controller()(Shop);
    class Root {}
    Module({ controllers: [Shop] })(Root);
    const app = await NestFactory.create(Root, new ExpressAdapter(), { logger: false });
    if (endpoint !== undefined) app.use('/internal/metrics', endpoint.handler);
    await app.init();
    return app.getHttpServer();
  },

  Koa({ registry, measure }, endpoint) {
    const app = new Koa();
    app.silent = true;
    const router = new KoaRouter();
    const send = (context, { status, text }) => Object.assign(context, { status, body: text });
    router.get('/items/:id', (context) => {
      send(
        context,
        measure(context.method, '/items/:id', () => item(context.params.id)),
      );
    });
    router.get('/till', (context) => send(context, measure(context.method, '/till', failing)));
    router.get('/metrics', async (context) => {
      context.set('content-type', registry.contentType);
      context.body = await registry.metrics();
    });
    if (endpoint !== undefined) router.get('/internal/metrics', endpoint.handler.koa);
    app.use(router.routes());
    return http.createServer(app.callback());
  },

  Hono({ registry, measure }, endpoint) {
    const app = new Hono();
    app.get('/items/:id', (context) => {
      const { status, text } = measure(context.req.method, '/items/:id', () => item(context.req.param('id')));
      return context.text(text, status);
    });
    app.get('/till', (context) => {
      const { status, text } = measure(context.req.method, '/till', failing);
      return context.text(text, status);
    });
    app.get('/metrics', async (context) =>
      context.body(await registry.metrics(), 200, { 'content-type': registry.contentType }),
    );
    if (endpoint !== undefined) app.basePath('/internal').get('/metrics', endpoint.fetch);
    return http.createServer(getRequestListener(app.fetch));
  },
};
