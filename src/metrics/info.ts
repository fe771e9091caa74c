/**
 * Implements infos: facts about a thing, such as a build's version, in labels of a series whose value is 1.
 */
import { refuseOption } from '../errors';
import type { AnyLabels, Uninferred } from '../types';
import { childOf, enter, Metric, type MetricConfiguration } from './metric';
import { put, revived, Series, seriesSet } from './series';

/** Configuration of an info. */
export interface InfoConfiguration<T extends string = string> extends MetricConfiguration<T, Info<T>> {
  /**
   * The labels that tell one thing from another, of `labelNames`. `set()` replaces the facts of one thing.
   *
   * @default []: there is only one thing
   */
  identity?: readonly Uninferred<T>[] | undefined;
}

/** What `labels()` returns: one set of facts. */
export interface InfoSeries {
  /** Shows these facts. */
  show(): void;
}

/** The series of one set of facts. */
export class InfoCells extends Series {
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
export class Info<T extends string = string> extends Metric<T, InfoCells, InfoSeries> {
  readonly #identity: readonly T[];

  /**
   * @throws {RegistrationError} `INVALID_METRIC_NAME`, `INVALID_LABEL_NAME`, `DUPLICATE_METRIC`
   * @throws {ConfigurationError} `INVALID_CONFIG` for an identity that is not of `labelNames`
   */
  constructor(configuration: InfoConfiguration<T>) {
    const definition = { type: 'info', buckets: [], series: InfoCells } as const;
    super({ aggregator: 'max', ...configuration } as MetricConfiguration<T, never>, definition);
    const { identity = [] } = configuration;
    if (!Array.isArray(identity) || !identity.every((name) => this.labelNames.includes(name))) {
      refuseOption('names of labelNames', 'identity', identity);
    }
    this.#identity = [...identity];
    enter(this);
  }

  /** @internal */
  override [childOf](series: InfoCells): InfoSeries {
    return { show: () => series.show() };
  }

  /**
   * Shows these facts, in place of earlier ones of the same thing.
   *
   * @throws {LabelError} `UNKNOWN_LABEL`
   */
  set(labels: AnyLabels<T>): void {
    const place = this[seriesSet].placeOfArguments([labels]);
    const same = Object.fromEntries(this.#identity.map((name) => [name, labels[name]])) as AnyLabels<T>;
    // Facts that stay keep their place in the exposition.
    this[seriesSet].removeOthers(same, place);
    this[seriesSet].handle(place).show();
  }

  /** True if these facts are shown. */
  value(labels: AnyLabels<T>): boolean {
    return this[seriesSet].cells(labels)?.[0] === 1;
  }

  /** Removes all facts. */
  reset(): void {
    this[seriesSet].clear();
  }
}
