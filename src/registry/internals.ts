/**
 * Holds the parts of one registry together. The rooms of this package that need more than the public methods (the
 * endpoint, the testing kit) get it from `internalsOf()`; users never see it.
 */
import { isMainThread } from 'node:worker_threads';
import { native, refuseOption } from '../errors';
import { checkReserved, flatLabels, presentLabels } from '../labels/value';
import { Metric } from '../metrics/metric';
import { forgetRefusals } from '../metrics/overflow';
import { seriesSet } from '../metrics/series';
import {
  addon,
  type EmbeddingOptions,
  type NativeConfig,
  type NativeRegistry,
  type NativeService,
} from '../native/addon';
import { privateRegistry } from '../native/contributor';
import type { LabelValue, Logger, NameRule, RegistryContentType } from '../types';
import { Collections } from './collections';
import { Entries } from './entries';
import { Mounts } from './mounts';
import type { ScrapeOptions } from './scraping';
import { SeriesPolicies } from './series-policies';
import { TaskRunner } from './tasks';

/** The parts of one registry. */
export class RegistryInternals {
  readonly native: NativeRegistry;
  readonly entries: Entries;
  readonly policies: SeriesPolicies;
  readonly collections: Collections;
  readonly mounts: Mounts;
  /** The format of `metrics()`. */
  contentType: RegistryContentType;
  readonly #runner: TaskRunner;
  /** True for the default registry, whose scrape can show all threads of the process. */
  readonly #isShared: boolean;
  /** Families that a warning has named. */
  readonly #mismatches = new Set<string>();
  #defaultLabels: Readonly<Record<string, LabelValue>> = {};
  #created = false;
  #names: NameRule = 'legacy';

  /** @param shared the core's registry that all threads share; a new one that only this thread sees if missing */
  constructor(contentType: RegistryContentType, logger: Logger, shared: NativeRegistry | undefined) {
    this.contentType = contentType;
    this.native = shared ?? privateRegistry();
    this.#isShared = shared !== undefined;
    this.#runner = new TaskRunner(logger, (name) => this.native.collectorFailed(name));
    this.entries = new Entries(this.native);
    this.policies = new SeriesPolicies(this.native);
    this.mounts = new Mounts(this.native, () => this.collections.notify());
    this.collections = new Collections(this.native, this.entries, this.#runner, this.mounts);
  }

  /** The labels that every series shows, as they were given. */
  get defaultLabels(): Readonly<Record<string, LabelValue>> {
    return this.#defaultLabels;
  }

  set defaultLabels(labels: Readonly<Record<string, LabelValue>>) {
    const present = presentLabels(labels);
    // A histogram's sum and count would show them, and its buckets would not.
    checkReserved(Object.keys(present), ['le', 'quantile']);
    native(() => this.native.setDefaultLabels(flatLabels(present)));
    this.#defaultLabels = present;
  }

  /** The rule for names of metrics and labels. */
  get names(): NameRule {
    return this.#names;
  }

  set names(names: NameRule) {
    if (names !== 'utf8' && names !== 'legacy') refuseOption("'legacy' or 'utf8'", 'names', names);
    this.native.setUtf8(names === 'utf8');
    this.#names = names;
  }

  /** Whether OpenMetrics 1.0 shows when each series began. */
  get created(): boolean {
    return this.#created;
  }

  set created(shown: boolean) {
    if (typeof shown !== 'boolean') refuseOption('true or false', 'created', shown);
    this.native.setCreated(shown);
    this.#created = shown;
  }

  /** Removes all metrics, mounted registries and default labels. */
  clear(): void {
    this.mounts.unmountAll();
    this.entries.clear();
    this.#defaultLabels = {};
    this.metricsChanged();
  }

  /** Has to be called after a metric was added or removed: limits may have room again, and collections may change. */
  metricsChanged(): void {
    forgetRefusals();
    this.collections.notify();
  }

  /** Applies the policies to all metrics that are registered now. */
  applyPolicies(): void {
    for (const [, { metric }] of this.entries) if (metric instanceof Metric) this.policies.apply(metric[seriesSet]);
  }

  /** Clears limits, time to live and sanitizer; returns a function that restores them. */
  putPoliciesAside(): () => void {
    const restore = this.policies.putAside();
    this.applyPolicies();
    return () => {
      restore();
      this.applyPolicies();
    };
  }

  /** A scrape service of the core that shows this registry. */
  createService(config: NativeConfig, embedding: EmbeddingOptions): NativeService {
    // The settings may raise limits.
    forgetRefusals();
    return native(() => new addon.NativeService(this.native, config, embedding));
  }

  /** True if a scrape with this scope shows all threads of the process. */
  showsProcess(scope: ScrapeOptions['scope']): boolean {
    return this.#isShared && (scope === undefined ? isMainThread : scope === 'process');
  }

  /** Warns through the registry's logger. */
  warn(message: string): void {
    this.#runner.warn(message);
  }

  /** Warns of families that a scrape left out, once for each name. */
  warnOfMismatches(names: readonly string[]): void {
    for (const name of names) {
      if (this.#mismatches.has(name)) continue;
      this.#mismatches.add(name);
      this.warn(
        `TYPE_MISMATCH: "${name}" has another type or other buckets in another thread or registry, or writes samples that another metric or the endpoint itself writes; its values there are left out`,
      );
    }
  }
}
