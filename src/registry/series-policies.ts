/**
 * What a registry demands of the series of its metrics: limits, a time to live, clean labels. The core holds them; what is
 * left to do in JavaScript each metric is told of.
 */
import { native } from '../errors';
import { checkedSanitizer, type SanitizerOptions } from '../labels/sanitizer';
import { checkedTtl, type Expiring, watchExpiry } from '../metrics/expiry';
import { checkedLimits, checkedMaxTotal, LARGEST_LIMIT } from '../metrics/limits';
import { forgetRefusals } from '../metrics/overflow';
import type { FamilyCardinality, NativeRegistry } from '../native/addon';
import type { CardinalityReport, MetricCardinality, RegistryCardinalityOptions } from '../types';

/** The series of a metric, as demands are made of them. */
interface PolicyTarget extends Expiring {
  /** Cleans label values from now on. */
  clean(): void;
}

/** The demands of one registry. */
export class SeriesPolicies {
  readonly #native: NativeRegistry;
  #expires = false;
  #cleans = false;
  /** As they were set last. */
  #cardinality: RegistryCardinalityOptions = {};
  #ttlSeconds = 0;
  #sanitize: boolean | SanitizerOptions = false;

  constructor(registry: NativeRegistry) {
    this.#native = registry;
  }

  setCardinality(options: RegistryCardinalityOptions): void {
    const limits = checkedLimits(options);
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
    // Metrics that were cleaned have to forget what they remember.
    this.#cleans ||= settings !== undefined;
  }

  /** Demands nothing from now on; returns what demands again what was demanded before. */
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

  /** Tells the series of a metric what there is to do for them here. */
  apply(series: PolicyTarget): void {
    if (this.#expires) watchExpiry(series);
    if (this.#cleans) series.clean();
  }

  /** What the series are made of. */
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
