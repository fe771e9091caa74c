/**
 * HTTP metrics as a Fastify plugin. Structural types describe the parts of Fastify that are used, so that Fastify stays an
 * optional package.
 */
import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { follow } from './exchange';
import { checkSettings, type HttpMetricsSettings } from './options';
import { HttpRecorder } from './recorder';

/** The part of a Fastify request that is used. */
export interface FastifyRequestLike {
  readonly raw: IncomingMessage;
  readonly routeOptions: { readonly url?: string | undefined };
}

/** The part of a Fastify reply that is used. */
export interface FastifyReplyLike {
  readonly raw: ServerResponse;
}

/** The part of a Fastify instance that is used. */
export interface FastifyInstanceLike {
  readonly server: EventEmitter;
  addHook(
    name: 'onRequest',
    hook: (request: FastifyRequestLike, reply: FastifyReplyLike, done: () => void) => void,
  ): unknown;
}

/** A Fastify plugin. Its hooks apply to the whole instance that it is registered on. */
export type FastifyPlugin<O> = (instance: FastifyInstanceLike, options: O, done: (error?: Error) => void) => void;

/** Settings of the Fastify plugin. */
export interface FastifyHttpMetricsOptions extends HttpMetricsSettings {
  /**
   * Returns the route of a request: a pattern such as `/users/:id`, never a path, because each route makes new series.
   * Called after the response has ended. For `undefined`, Fastify's own route is used.
   */
  route?(request: FastifyRequestLike): string | undefined;
}

/**
 * Makes a plugin that records the same metrics as the middleware of the same name.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` for an invalid setting
 * @throws {RegistrationError} `TYPE_MISMATCH` if the registry has these metrics with other buckets
 *
 * @example
 * app.register(createHttpMetrics({ ignore: ['/metrics'] }));
 */
export function createFastifyHttpMetrics(options: FastifyHttpMetricsOptions = {}): FastifyPlugin<unknown> {
  const recorder = new HttpRecorder(checkSettings(options));
  return pluginThat(({ raw: request, answer, routed }) => {
    follow(recorder, request, answer, request.url, () => routed && (options.route?.(routed) ?? routeOf(routed)));
  });
}

/** The route that Fastify has matched. */
export function routeOf(request: FastifyRequestLike): string | undefined {
  return request.routeOptions.url;
}

/** A request that a Fastify server has received. `routed` is not set before Fastify has routed it. */
export interface ReceivedRequest {
  readonly raw: IncomingMessage;
  readonly answer: ServerResponse;
  readonly routed?: FastifyRequestLike;
}

/** Makes a plugin that reports each request when it arrives, and again when it is routed. */
export function pluginThat(received: (request: ReceivedRequest) => void): FastifyPlugin<unknown> {
  return globalPlugin('llm-devops-http-metrics', (instance, _options, done) => {
    // Fastify runs no hook for a path that it cannot decode, so listen to the server too.
    instance.server.prependListener('request', (raw: IncomingMessage, answer: ServerResponse) => {
      received({ raw, answer });
    });
    instance.addHook('onRequest', (routed, reply, next) => {
      received({ raw: routed.raw, answer: reply.raw, routed });
      next();
    });
    done();
  });
}

/** Marks a plugin so that its hooks and routes apply to the parent instance. */
export function globalPlugin<P extends object>(name: string, plugin: P): P {
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: name,
    [Symbol.for('plugin-meta')]: { name, fastify: '>=4' },
  });
}
