/**
 * The door as a Fastify plugin. Structural types describe the parts of Fastify that are used, so that Fastify stays an
 * optional package.
 */
import { ConfigurationError, describe } from '../errors';
import { optionNames } from '../options';
import { guarded } from '../warnings';
import { doorRequest, sendable } from './answer';
import { Door, notFound } from './door';
import type { MetricsHandlerOptions } from './handler';
import {
  createFastifyHttpMetrics,
  type FastifyHttpMetricsOptions,
  type FastifyInstanceLike,
  type FastifyReplyLike,
  type FastifyRequestLike,
  globalPlugin,
} from './metrics/fastify';

export { createFastifyHttpMetrics };

/** Settings of `fastifyMetrics`. */
export interface FastifyMetricsOptions extends MetricsHandlerOptions {
  /** A prefix of the paths, such as `/internal`. @default '' */
  prefix?: string | undefined;
  /** Called for each `/ready`: 200 if it returns `true`, else 503. @default always ready */
  isReady?: (() => boolean) | undefined;
  /** Records the application's own requests. Pass `true`, or settings. @default false */
  httpMetrics?: boolean | FastifyHttpMetricsOptions | undefined;
}

/** The options that handlers do not have. */
const OWN_OPTIONS = optionNames<Omit<FastifyMetricsOptions, keyof MetricsHandlerOptions>>('fastifyMetrics', {
  prefix: true,
  isReady: true,
  httpMetrics: true,
}).names;

/** Fastify passes the options of `register()` itself on to the plugin. */
const PLUGIN_OPTIONS = [...OWN_OPTIONS, 'logLevel', 'logSerializers'];

/** The part of a Fastify reply that is used to send an answer. */
export interface FastifySendingReply extends FastifyReplyLike {
  code(status: number): unknown;
  headers(headers: Record<string, string>): unknown;
  send(body: unknown): unknown;
}

/** The part of a Fastify instance that is used to add routes. */
export interface FastifyRoutingInstance extends FastifyInstanceLike {
  readonly prefix: string;
  /** The handler's parameters are loosely typed, because Fastify's types are different with `http2`. */
  all(path: string, options: object, handler: (...args: never[]) => unknown): unknown;
}

/**
 * A plugin that answers the exposition's path, `/health`, `/ready` and, with `page: true`, `/` for the instance that it is
 * registered on.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` for an invalid setting; registering the plugin then fails
 *
 * @example
 * app.register(fastifyMetrics, { httpMetrics: true });
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
  const door = new Door(options, 'fastifyMetrics', PLUGIN_OPTIONS);
  const answer = async (request: FastifyRequestLike, reply: FastifySendingReply, path: string): Promise<unknown> => {
    if (isReady !== undefined) door.setReady(isReadyNow(isReady));
    // Fastify's router has matched the path. The URL may have a prefix, and other case and slashes.
    const asked = doorRequest(request.raw, request.raw.url, { mount: path, rest: '', isOwn: true });
    // There is no answer only if the endpoint is disabled.
    const { status, headers, body } = (await door.answer(asked)) ?? notFound();
    reply.code(status);
    reply.headers(headers);
    reply.send(sendable(asked.method, body, door.deliveries, reply.raw));
    return reply;
  };
  const paths = [door.path, '/health', '/ready', ...(door.hasPage ? ['/', ''] : [])];
  for (const [whole, path] of new Map(paths.map((path) => [prefixed(prefix, path) || '/', path]))) {
    const handler = (request: FastifyRequestLike, reply: FastifySendingReply) => answer(request, reply, path);
    const onRequest = (request: FastifyRequestLike, reply: FastifySendingReply, done: () => void): void => {
      const { method } = request.raw;
      if (method === 'GET' || method === 'HEAD') done();
      // Answer before Fastify reads the body, which is not needed.
      else handler(request, reply).catch((error: unknown) => reply.send(error));
    };
    instance.all(whole, { onRequest }, handler);
  }
}

/** The path behind a prefix, with one slash between them, as Fastify's own `prefix` has it. */
function prefixed(prefix: string, path: string): string {
  if (prefix === '') return path;
  const start = prefix.startsWith('/') ? prefix : `/${prefix}`;
  return (start.endsWith('/') ? start.slice(0, -1) : start) + path;
}

/** False if the callback throws, or returns anything but `true`. */
function isReadyNow(isReady: () => unknown): boolean {
  return guarded(isReady, () => {}) === true;
}
