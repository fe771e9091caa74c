/**
 * Implements infos: facts about a thing, such as a build's version, in labels of a series whose value is 1.
 */
import { refuseOption } from '../errors';
import type { LabelValues } from '../types';
import { Metric, type MetricConfiguration } from './metric';
import { put, revived, Series } from './series';

/** Configuration of an info. */
export interface InfoConfiguration<T extends string = string> extends MetricConfiguration<T, Info<T>> {
  /**
   * The labels that tell one thing from another, of `labelNames`. `set()` replaces the facts of one thing.
   *
   * @default []: there is only one thing
   */
  identity?: readonly NoInfer<T>[] | undefined;
}

/** The series of one set of facts. */
export class InfoSeries extends Series {
  /** Shows these facts. */
  show(): void {
    this[revived]()[put](1);
  }
}

/**
 * Facts that change seldom or never: versions, revisions, modes. OpenMetrics has a type for it; text 0.0.4 shows a gauge.
 * Samples have the suffix `_info`.
 *
 * @example
 * const build = new Info({ name: 'build', help: 'The running build', labelNames: ['version', 'revision'] });
 * build.set({ version: '1.2.3', revision: 'e1a2b3c' });
 */
export class Info<T extends string = string> extends Metric<T, InfoSeries> {
  readonly #identity: readonly T[];

  /**
   * @throws {RegistrationError} `INVALID_METRIC_NAME`, `INVALID_LABEL_NAME`, `DUPLICATE_METRIC`
   * @throws {ConfigurationError} `INVALID_CONFIG` for an identity that is not of `labelNames`
   */
  constructor(configuration: InfoConfiguration<T>) {
    super('info', { aggregator: 'max', ...configuration } as MetricConfiguration<T, never>, [], InfoSeries);
    const { identity = [] } = configuration;
    if (!Array.isArray(identity) || !identity.every((name) => this.labelNames.includes(name))) {
      refuseOption('names of labelNames', 'identity', identity);
    }
    this.#identity = [...identity];
    this.register();
  }

  /**
   * Shows these facts, in place of earlier ones of the same thing.
   *
   * @throws {LabelError} `UNKNOWN_LABEL`
   */
  set(labels: LabelValues<T>): void {
    const place = this.series.placeOfArguments([labels]);
    const same = Object.fromEntries(this.#identity.map((name) => [name, labels[name]])) as LabelValues<T>;
    // Facts that stay keep their place in the exposition.
    this.series.removeOthers(same, place);
    this.series.handle(place).show();
  }

  /** True if these facts are shown. */
  value(labels: LabelValues<T>): boolean {
    return this.peekCells(labels)?.[0] === 1;
  }

  /** Removes all facts. */
  reset(): void {
    this.series.clear();
  }
}
