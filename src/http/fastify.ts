/**
 * The door as a Fastify plugin. Its types are what it needs of Fastify's, so that nobody has to install Fastify who
 * does not use it.
 */
import { ConfigurationError, describe } from '../errors';
import { doorRequest, sendable } from './answer';
import { Door } from './door';
import type { MetricsHandlerOptions } from './handler';
import {
  createFastifyHttpMetrics,
  type FastifyHttpMetricsOptions,
  type FastifyInstanceLike,
  type FastifyReplyLike,
  type FastifyRequestLike,
  globalPlugin,
} from './metrics/fastify';

/** Settings of the plugin. */
export interface FastifyMetricsOptions extends MetricsHandlerOptions {
  /** What the paths stand under. @default '' */
  prefix?: string | undefined;
  /** What `/ready` answers: 200 or 503. @default always ready */
  isReady?: (() => boolean) | undefined;
  /** Whether the application's requests are recorded, and how. @default false */
  httpMetrics?: boolean | FastifyHttpMetricsOptions | undefined;
}

/** What the plugin needs of a Fastify reply to send something. */
export interface FastifySendingReply extends FastifyReplyLike {
  code(status: number): unknown;
  headers(headers: Record<string, string>): unknown;
  send(body: unknown): unknown;
}

/** What the plugin needs of a Fastify instance that has routes. */
export interface FastifyRoutingInstance extends FastifyInstanceLike {
  readonly prefix: string;
  /** Loosely: with `http2` Fastify's requests and replies are others. */
  all(path: string, options: object, handler: (...args: never[]) => unknown): unknown;
}

/**
 * A plugin that answers the exposition's path, `/health` and `/ready` for the instance that it is registered on.
 *
 * @example
 * app.register(fastifyMetrics, { httpMetrics: true });
 * @throws {ConfigurationError} `INVALID_CONFIG`
 */
export const fastifyMetrics = globalPlugin(
  'llm-devops-metrics',
  (instance: FastifyRoutingInstance, options: FastifyMetricsOptions, done: (error?: Error) => void): void => {
    const { httpMetrics = false, registry } = options;
    let record: ReturnType<typeof createFastifyHttpMetrics> | undefined;
    try {
      serve(instance, options);
      if (httpMetrics !== false) {
        record = createFastifyHttpMetrics({ registry, ...(httpMetrics === true ? {} : httpMetrics) });
      }
    } catch (error) {
      done(error as Error);
      return;
    }
    if (record === undefined) done();
    else record(instance, {}, done);
  },
);

function serve(instance: FastifyRoutingInstance, options: FastifyMetricsOptions): void {
  const { prefix = '', isReady } = options;
  if (typeof prefix !== 'string') {
    throw new ConfigurationError('INVALID_CONFIG', `Expected a string for prefix but received ${describe(prefix)}`);
  }
  const door = new Door(options);
  const before = instance.prefix.length + prefix.length;
  const answer = async (request: FastifyRequestLike, reply: FastifySendingReply): Promise<unknown> => {
    if (isReady !== undefined) door.setReady(isReadyNow(isReady));
    const asked = doorRequest(request.raw, (request.raw.url ?? '/').slice(before));
    const answered = await door.answer(asked);
    // Fastify has matched the path, so the door answers it unless it is switched off.
    if (answered === null) {
      reply.code(404);
      reply.send('Not found.\n');
      return reply;
    }
    reply.code(answered.status);
    reply.headers(answered.headers);
    reply.send(sendable(asked.method, answered.body));
    return reply;
  };
  const onRequest = (request: FastifyRequestLike, reply: FastifySendingReply, done: () => void): void => {
    const { method } = request.raw;
    if (method === 'GET' || method === 'HEAD') done();
    // Before Fastify reads a body that nobody wants.
    else answer(request, reply).catch((error: unknown) => reply.send(error));
  };
  for (const url of new Set([door.path, '/health', '/ready'])) instance.all(`${prefix}${url}`, { onRequest }, answer);
}

/** A callback that throws, or answers with something else than `true`, is not ready. */
function isReadyNow(isReady: () => unknown): boolean {
  try {
    return isReady() === true;
  } catch {
    return false;
  }
}
