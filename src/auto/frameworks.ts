/**
 * Finds the contexts of Koa's and Hono's requests, which hold the route. Neither publishes a diagnostics channel. Express,
 * Fastify and clients of databases need nothing here.
 */
import type { ServerWatch } from '../http/metrics/servers';
import { read } from '../read';
import { quietly } from '../warnings';
import { afterEachCall, beforeEachCall } from './methods';
import type { Measured } from './sdks';

type Handler = (this: unknown, ...args: unknown[]) => unknown;

/** The frameworks of HTTP servers. */
export function frameworks(contexts: ServerWatch): readonly Measured[] {
  return [
    ...['express', 'fastify', '@nestjs/core'].map(reporting),
    {
      name: 'koa',
      isNeeded: true,
      measure(module) {
        const Koa = read(module, 'default') ?? module;
        afterEachCall(read(Koa, 'prototype'), 'createContext', (context) => contexts.koa(context));
      },
    },
    {
      name: 'hono',
      isNeeded: true,
      measure(module) {
        const Hono = read(module, 'Hono');
        if (typeof Hono === 'function') measureHono(Hono as new () => object, contexts);
      },
    },
  ];
}

/** The clients of databases that report their operations. */
export const databases: readonly Measured[] = ['ioredis', 'redis', '@redis/client', 'mysql2', 'mongoose'].map(
  reporting,
);

/** A package that is only named: diagnostics channels report what it does. */
function reporting(name: string): Measured {
  return { name, isNeeded: false, measure() {} };
}

/** Handlers get the context as an argument, and applications give their handlers to a router, together with the route. */
function measureHono(Hono: new () => object, contexts: ServerWatch): void {
  const router = read(new Hono(), 'router');
  if (typeof router !== 'object' || router === null) return;
  beforeEachCall(Object.getPrototypeOf(router), 'add', (_, args) => {
    const entry = args[2];
    if (!Array.isArray(entry) || typeof entry[0] !== 'function') return;
    const handler = entry[0] as Handler;
    args[2] = entry.with(0, reportingContext(handler, contexts));
  });
}

function reportingContext(handler: Handler, contexts: ServerWatch): Handler {
  const reported: Handler = function (...args) {
    quietly(() => contexts.hono(args[0]));
    return handler.apply(this, args);
  };
  // Hono reads the properties of handlers.
  Object.defineProperty(reported, 'length', { value: handler.length, configurable: true });
  return Object.assign(reported, handler);
}
