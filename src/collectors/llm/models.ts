/**
 * Finds the series of a request by the names of its model and provider. Decides how labels show these names: normalized, with a
 * limit, and `other` for a model that may be a typo.
 */

import { CappedNames } from '../../labels/capped-names';
import { guarded } from '../../warnings';
import type { Families } from '../families';
import { OTHER, readName } from '../label-values';
import { ModelSeries } from './model-series';
import type { Prices } from './prices';
import { checkTarget, type LlmTarget } from './request';
import { type Recording, UnknownModel } from './unknown-model';

/** How many names of models, as requests have them, are remembered. */
const NAMES_MAX = 1000;

/** The models and providers that a collector knows. */
export class Models {
  readonly #families: Families;
  readonly #prices: Prices;
  readonly #normalize: (model: string) => string;
  readonly #shown: CappedNames;
  readonly #providers: CappedNames;
  /** Label values of models, by the name in the request. */
  readonly #names = new Map<unknown, string>();
  /** Series by model and provider as the request names them. Most requests need only this look-up. */
  readonly #known = new Map<unknown, Map<unknown, ModelSeries>>();
  /** Series by the label values of model and provider. */
  readonly #series = new Map<string, Map<string, ModelSeries>>();
  /** Unknown models with running requests, by provider and name. */
  readonly #unknown = new Map<string, UnknownModel>();

  constructor(families: Families, prices: Prices, normalize: (model: string) => string) {
    this.#families = families;
    this.#prices = prices;
    this.#normalize = normalize;
    this.#shown = new CappedNames(families.cap('llm_requests_total', 'model'));
    this.#providers = new CappedNames(families.cap('llm_requests_total', 'provider'));
  }

  /** The label value of a model. @param admits whether an unknown model becomes known */
  label(given: unknown, admits: boolean): string {
    const name = this.name(given);
    return admits ? this.#shown.admit(name) : this.#shown.known(name);
  }

  /** The model's name as labels show it, unless it is over the limit or unknown. */
  name(given: unknown): string {
    const known = this.#names.get(given);
    if (known !== undefined) return known;
    const name = this.#normalized(given);
    if (this.#names.size >= NAMES_MAX) this.#names.clear();
    this.#names.set(given, name);
    return name;
  }

  #normalized(model: unknown): string {
    const name = guarded(
      () => this.#normalize(readName(model)),
      () => {},
    );
    return name === undefined ? OTHER : readName(name);
  }

  /** The series of a model. An unknown model gets none of its own unless `admits` is true: its name may be a typo. */
  seriesOf(target: LlmTarget, admits: boolean): ModelSeries {
    checkTarget(target);
    const { model: given, provider: from } = target;
    return this.#known.get(given)?.get(from) ?? this.#makeSeries(given, from, admits);
  }

  /** The unknown model that a request begins to ask; undefined if the model is known, or not named. */
  unknownOf(target: LlmTarget, series: ModelSeries): UnknownModel | undefined {
    const key = series.model === OTHER ? this.#keyOf(target) : undefined;
    if (key === undefined) return undefined;
    return this.#unknown.get(key) ?? new UnknownModel(series, key, this.#unknown);
  }

  /** Records something about a model that no answer confirms; for an unknown model when its running requests tell what it is. */
  record(target: LlmTarget, record: Recording): void {
    const series = this.seriesOf(target, false);
    const key = series.model === OTHER && this.#unknown.size > 0 ? this.#keyOf(target) : undefined;
    const unknown = key === undefined ? undefined : this.#unknown.get(key);
    if (unknown === undefined) record(series);
    else unknown.hold(record);
  }

  /** Nothing for a model that stays `other`: it has no name, or no further model becomes known. */
  #keyOf({ model, provider }: LlmTarget): string | undefined {
    if (this.#shown.isFull) return undefined;
    const name = this.name(model);
    return name === OTHER ? undefined : `${readName(provider)}\n${name}`;
  }

  #makeSeries(given: unknown, from: unknown, admits: boolean): ModelSeries {
    const name = this.name(given);
    const providerName = readName(from);
    const provider = this.#providers.admit(providerName);
    const isKnown = admits || this.#prices.of(provider, name) !== undefined;
    const model = this.label(given, isKnown);
    let byProvider = this.#series.get(model);
    if (byProvider === undefined) {
      byProvider = new Map();
      this.#series.set(model, byProvider);
    }
    let series = byProvider.get(provider);
    if (series === undefined) {
      series = new ModelSeries(this.#families, model, provider, this.#prices.of(provider, model));
      byProvider.set(provider, series);
    }
    if (model === name && provider === providerName) this.#remember(given, from, series);
    return series;
  }

  #remember(given: unknown, from: unknown, series: ModelSeries): void {
    if (this.#known.size >= NAMES_MAX) this.#known.clear();
    const byProvider = this.#known.get(given);
    // The inner map is bounded too: only providers shown under their own names get here, and they are capped.
    if (byProvider === undefined) this.#known.set(given, new Map([[from, series]]));
    else byProvider.set(from, series);
  }
}
