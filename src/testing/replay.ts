/**
 * Turns a recorded exposition into a registry. A family becomes a metric of this library if such a metric can hold it;
 * else its samples are kept unchanged. This module decides which; `Series` fills its own cells.
 */
import { describe, native, RegistrationError } from '../errors';
import { Counter } from '../metrics/counter';
import { Gauge } from '../metrics/gauge';
import { Histogram } from '../metrics/histogram';
import { LARGEST_LIMIT } from '../metrics/limits';
import type { Metric } from '../metrics/metric';
import { idOf, restore, revived, type Series, seriesSet } from '../metrics/series';
import { addon } from '../native/addon';
import { OPENMETRICS_CONTENT_TYPE, PROMETHEUS_CONTENT_TYPE, Registry } from '../registry/registry';
import type { ForeignMetric, MetricType } from '../types';
import { Exposition, type ParsedFamily, type ParsedSample, parseExposition } from './parse';
import { histogramOf, type RecordedMetric, type RecordedSeries } from './recorded-histogram';
import { labelSetKey } from './series-key';

/**
 * Turns a recorded exposition into a registry. Its `metrics()` is text for a recording in text, and OpenMetrics 1.0 for any
 * other. Counters, gauges and
 * histograms become metrics of this library and can be recorded to. Samples of summaries, families without a type, and
 * incomplete histograms are kept unchanged. Text and OpenMetrics 1.0 that this library wrote are reproduced byte by byte.
 *
 * Not kept: timestamps of samples, times at which series began, units, exemplars without a timestamp, native histograms. Info,
 * state sets and gauge histograms become gauges with the names of their samples. `le` and `quantile` are written in this
 * library's form, a family without HELP gets a blank one, and spaces around a help text are removed.
 *
 * @throws {ExpositionError} `INVALID_EXPOSITION` for an invalid exposition
 * @throws {RegistrationError} `INVALID_METRIC_NAME`, `INVALID_LABEL_NAME` for names that need quotes;
 * `DUPLICATE_METRIC` for two types under one name
 */
export function replay(recorded: string | Uint8Array | Exposition): Registry {
  const exposition = recorded instanceof Exposition ? recorded : parseExposition(recorded);
  // The others name families and bounds as text does.
  const isText = exposition.format !== 'openmetrics';
  const contentType = exposition.format.startsWith('text') ? PROMETHEUS_CONTENT_TYPE : OPENMETRICS_CONTENT_TYPE;
  // The recorded program may have had other limits.
  const registry = new Registry({ contentType, cardinality: { maxSeries: LARGEST_LIMIT, maxTotal: LARGEST_LIMIT } });
  for (const family of merged(exposition.families.flatMap(known), isText)) {
    checkNames(family);
    const metric = metricOf(family, registry, isText);
    if (metric === undefined) registry.registerMetric(new Recording(family));
  }
  return registry;
}

/** Drops samples that a registry cannot hold, and turns the samples of unsupported types into gauges. */
function known(family: ParsedFamily): ParsedFamily[] {
  const kept = family.samples.filter(({ name, nativeHistogram }) => {
    return nativeHistogram === undefined && !(name === `${family.name}_created` && HAS_CREATED.has(family.type));
  });
  if (TYPES.has(family.type)) return [{ ...family, samples: kept }];
  return kept.map((sample) => ({ ...family, name: sample.name, type: 'gauge', samples: [sample] }));
}

const HAS_CREATED: ReadonlySet<string> = new Set(['counter', 'histogram', 'summary']);
const TYPES: ReadonlySet<string> = new Set(['counter', 'gauge', 'histogram', 'summary', 'unknown']);

/** Merges families of one name. An OpenMetrics counter gets the name of its samples, with `_total`. */
function merged(families: readonly ParsedFamily[], isText: boolean): ParsedFamily[] {
  const byName = new Map<string, ParsedFamily>();
  for (const family of families) {
    const name = family.type === 'counter' && !isText ? `${family.name}_total` : family.name;
    const before = byName.get(name);
    if (before === undefined) byName.set(name, { ...family, name, samples: [...family.samples] });
    else if (before.type === family.type) for (const sample of family.samples) before.samples.push(sample);
    else {
      throw new RegistrationError(
        'DUPLICATE_METRIC',
        `Expected one type of ${describe(name)} but received ${before.type} and ${family.type}`,
      );
    }
  }
  return [...byName.values()];
}

function checkNames({ name, samples }: ParsedFamily): void {
  for (const { name: sampleName, labels } of [{ name, labels: {} }, ...samples]) {
    if (!addon.isMetricName(sampleName)) {
      throw new RegistrationError(
        'INVALID_METRIC_NAME',
        `Expected a name that a registry can hold ([a-zA-Z_:][a-zA-Z0-9_:]*) but received ${describe(sampleName)}`,
      );
    }
    for (const label of Object.keys(labels)) {
      if (/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label)) continue;
      throw new RegistrationError(
        'INVALID_LABEL_NAME',
        `Expected a label that a registry can hold ([a-zA-Z_][a-zA-Z0-9_]*) but received ${describe(label)} in ${sampleName}`,
      );
    }
  }
}

/** Registers a metric with the recorded values; returns nothing if no metric can hold them. */
function metricOf(family: ParsedFamily, registry: Registry, isText: boolean): Metric<string, Series> | undefined {
  switch (family.type) {
    case 'counter':
      return filled(family, registry, valuesOf(family), Counter);
    case 'gauge':
      return filled(family, registry, valuesOf(family), Gauge);
    case 'histogram': {
      const recorded = histogramOf(family, isText);
      return recorded && filled(family, registry, recorded, Histogram);
    }
    default:
      return undefined;
  }
}

/** The series of a counter or gauge, with one cell each. */
function valuesOf({ name, samples }: ParsedFamily): RecordedMetric | undefined {
  if (samples.some((sample) => sample.name !== name)) return undefined;
  const series = samples.map(({ labels, value, exemplar }) => ({ labels, cells: [value], exemplars: [exemplar] }));
  return { buckets: [], series };
}

interface Configuration {
  name: string;
  help: string;
  labelNames: string[];
  buckets: readonly number[];
  registers: Registry[];
  enableExemplars: boolean;
}

function filled<M extends Metric<string, Series>>(
  { name, help }: ParsedFamily,
  registry: Registry,
  recorded: RecordedMetric | undefined,
  type: new (configuration: Configuration) => M,
): M | undefined {
  // Without a sample the label names are unknown, and a metric without label names would print a 0.
  if (recorded === undefined || recorded.series.length === 0 || !areDistinct(recorded.series)) return undefined;
  const metric = new type({
    name,
    help: help === '' ? ' ' : help,
    labelNames: [...new Set(recorded.series.flatMap(({ labels }) => Object.keys(labels)))],
    buckets: recorded.buckets,
    registers: [registry],
    enableExemplars: recorded.series.some(({ exemplars }) => exemplars.some((exemplar) => exemplar !== undefined)),
  });
  for (const { labels, cells, exemplars } of recorded.series) {
    const series = metric[seriesSet].at(labels)[revived]();
    series[restore](cells);
    exemplars.forEach((exemplar, cell) => {
      if (exemplar?.timestamp === undefined) return;
      const { value, timestamp } = exemplar;
      const flat = Object.entries(exemplar.labels).flat();
      native(() => metric[seriesSet].family.setExemplar(series[idOf](), cell, flat, value, timestamp));
    });
  }
  return metric;
}

/** True if all label sets are different. An empty label counts as absent. */
function areDistinct(series: readonly RecordedSeries[]): boolean {
  return new Set(series.map(({ labels }) => labelSetKey(labels))).size === series.length;
}

/** A metric that prints its recorded samples unchanged. */
class Recording implements ForeignMetric {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly #samples: readonly ParsedSample[];

  constructor({ name, help, type, samples }: ParsedFamily) {
    this.name = name;
    this.help = help;
    this.type = type === 'unknown' ? 'untyped' : (type as MetricType);
    this.#samples = samples;
  }

  get() {
    const { name, help, type } = this;
    const values = this.#samples.map(({ name: metricName, labels, value }) => ({
      metricName,
      labels: { ...labels },
      value,
    }));
    return { name, help, type, aggregator: 'sum' as const, values };
  }
}
