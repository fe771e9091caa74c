/**
 * Makes registries that look like those of a service after some hours. The same seed gives the same registry on every
 * machine and in every version of Node.js.
 */
import { ConfigurationError, describe } from '../errors';
import { exponentialBuckets } from '../metrics/buckets';
import { checkOptionNames, optionNames } from '../options';
import { Registry } from '../registry/registry';
import type { RegistryContentType } from '../types';
import { Random } from './random';

/** Options of `synthesize()`. */
export interface SynthesizeOptions {
  /** An integer. The same seed always gives the same registry. @default 1 */
  seed?: number;
  /** Number of metrics, at most 1,000; their types alternate. @default 8 */
  families?: number;
  /** Most label sets of a metric, from 1 to 10,000. @default 12 */
  series?: number;
  /**
   * Adds label values that are valid and hard to parse: quotes, backslashes, line feeds, braces, other scripts.
   *
   * @default false
   */
  hostile?: boolean;
  /** The format of the registry's `metrics()`. @default text 0.0.4 */
  contentType?: RegistryContentType;
}

const OPTIONS = optionNames<SynthesizeOptions>('synthesize', {
  seed: true,
  families: true,
  series: true,
  hostile: true,
  contentType: true,
});

/** The default limit of a registry; it would fold further label sets into one series. */
const SERIES_MAX = 10_000;
const FAMILIES_MAX = 1_000;

/**
 * Makes a registry with realistic metrics: requests, tokens, cost and latency of models, queues, caches. Values are those
 * of a service that has run for a while; a few label sets are much busier than the others.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` for an option that is not a whole number or is out of range, or for an unknown option
 */
export function synthesize(options: SynthesizeOptions = {}): Registry {
  checkOptionNames(options, OPTIONS);
  const { seed = 1, families = 8, series = 12, hostile = false, contentType } = options;
  checkWhole('seed', seed, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  checkWhole('families', families, 0, FAMILIES_MAX);
  checkWhole('series', series, 1, SERIES_MAX);
  const registry = new Registry({ ...(contentType === undefined ? {} : { contentType }) });
  const random = new Random(seed);
  for (let made = 0; made < families; made++) {
    const template = TEMPLATES[made % TEMPLATES.length];
    // From the second round on, the metrics belong to another service.
    const round = Math.floor(made / TEMPLATES.length);
    const prefix = round === 0 ? '' : `${SERVICES[(round - 1) % SERVICES.length]}${round}_`;
    fill(registry, { ...template, name: prefix + template.name }, random, { series, hostile });
  }
  return registry;
}

function checkWhole(option: string, value: unknown, min: number, max: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return;
  throw new ConfigurationError(
    'INVALID_CONFIG',
    `Expected a whole number from ${min} to ${max} for ${option} but received ${describe(value)}`,
  );
}

/** A metric to make, and the distribution of its values. */
interface Template {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Values by label. */
  readonly labels: Readonly<Record<string, readonly string[]>>;
  readonly buckets?: readonly number[];
  /** One increment, one level, or one observation. */
  readonly draw: (random: Random) => number;
}

const MODELS = ['claude-opus-4', 'claude-sonnet-4', 'gpt-4o', 'gpt-4o-mini', 'gemini-2.0-flash', 'llama-3.3-70b'];
const PROVIDERS = ['anthropic', 'openai', 'google', 'self-hosted'];
const ROUTES = ['/', '/chat', '/v1/messages', '/v1/embeddings', '/users/:id', '/health'];
const SERVICES = ['gateway', 'worker', 'billing', 'search'];

const TEMPLATES: readonly Template[] = [
  {
    name: 'http_requests_total',
    help: 'Requests served',
    type: 'counter',
    labels: { method: ['GET', 'POST', 'PUT', 'DELETE'], route: ROUTES, status: ['200', '201', '400', '404', '500'] },
    draw: (random) => random.whole(1, 40),
  },
  {
    name: 'http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last of its answer',
    type: 'histogram',
    labels: { method: ['GET', 'POST'], route: ROUTES },
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    draw: (random) => random.skewed(0.04, 1.1),
  },
  {
    name: 'llm_tokens_total',
    help: 'Tokens of prompts and answers',
    type: 'counter',
    labels: { model: MODELS, type: ['input', 'output'] },
    draw: (random) => random.whole(20, 4000),
  },
  {
    name: 'llm_cost_usd_total',
    help: 'Cost of calls in US dollars',
    type: 'counter',
    labels: { provider: PROVIDERS, model: MODELS },
    // Prices are fractions of cents, so their sums have many digits that a parser must keep.
    draw: (random) => random.whole(1, 90_000) / 1e6,
  },
  {
    name: 'llm_time_to_first_token_seconds',
    help: 'Time until an answer begins',
    type: 'histogram',
    labels: { model: MODELS },
    buckets: exponentialBuckets(0.05, 2, 9),
    draw: (random) => random.skewed(0.6, 0.7),
  },
  {
    name: 'queue_depth',
    help: 'Jobs that wait',
    type: 'gauge',
    labels: { queue: ['mail', 'embeddings', 'exports', 'webhooks'], priority: ['high', 'low'] },
    draw: (random) => random.whole(0, 300),
  },
  {
    name: 'cache_hit_ratio',
    help: 'Share of look-ups that found something',
    type: 'gauge',
    labels: { cache: ['prompts', 'sessions', 'prices'] },
    draw: (random) => random.whole(0, 10_000) / 10_000,
  },
  {
    name: 'response_size_bytes',
    help: 'Bytes of answers',
    type: 'histogram',
    labels: {},
    buckets: exponentialBuckets(64, 4, 8),
    draw: (random) => Math.round(random.skewed(2000, 1.5)),
  },
];

/** Valid label values that parsers of expositions often read wrongly. */
const HOSTILE = [
  '"',
  '\\',
  '\n',
  '\\n',
  '{a="b"} 1',
  '# EOF',
  ' , ',
  '=',
  '🙂',
  'größe',
  'ＮａＮ',
  '\u0000',
  '\u2028',
  'x'.repeat(200),
];

interface Extent {
  readonly series: number;
  readonly hostile: boolean;
}

function fill(registry: Registry, template: Template, random: Random, extent: Extent): void {
  const { name, help, type, buckets = [], draw } = template;
  const configuration = { name, help, labelNames: Object.keys(template.labels) };
  const sets = labelSets(template.labels, random, extent);
  if (type === 'counter') {
    const counter = registry.counter(configuration);
    for (const labels of sets) for (let left = busyness(random); left > 0; left--) counter.inc(labels, draw(random));
  } else if (type === 'gauge') {
    const gauge = registry.gauge(configuration);
    for (const labels of sets) gauge.set(labels, draw(random));
  } else {
    const histogram = registry.histogram({ ...configuration, buckets });
    for (const labels of sets)
      for (let left = busyness(random); left > 0; left--) histogram.observe(labels, draw(random));
  }
}

/** How often a label set is recorded: most of them seldom, a few often. */
function busyness(random: Random): number {
  return Math.min(500, Math.ceil(random.skewed(8, 1.2)));
}

/** Distinct label sets. If a metric has too few combinations, a number is appended to the value of its first label. */
function labelSets(
  values: Readonly<Record<string, readonly string[]>>,
  random: Random,
  { series, hostile }: Extent,
): Record<string, string>[] {
  const names = Object.keys(values);
  if (names.length === 0) return [{}];
  const combinations = names.reduce((product, name) => product * values[name].length, 1);
  const wanted = random.whole(Math.ceil(series / 2), series);
  const sets = random.shuffled(Math.min(wanted, combinations), combinations).map((number) => {
    let rest = number;
    return Object.fromEntries(
      names.map((name) => {
        const value = values[name][rest % values[name].length];
        rest = Math.floor(rest / values[name].length);
        return [name, value];
      }),
    );
  });
  const [first] = names;
  for (let at = sets.length; at < wanted; at++) {
    const like = sets[at % combinations];
    sets.push({ ...like, [first]: `${like[first]}-${Math.floor(at / combinations)}` });
  }
  if (hostile) for (const set of sets) if (random.below(2) === 0) set[first] += random.pick(HOSTILE);
  return sets;
}
