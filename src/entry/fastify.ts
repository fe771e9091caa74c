/**
 * Exports the plugins for Fastify: the endpoint, and metrics of HTTP requests.
 */
import type * as Fastify from '../http/fastify';
import { api } from '../realm';

const fastify: typeof Fastify = api.fastify();

export const fastifyMetrics: typeof Fastify.fastifyMetrics = fastify.fastifyMetrics;
export const createHttpMetrics: typeof Fastify.createFastifyHttpMetrics = fastify.createFastifyHttpMetrics;

export type { FastifyMetricsOptions, FastifyRoutingInstance, FastifySendingReply } from '../http/fastify';
export type {
  FastifyHttpMetricsOptions,
  FastifyInstanceLike,
  FastifyPlugin,
  FastifyReplyLike,
  FastifyRequestLike,
} from '../http/metrics/fastify';
