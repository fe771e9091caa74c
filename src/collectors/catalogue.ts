/**
 * Makes metrics from the core's catalogue: names, labels, buckets, help and caps are its. What a word of a label may be,
 * is checked here, because a program without types may give anything.
 */
import type { Counter } from '../metrics/counter';
import type { Gauge } from '../metrics/gauge';
import type { Histogram } from '../metrics/histogram';
import type { CatalogueEntry } from '../native/addon';
import type { Registry } from '../registry/registry';
import { EXEMPLARY } from './exemplary';

/** The value of a label that is beyond its cap, or none of its words. */
export const OTHER = 'other';

/** How the metrics of a catalogue are made. */
export interface CatalogueOptions {
  readonly registry: Registry;
  /** What names begin with. */
  readonly prefix: string;
  /** Metrics that are made because they are asked for. */
  readonly optional: ReadonlySet<string>;
  /** How long a gauge's value is believed that nobody renews, in seconds. */
  readonly ttlSeconds: Readonly<Record<string, number>>;
}

/** The metrics of a catalogue, made in its order, which is the order in which they are shown. */
export class Catalogue {
  readonly #entries = new Map<string, CatalogueEntry>();
  readonly #metrics = new Map<string, Counter | Gauge | Histogram>();

  /** @throws {RegistrationError} for a prefix that no name begins with, or names that are taken by other metrics */
  constructor(entries: readonly CatalogueEntry[], options: CatalogueOptions) {
    for (const entry of entries) {
      this.#entries.set(entry.name, entry);
      if (entry.optIn && !options.optional.has(entry.name)) continue;
      this.#metrics.set(entry.name, make(entry, options));
    }
  }

  counter(name: string): Counter {
    return this.#metrics.get(name) as Counter;
  }

  gauge(name: string): Gauge {
    return this.#metrics.get(name) as Gauge;
  }

  histogram(name: string): Histogram {
    return this.#metrics.get(name) as Histogram;
  }

  /** A histogram that is made only when it is asked for. */
  optional(name: string): Histogram | undefined {
    return this.#metrics.get(name) as Histogram | undefined;
  }

  /** Whether a registry still shows these metrics. */
  isIn(registry: Registry): boolean {
    const [metric] = this.#metrics.values();
    return metric !== undefined && registry.getSingleMetric(metric.name) === metric;
  }

  /** The words of a label. */
  words(name: string, label: string): readonly string[] {
    return this.#label(name, label)?.words ?? [];
  }

  /** How many different values a label may have. */
  cap(name: string, label: string): number {
    return this.#label(name, label)?.max ?? Number.POSITIVE_INFINITY;
  }

  #label(name: string, label: string) {
    return this.#entries.get(name)?.labels.find((spec) => spec.name === label);
  }
}

function make(entry: CatalogueEntry, { registry, prefix, ttlSeconds }: CatalogueOptions) {
  const capped = entry.labels.filter((label) => label.max !== undefined);
  const configuration = {
    name: prefix + entry.name,
    help: entry.help,
    labelNames: entry.labels.map((label) => label.name),
    cardinality: { maxLabelValues: Object.fromEntries(capped.map(({ name, max }) => [name, max])) },
    ttlSeconds: ttlSeconds[entry.name],
  };
  if (entry.kind === 'counter') return registry.counter(configuration);
  if (entry.kind === 'gauge') return registry.gauge(configuration);
  const enableExemplars = EXEMPLARY.has(entry.name);
  return registry.histogram({ ...configuration, buckets: entry.buckets, enableExemplars });
}

/** A word that a label may be; what is none of its words is `other`, and where that is none, nothing. */
export function wordOf(words: readonly string[], given: string | undefined): string | undefined {
  if (given !== undefined && words.includes(given)) return given;
  return words.includes(OTHER) ? OTHER : undefined;
}

/** Names of which so many are taken as they are; further ones are `other`. */
export class CappedNames {
  readonly #names = new Set<string>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** The name as a label shows it; new ones are taken while there is room. */
  admit(name: string): string {
    if (this.#names.has(name)) return name;
    if (this.#names.size >= this.#max) return OTHER;
    this.#names.add(name);
    return name;
  }

  /** The name if it was taken before; so that a typo in a failed request makes no series. */
  known(name: string): string {
    return this.#names.has(name) ? name : OTHER;
  }
}
