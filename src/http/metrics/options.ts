/**
 * The settings of `createHttpMetrics()`, and their validation. Must not know any framework.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { types } from 'node:util';
import { ConfigurationError, describe } from '../../errors';
import { checkedBuckets } from '../../metrics/buckets';
import { checkOptionNames, optionNames } from '../../options';
import { Registry } from '../../registry/registry';

/** The request that `ignore` decides about. */
export interface HttpRequestLine {
  /** As the client sent it. */
  readonly method: string;
  /** The full path as the client sent it, without the query. */
  readonly path: string;
}

/** Settings that all frameworks share. */
export interface HttpMetricsSettings {
  /** The registry of the metrics. @default register */
  registry?: Registry | undefined;
  /** The prefix of the metrics' names; `''` for no prefix. @default 'llmdevops' */
  namespace?: string | undefined;
  /**
   * Upper bounds of the buckets of durations, in seconds.
   *
   * @default [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
   */
  durationBuckets?: readonly number[] | undefined;
  /** Upper bounds of the buckets of sizes, in bytes. @default [100, 1000, 10000, 100000, 1000000, 10000000] */
  sizeBuckets?: readonly number[] | undefined;
  /** Records the sizes of request and response bodies. @default true */
  sizes?: boolean | undefined;
  /** Requests that are not recorded: exact paths, regular expressions for paths, or a function. @default [] */
  ignore?: readonly (string | RegExp)[] | ((request: HttpRequestLine) => boolean) | undefined;
  /** Most values of the `route` label; later routes are recorded as `other`. @default 1000 */
  maxRoutes?: number | undefined;
}

/** Settings of `createHttpMetrics()`. */
export interface HttpMetricsOptions extends HttpMetricsSettings {
  /**
   * Returns the route of a request: a pattern such as `/users/:id`, never a path, because each route makes new series.
   * Called after the response has ended. For `undefined`, the framework's own route is used.
   */
  route?(request: IncomingMessage, response: ServerResponse): string | undefined;
}

const OPTIONS = optionNames<HttpMetricsOptions>('createHttpMetrics', {
  registry: true,
  namespace: true,
  durationBuckets: true,
  sizeBuckets: true,
  sizes: true,
  ignore: true,
  maxRoutes: true,
  route: true,
});

/** Validated settings, with their defaults. */
export interface CheckedSettings {
  readonly registry: Registry;
  readonly prefix: string;
  readonly durationBuckets: readonly number[];
  readonly sizeBuckets: readonly number[];
  readonly sizes: boolean;
  readonly isIgnored: ((request: HttpRequestLine) => boolean) | undefined;
  readonly maxRoutes: number;
}

/** Has buckets above ten seconds too, because answers of models take that long. */
const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const SIZE_BUCKETS = [100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];
const MAX_ROUTES = 1000;

/** @throws {ConfigurationError} `INVALID_CONFIG` for an unknown or invalid setting */
export function checkSettings(options: HttpMetricsSettings & { route?: unknown }): CheckedSettings {
  expect(typeof options === 'object' && options !== null, 'an object', options, 'options');
  checkOptionNames(options, OPTIONS);
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
  const usable = (path: unknown) => typeof path === 'string' || types.isRegExp(path);
  expect(Array.isArray(ignore) && ignore.every(usable), 'an array of paths or a function', ignore, 'ignore');
  if (ignore.length === 0) return undefined;
  const paths = new Set(ignore.filter((path) => typeof path === 'string'));
  const expressions = ignore.filter((path) => types.isRegExp(path));
  // `search()`, because `test()` of an expression with a `g` depends on the call before.
  return ({ path }) => paths.has(path) || expressions.some((expression) => path.search(expression) >= 0);
}

function expect(holds: boolean, wanted: string, received: unknown, name: string): void {
  if (holds) return;
  throw new ConfigurationError('INVALID_CONFIG', `Expected ${wanted} for ${name} but received ${describe(received)}`);
}
