/**
 * What Fastify takes, and nothing else.
 */
import type * as Api from './api';
import { api } from './realm';

export const createHttpMetrics: typeof Api.createFastifyHttpMetrics = api.createFastifyHttpMetrics;

export type {
  FastifyHttpMetricsOptions,
  FastifyInstanceLike,
  FastifyPlugin,
  FastifyReplyLike,
  FastifyRequestLike,
} from './http/metrics/fastify';
