/**
 * Makes the metrics of a catalogue in a registry. Names, labels, words, buckets, help and caps are data of the core. It must
 * not know what the metrics mean.
 */
import { describe, ValueError } from '../errors';
import type { Counter } from '../metrics/counter';
import type { Gauge } from '../metrics/gauge';
import type { Histogram } from '../metrics/histogram';
import type { CatalogueEntry } from '../native/addon';
import type { Registry } from '../registry/registry';
import { WITH_EXEMPLARS } from './exemplar-series';
import { findWord } from './label-values';

/** The registry of a catalogue's metrics, and what the catalogue leaves open. */
export interface FamiliesOptions {
  readonly registry: Registry;
  /** Stands before every name. */
  readonly prefix: string;
  /** The metrics to make that are off by default. */
  readonly optional: ReadonlySet<string>;
  /** One more label of some metrics, behind the catalogue's own. */
  readonly more?: { readonly label: string; readonly max: number; readonly metrics: ReadonlySet<string> } | undefined;
}

/** The metrics of a catalogue, made in its order, which is the order of the exposition. */
export class Families {
  readonly #entries = new Map<string, CatalogueEntry>();
  readonly #metrics = new Map<string, Counter | Gauge | Histogram>();

  /** @throws {RegistrationError} for an invalid prefix, or if another metric has one of the names */
  constructor(entries: readonly CatalogueEntry[], options: FamiliesOptions) {
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

  /** A histogram that is off by default; nothing if it was not asked for. */
  optional(name: string): Histogram | undefined {
    return this.#metrics.get(name) as Histogram | undefined;
  }

  /** A counter that is off by default; nothing if it was not asked for. */
  optionalCounter(name: string): Counter | undefined {
    return this.#metrics.get(name) as Counter | undefined;
  }

  /** Whether the registry still has these metrics. */
  isIn(registry: Registry): boolean {
    const [metric] = this.#metrics.values();
    return metric !== undefined && registry.getSingleMetric(metric.name) === metric;
  }

  /** The words of a label. */
  words(name: string, label: string): readonly string[] {
    return this.#label(name, label)?.words ?? [];
  }

  /** @throws {ValueError} `INVALID_VALUE` for an unknown word, unless the label has `other` */
  checkedWord(name: string, label: string, given: string): string {
    const words = this.words(name, label);
    const word = findWord(words, given);
    if (word !== undefined) return word;
    throw new ValueError(
      'INVALID_VALUE',
      `Expected one of ${words.join(', ')} for ${label} but received ${describe(given)}`,
    );
  }

  /** How many different values a label may have. */
  cap(name: string, label: string): number {
    return this.#label(name, label)?.max ?? Number.POSITIVE_INFINITY;
  }

  #label(name: string, label: string) {
    return this.#entries.get(name)?.labels.find((spec) => spec.name === label);
  }
}

function make(entry: CatalogueEntry, { registry, prefix, more }: FamiliesOptions) {
  const capped = entry.labels.filter((label) => label.max !== undefined).map(({ name, max }) => [name, max] as const);
  const labelNames = entry.labels.map((label) => label.name);
  if (more?.metrics.has(entry.name)) {
    labelNames.push(more.label);
    // The collector counts values above the limit as `other`, which is one more.
    capped.push([more.label, more.max + 1]);
  }
  const configuration = {
    name: prefix + entry.name,
    help: entry.help,
    labelNames,
    cardinality: { maxLabelValues: Object.fromEntries(capped) },
    ttlSeconds: entry.ttlSeconds,
  };
  if (entry.kind === 'counter') return registry.counter(configuration);
  if (entry.kind === 'gauge') return registry.gauge(configuration);
  const enableExemplars = WITH_EXEMPLARS.has(entry.name);
  return registry.histogram({ ...configuration, buckets: entry.buckets, enableExemplars });
}
