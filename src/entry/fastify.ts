/**
 * Exports the plugins for Fastify: the endpoint, and metrics of HTTP requests.
 */
import type * as Api from '../api';
import { api } from '../realm';

export const fastifyMetrics: typeof Api.fastifyMetrics = api.fastifyMetrics;
export const createHttpMetrics: typeof Api.createFastifyHttpMetrics = api.createFastifyHttpMetrics;

export type { FastifyMetricsOptions, FastifyRoutingInstance, FastifySendingReply } from '../http/fastify';
export type {
  FastifyHttpMetricsOptions,
  FastifyInstanceLike,
  FastifyPlugin,
  FastifyReplyLike,
  FastifyRequestLike,
} from '../http/metrics/fastify';
