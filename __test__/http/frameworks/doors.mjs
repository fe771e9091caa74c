// Sets up the endpoint in every framework as the documentation shows it, beside a route of the application.

import 'reflect-metadata';
import http from 'node:http';
import { getRequestListener } from '@hono/node-server';
import KoaRouter from '@koa/router';
import { createFetchHandler, createMetricsHandler } from '@llm-devops/prometheus-metrics';
import { fastifyMetrics } from '@llm-devops/prometheus-metrics/fastify';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import express from 'express';
import express4 from 'express4';
import Fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';

const ofExpress = (framework) => (options) => {
  const app = framework();
  app.disable('x-powered-by');
  const metrics = createMetricsHandler({ ...options, selfMetrics: false });
  app.use(metrics);
  app.get('/own', (_request, response) => response.send('own'));
  return { server: http.createServer(app), setReady: metrics.setReady };
};

function koa(options) {
  const app = new Koa();
  // Koa reports every client that disconnects.
  app.silent = true;
  const metrics = createMetricsHandler({ ...options, selfMetrics: false });
  app.use(metrics.koa);
  const router = new KoaRouter();
  router.get('/own', (context) => {
    context.body = 'own';
  });
  app.use(router.routes());
  return { server: http.createServer(app.callback()), setReady: metrics.setReady };
}

async function nest(options) {
  class Own {
    own() {
      return 'own';
    }
  }
  Get('own')(Own.prototype, 'own', Object.getOwnPropertyDescriptor(Own.prototype, 'own'));
  Controller()(Own);
  class Root {}
  Module({ controllers: [Own] })(Root);
  const app = await NestFactory.create(Root, new ExpressAdapter(), { logger: false });
  app.getHttpAdapter().getInstance().disable('x-powered-by');
  const metrics = createMetricsHandler({ ...options, selfMetrics: false });
  app.use(metrics);
  await app.init();
  return { server: app.getHttpServer(), setReady: metrics.setReady };
}

async function fastify(options) {
  const app = Fastify({ forceCloseConnections: true });
  let ready = true;
  app.register(fastifyMetrics, { ...options, selfMetrics: false, isReady: () => ready });
  app.get('/own', () => 'own');
  await app.listen({ port: 0, host: '127.0.0.1' });
  return {
    server: app.server,
    setReady: (value) => {
      ready = value;
    },
  };
}

function hono(options) {
  const app = new Hono();
  const metrics = createFetchHandler({ ...options, selfMetrics: false });
  for (const path of [options.path ?? '/metrics', '/health', '/ready']) {
    app.all(path, (c) => metrics(c.req.raw, c.env));
  }
  app.get('/own', (c) => c.text('own'));
  return { server: http.createServer(getRequestListener(app.fetch)), setReady: metrics.setReady };
}

/** A fetch handler as the whole server, as for Bun and Deno, in front of the application's own. */
function fetchAlone(options) {
  const metrics = createFetchHandler({ ...options, selfMetrics: false });
  const handler = (request, info) =>
    new URL(request.url).pathname === '/own' ? new Response('own') : metrics(request, info);
  return { server: http.createServer(getRequestListener(handler)), setReady: metrics.setReady };
}

/** By name: makes the server, and the function that sets its readiness. */
export const DOORS = {
  'Express 5': ofExpress(express),
  'Express 4': ofExpress(express4),
  Koa: koa,
  NestJS: nest,
  Fastify: fastify,
  Hono: hono,
  'a fetch handler': fetchAlone,
};
