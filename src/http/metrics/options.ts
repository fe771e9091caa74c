/**
 * What `createHttpMetrics()` is told, checked once. Knows no framework.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ConfigurationError, describe } from '../../errors';
import { checkedBuckets } from '../../metrics/buckets';
import { Registry } from '../../registry/registry';

/** A request as `ignore` sees it. */
export interface HttpRequestLine {
  /** As it was sent. */
  readonly method: string;
  /** Without the query, whatever the application is mounted under. */
  readonly path: string;
}

/** Settings that every form of HTTP metrics has. */
export interface HttpMetricsSettings {
  /** Where the metrics are registered. @default register */
  registry?: Registry | undefined;
  /** What the metrics' names begin with; `''` for none. @default 'llmdevops' */
  namespace?: string | undefined;
  /**
   * Bounds of the duration's buckets, in seconds.
   *
   * @default [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
   */
  durationBuckets?: readonly number[] | undefined;
  /** Bounds of the sizes' buckets, in bytes. @default [100, 1000, 10000, 100000, 1000000, 10000000] */
  sizeBuckets?: readonly number[] | undefined;
  /** Whether the sizes of bodies are recorded. @default true */
  sizes?: boolean | undefined;
  /** Requests that are not recorded: paths, expressions that paths match, or a predicate. @default [] */
  ignore?: readonly (string | RegExp)[] | ((request: HttpRequestLine) => boolean) | undefined;
  /** How many routes may show; those that come later are `other`. @default 1000 */
  maxRoutes?: number | undefined;
}

/** Settings of `createHttpMetrics()`. */
export interface HttpMetricsOptions extends HttpMetricsSettings {
  /**
   * The route of a request, asked for when its response has ended: a pattern, never a path. `undefined` leaves it to
   * what the framework knows. Must be one of few values.
   */
  route?(request: IncomingMessage, response: ServerResponse): string | undefined;
}

/** Settings with nothing left open. */
export interface CheckedSettings {
  readonly registry: Registry;
  readonly prefix: string;
  readonly durationBuckets: readonly number[];
  readonly sizeBuckets: readonly number[];
  readonly sizes: boolean;
  readonly isIgnored: ((request: HttpRequestLine) => boolean) | undefined;
  readonly maxRoutes: number;
}

/** Beyond ten seconds too, because a model's answer takes that long. */
const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const SIZE_BUCKETS = [100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];
const MAX_ROUTES = 1000;

/** @throws {ConfigurationError} `INVALID_CONFIG` */
export function checkSettings(options: HttpMetricsSettings & { route?: unknown }): CheckedSettings {
  expect(typeof options === 'object' && options !== null, 'an object', options, 'options');
  const { registry = Registry.globalRegistry, namespace = 'llmdevops', sizes = true, route } = options;
  const { maxRoutes = MAX_ROUTES, durationBuckets = DURATION_BUCKETS, sizeBuckets = SIZE_BUCKETS } = options;
  expect(registry instanceof Registry, 'a Registry', registry, 'registry');
  expect(typeof namespace === 'string', 'a string', namespace, 'namespace');
  expect(typeof sizes === 'boolean', 'true or false', sizes, 'sizes');
  expect(Number.isInteger(maxRoutes) && maxRoutes > 0, 'a whole number above 0', maxRoutes, 'maxRoutes');
  expect(route === undefined || typeof route === 'function', 'a function', route, 'route');
  return {
    registry,
    prefix: namespace === '' ? '' : `${namespace}_`,
    durationBuckets: checkedBuckets(durationBuckets),
    sizeBuckets: checkedBuckets(sizeBuckets),
    sizes,
    isIgnored: ignoring(options.ignore),
    maxRoutes,
  };
}

function ignoring(ignore: HttpMetricsSettings['ignore']): CheckedSettings['isIgnored'] {
  if (ignore === undefined || typeof ignore === 'function') return ignore;
  const usable = (path: unknown) => typeof path === 'string' || path instanceof RegExp;
  expect(Array.isArray(ignore) && ignore.every(usable), 'an array of paths or a function', ignore, 'ignore');
  if (ignore.length === 0) return undefined;
  const paths = new Set(ignore.filter((path) => typeof path === 'string'));
  const expressions = ignore.filter((path) => path instanceof RegExp);
  // `search()`, because `test()` of an expression with a `g` depends on the call before.
  return ({ path }) => paths.has(path) || expressions.some((expression) => path.search(expression) >= 0);
}

function expect(holds: boolean, wanted: string, received: unknown, name: string): void {
  if (holds) return;
  throw new ConfigurationError('INVALID_CONFIG', `Expected ${wanted} for ${name} but received ${describe(received)}`);
}
