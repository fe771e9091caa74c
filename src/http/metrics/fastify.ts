/**
 * Fastify's form of the HTTP metrics: a plugin. Its types are what the plugin needs of Fastify's, so that nobody has
 * to install Fastify who does not use it.
 */
import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { follow } from './exchange';
import { checkSettings, type HttpMetricsSettings } from './options';
import { HttpRecorder } from './recorder';

/** What the plugin needs of a request of Fastify's. */
export interface FastifyRequestLike {
  readonly raw: IncomingMessage;
  readonly routeOptions: { readonly url?: string | undefined };
}

/** What the plugin needs of a reply of Fastify's. */
export interface FastifyReplyLike {
  readonly raw: ServerResponse;
}

/** What the plugin needs of a Fastify instance. */
export interface FastifyInstanceLike {
  readonly server: EventEmitter;
  addHook(
    name: 'onRequest',
    hook: (request: FastifyRequestLike, reply: FastifyReplyLike, done: () => void) => void,
  ): unknown;
}

/** A Fastify plugin; its hooks hold for the whole instance that it is registered on. */
export type FastifyPlugin<O> = (instance: FastifyInstanceLike, options: O, done: (error?: Error) => void) => void;

/** Settings of the Fastify plugin. */
export interface FastifyHttpMetricsOptions extends HttpMetricsSettings {
  /**
   * The route of a request, asked for when its response has ended: a pattern, never a path. `undefined` leaves it to
   * what Fastify knows. Must be one of few values.
   */
  route?(request: FastifyRequestLike): string | undefined;
}

/**
 * A plugin that records what the middleware of the same name does.
 *
 * @example
 * app.register(createHttpMetrics({ ignore: ['/metrics'] }));
 * @throws {ConfigurationError} `INVALID_CONFIG`
 * @throws {RegistrationError} `TYPE_MISMATCH` where the registry has these metrics with other buckets
 */
export function createFastifyHttpMetrics(options: FastifyHttpMetricsOptions = {}): FastifyPlugin<unknown> {
  const recorder = new HttpRecorder(checkSettings(options));
  const start = (request: IncomingMessage, response: ServerResponse, routed?: FastifyRequestLike): void => {
    if (recorder.ignores(request.method, request.url)) return;
    follow(recorder, request, response, () => routed && (options.route?.(routed) ?? routed.routeOptions.url));
  };
  return globalPlugin('llm-devops-http-metrics', (instance, _options, done) => {
    // Fastify answers a path that it cannot decode before any hook runs.
    instance.server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
      start(request, response);
    });
    instance.addHook('onRequest', (request, reply, next) => {
      start(request.raw, reply.raw, request);
      next();
    });
    done();
  });
}

/** Marks a plugin as one whose hooks and routes are its parent's. */
export function globalPlugin<P extends object>(name: string, plugin: P): P {
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: name,
    [Symbol.for('plugin-meta')]: { name, fastify: '>=4' },
  });
}
