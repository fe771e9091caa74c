// Uses the subpath for Fastify in a program that does not have Fastify.

import type { HttpMetricsSettings } from '@llm-devops/prometheus-metrics';
import {
  createHttpMetrics,
  type FastifyHttpMetricsOptions,
  type FastifyMetricsOptions,
  type FastifyRequestLike,
  fastifyMetrics,
} from '@llm-devops/prometheus-metrics/fastify';

const options: FastifyHttpMetricsOptions = {
  namespace: 'app',
  route: ({ routeOptions }: FastifyRequestLike) => routeOptions.url,
};
const settings: HttpMetricsSettings = options;
const all: FastifyMetricsOptions = { path: '/m', prefix: '/ops', isReady: () => true, httpMetrics: options };
export const plugins = [createHttpMetrics(), createHttpMetrics(options), createHttpMetrics(settings), fastifyMetrics];
export const more: FastifyMetricsOptions[] = [all, { httpMetrics: true }, {}];
// @ts-expect-error: a namespace is a string
createHttpMetrics({ namespace: 1 });
// @ts-expect-error: no such option
export const wrong: FastifyMetricsOptions = { httpMetric: true };
