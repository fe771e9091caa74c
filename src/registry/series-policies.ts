/**
 * Sets the policies of a registry for the series of its metrics: limits, time to live, cleaning of labels. The core
 * keeps and enforces them; this passes the part that JavaScript has to do on to each metric.
 */
import { native } from '../errors';
import { checkedSanitizer, type SanitizerOptions } from '../labels/sanitizer';
import { checkedTtl, type Expiring, watchExpiry } from '../metrics/expiry';
import { checkedLimits, checkedMaxTotal, LARGEST_LIMIT, REGISTRY_LIMITS } from '../metrics/limits';
import { forgetRefusals } from '../metrics/overflow';
import type { FamilyCardinality, NativeRegistry } from '../native/addon';
import type { CardinalityReport, MetricCardinality, RegistryCardinalityOptions } from '../types';

/** The series of a metric, as this module sees them. */
interface PolicyTarget extends Expiring {
  /** Cleans label values from now on. */
  clean(): void;
}

/** The policies of one registry. */
export class SeriesPolicies {
  readonly #native: NativeRegistry;
  #expires = false;
  #cleans = false;
  /** The settings as they were given last. */
  #cardinality: RegistryCardinalityOptions = {};
  #ttlSeconds = 0;
  #sanitize: boolean | SanitizerOptions = false;

  constructor(registry: NativeRegistry) {
    this.#native = registry;
  }

  setCardinality(options: RegistryCardinalityOptions): void {
    const limits = checkedLimits(options, REGISTRY_LIMITS);
    this.#native.setLimits(limits, checkedMaxTotal(options));
    this.#cardinality = options;
    forgetRefusals();
  }

  setTtl(seconds: number): void {
    const ttl = checkedTtl(seconds) ?? 0;
    this.#native.setTtl(ttl);
    this.#ttlSeconds = ttl;
    this.#expires ||= ttl > 0;
  }

  setSanitizer(options: boolean | SanitizerOptions): void {
    const settings = checkedSanitizer(options);
    native(() => this.#native.setSanitizer(settings));
    this.#sanitize = options;
    // Stays true: metrics that remember cleaned values have to forget them when the settings change.
    this.#cleans ||= settings !== undefined;
  }

  /** Clears limits, time to live and sanitizer; returns a function that restores them. */
  putAside(): () => void {
    const [cardinality, ttlSeconds, sanitize] = [this.#cardinality, this.#ttlSeconds, this.#sanitize];
    this.setCardinality({ maxSeries: LARGEST_LIMIT, maxTotal: LARGEST_LIMIT });
    this.setTtl(0);
    this.setSanitizer(false);
    return () => {
      this.setCardinality(cardinality);
      this.setTtl(ttlSeconds);
      this.setSanitizer(sanitize);
    };
  }

  /** Applies the policies to the series of a metric. */
  apply(series: PolicyTarget): void {
    if (this.#expires) watchExpiry(series);
    if (this.#cleans) series.clean();
  }

  /** Counts the series of all metrics. */
  report(): CardinalityReport {
    const { metrics, ...total } = this.#native.cardinality();
    return { ...total, metrics: metrics.map(toMetricCardinality) };
  }
}

function toMetricCardinality(metric: FamilyCardinality): MetricCardinality {
  const { kind, labelNames, labelValues, labelLimits, ...rest } = metric;
  const labels = labelNames.map((name, index) => {
    const maxValues = labelLimits[index];
    return [name, { values: labelValues[index], ...(maxValues > 0 ? { maxValues } : {}) }] as const;
  });
  return { ...rest, type: kind, labels: Object.fromEntries(labels) };
}
