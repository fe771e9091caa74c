/**
 * The caller's price table: its types, its validation and the price of a model at a time. A model without a price has no
 * cost, which is not the same as a cost of 0. `cost.ts` computes costs.
 */
import { unixMs } from '../../clock';
import { ConfigurationError, refuseOption } from '../../errors';
import { checkOptionNames, type OptionNames, optionNames } from '../../options';
import { similarNames } from '../../similar-names';
import { warnOnce } from '../../warnings';
import { normalizeModel } from './model-name';

/** Prices of tokens, in US dollars for a million. */
export interface TokenPrices {
  /** @default none: input tokens are unpriced; only a price of media may leave it out */
  input?: number | undefined;
  /** @default none: output tokens are unpriced; only a price of media may leave it out */
  output?: number | undefined;
  /** Input tokens read from the provider's cache. @default input */
  cacheRead?: number | undefined;
  /** Input tokens written to the provider's cache. @default input */
  cacheWrite?: number | undefined;
  /** Input tokens written to the provider's cache for an hour or longer. @default cacheWrite */
  cacheWriteLong?: number | undefined;
  /** Output tokens of the model's reasoning. @default output */
  reasoning?: number | undefined;
  /** Input tokens of audio. @default input */
  audioInput?: number | undefined;
  /** Output tokens of audio. @default output */
  audioOutput?: number | undefined;
  /** Input tokens of images. @default input */
  imageInput?: number | undefined;
  /** Output tokens of images. @default output */
  imageOutput?: number | undefined;
}

/** Prices that replace those of the model from a length of the input on. */
export interface LongContextPrices extends TokenPrices {
  /** More input tokens than this make the whole request a long one. */
  above: number;
}

/** The price of a model. */
export interface Price extends TokenPrices {
  /**
   * Prices by service tier (`flex`, `priority`, `batch`, `fast`), as the answer names it: a factor for all prices of tokens,
   * or prices that replace the model's. A tier without an entry has the usual price. @default {}
   */
  tiers?: Readonly<Record<string, number | TokenPrices>> | undefined;
  /** @default none: a long request has the usual price */
  longContext?: LongContextPrices | undefined;
  /** US dollars for an image. @default none: images are unpriced, unless tokens of the same answer are priced */
  image?: number | undefined;
  /** US dollars for a second of audio. A price for a minute is sixty times as much. @default none */
  audioSecond?: number | undefined;
  /** US dollars for a million characters of speech. @default none */
  characters?: number | undefined;
  /** US dollars for a call of a tool that the provider runs: `{ web_search: 0.01 }`. @default {} */
  serverTools?: Readonly<Record<string, number>> | undefined;
}

/** A price and the day from which it applies. */
export interface DatedPrice extends Price {
  /** The first day in UTC: `2026-01-31`. */
  from: string;
}

/**
 * Prices by model, or by provider and model (`azure/gpt-4o`), which takes precedence. Models have the names that labels
 * show: without dates, so a price applies to all dated versions.
 */
export type PriceTable = Readonly<Record<string, Price | readonly DatedPrice[]>>;

const TOKENS: Readonly<Record<keyof TokenPrices, true>> = {
  input: true,
  output: true,
  cacheRead: true,
  cacheWrite: true,
  cacheWriteLong: true,
  reasoning: true,
  audioInput: true,
  audioOutput: true,
  imageInput: true,
  imageOutput: true,
};
const TOKEN_NAMES = Object.keys(TOKENS) as (keyof TokenPrices)[];
/** Tiers that answers of the common providers name. Others may name more. */
const TIERS: readonly string[] = ['flex', 'priority', 'batch', 'fast'];
/** Under these names providers bill the usual price. */
const USUAL_TIERS: readonly string[] = ['default', 'standard', 'auto'];
const UNITS = ['image', 'audioSecond', 'characters'] as const;

const PRICE = optionNames<DatedPrice>('prices', {
  ...TOKENS,
  tiers: true,
  longContext: true,
  image: true,
  audioSecond: true,
  characters: true,
  serverTools: true,
  from: true,
});
const TIER = optionNames<TokenPrices>('tiers', TOKENS);
const LONG_CONTEXT = optionNames<LongContextPrices>('longContext', { ...TOKENS, above: true });

/** Marks a sample price with its date. Spreading a table keeps the price objects, and so the mark. */
const SAMPLE_DATE = Symbol.for('@llm-devops/prometheus-metrics.sample-price');
const SAMPLE_AGE_MAX_MS = 183 * 24 * 60 * 60 * 1000;

/** Marks the prices of a sample table with the day of the list that they were taken from. */
export function markSample(table: PriceTable, day: string): PriceTable {
  for (const price of Object.values(table).flat()) Object.defineProperty(price, SAMPLE_DATE, { value: day });
  return table;
}

/** The prices of one model, newest first. */
export type ModelPrices = readonly Period[];

interface Period {
  readonly fromMs: number;
  readonly price: Price;
}

/** A checked price table. */
export class Prices {
  /** Newest first. */
  readonly #periods = new Map<string, ModelPrices>();

  /**
   * @param normalizesAsUsual whether labels show models as `normalizeModel()` does, so that a name with a date never applies
   * @throws {ConfigurationError} `INVALID_CONFIG` with the path to the invalid part
   */
  constructor(table: PriceTable = {}, normalizesAsUsual = true) {
    // A `Map` or an array has no usable properties, so no model would have a price.
    if (typeof table !== 'object' || table === null || Symbol.iterator in table) {
      refuseOption('a table of prices', 'prices', table);
    }
    warnOfOldSample(table);
    for (const [model, entry] of Object.entries(table)) {
      const at = `prices["${model}"]`;
      if (normalizesAsUsual) checkName(model);
      const periods = Array.isArray(entry)
        ? entry.map((price, index) => checkPeriod(price, `${at}[${index}]`))
        : [checkPeriod(entry, at)];
      this.#periods.set(model, sorted(periods, at));
    }
  }

  /** The prices of a model over time; undefined if it has none. */
  of(provider: string, model: string): ModelPrices | undefined {
    return this.#periods.get(`${provider}/${model}`) ?? this.#periods.get(model);
  }
}

/** The price that applies now. Most prices have no day, so the clock is not read for them. */
export function findPrice(prices: ModelPrices | undefined): Price | undefined {
  if (prices === undefined) return undefined;
  if (prices[0]?.fromMs === Number.NEGATIVE_INFINITY) return prices[0].price;
  const atMs = unixMs();
  return prices.find(({ fromMs }) => fromMs <= atMs)?.price;
}

function warnOfOldSample(table: PriceTable): void {
  const sample = Object.values(table)
    .flat()
    .map((price) => (price as { [SAMPLE_DATE]?: string } | null)?.[SAMPLE_DATE])
    .find((day) => day !== undefined);
  if (sample === undefined || unixMs() - Date.parse(sample) <= SAMPLE_AGE_MAX_MS) return;
  warnOnce(
    `The sample prices are list prices of ${sample}; compare the models that you use with your provider's price list and put their prices into a table of your own`,
  );
}

/** Refuses a name that no label has, because its price would never apply. */
function checkName(model: string): void {
  // The part before the first slash may be a provider.
  const names = [model, model.slice(model.indexOf('/') + 1)];
  if (names.some((name) => normalizeModel(name) === name)) return;
  const [shown] = names.map(normalizeModel);
  throw new ConfigurationError(
    'INVALID_CONFIG',
    `Expected prices["${shown}"] but received prices["${model}"]: labels show models without dates and accounts, so this price would never apply`,
  );
}

/** A checked price with its start. A single price may have a day too. */
function checkPeriod(price: unknown, at: string): Period {
  checkPart(price, at, PRICE);
  const { from = '' } = price as Partial<DatedPrice>;
  return { fromMs: parseDay(from, `${at}.from`), price: checked(price as Price, at) };
}

/** Newest first. */
function sorted(periods: readonly Period[], at: string): ModelPrices {
  if (periods.length === 0) refuseOption('at least one price', at, periods);
  const newestFirst = [...periods].sort((one, next) => next.fromMs - one.fromMs);
  for (const [index, { fromMs }] of newestFirst.entries()) {
    if (fromMs !== newestFirst[index + 1]?.fromMs) continue;
    const day =
      fromMs === Number.NEGATIVE_INFINITY
        ? 'two without `from`'
        : `two from ${new Date(fromMs).toISOString().slice(0, 10)}`;
    throw new ConfigurationError('INVALID_CONFIG', `Expected one price from each day for ${at} but received ${day}`);
  }
  return newestFirst;
}

function checked(price: Price, at: string): Price {
  const hasUnits = [...UNITS, 'serverTools' as const].some((name) => price[name] !== undefined);
  if (!hasUnits) for (const name of ['input', 'output'] as const) checkTokens(price[name], `${at}.${name}`);
  for (const name of UNITS) if (price[name] !== undefined) checkDollars(price[name], `${at}.${name}`);
  for (const [tier, change] of Object.entries(checkTable(price.tiers, `${at}.tiers`))) {
    checkTier(tier, `${at}.tiers`);
    if (typeof change === 'number') checkAmount(change, `${at}.tiers.${tier}`, 'a factor of 0 or more, or prices');
    else checkPart(change, `${at}.tiers.${tier}`, TIER);
  }
  for (const [tool, dollars] of Object.entries(checkTable(price.serverTools, `${at}.serverTools`))) {
    checkDollars(dollars, `${at}.serverTools.${tool}`);
  }
  if (price.longContext !== undefined) {
    checkPart(price.longContext, `${at}.longContext`, LONG_CONTEXT);
    checkAmount(price.longContext.above, `${at}.longContext.above`, 'a number of input tokens');
  }
  return withoutAbsent(price);
}

/** Refuses a tier that no answer names. Providers may have tiers that are unknown here, so only likely mistakes are refused. */
function checkTier(tier: string, at: string): void {
  if (TIERS.includes(tier)) return;
  if (USUAL_TIERS.includes(tier)) refuseOption('a tier with other prices than the usual ones', at, tier);
  const [near] = similarNames(tier, TIERS);
  if (near !== undefined && !tier.includes(near)) refuseOption(`the name of a tier, such as "${near}",`, at, tier);
}

/** The price without fields that are undefined, so that prices of tiers and long contexts can be spread over it. */
function withoutAbsent(price: Price): Price {
  const { tiers, longContext } = price;
  const parts = Object.entries(tiers ?? {}).map(([name, tier]) => [
    name,
    typeof tier === 'number' ? tier : given(tier),
  ]);
  return { ...price, tiers: tiers && Object.fromEntries(parts), longContext: longContext && given(longContext) };
}

function given<P extends object>(part: P): P {
  return Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined)) as P;
}

/** An object with prices of tokens. */
function checkPart(part: unknown, at: string, names: OptionNames): void {
  if (typeof part !== 'object' || part === null) refuseOption('a price', at, part);
  checkOptionNames(part, { ...names, of: at });
  for (const name of TOKEN_NAMES) {
    const value = (part as TokenPrices)[name];
    if (value !== undefined) checkTokens(value, `${at}.${name}`);
  }
}

function checkTable(table: unknown, at: string): object {
  if (table === undefined) return {};
  return typeof table === 'object' && table !== null && !(Symbol.iterator in table)
    ? table
    : refuseOption('an object of prices', at, table);
}

const checkTokens = (value: unknown, at: string) => checkAmount(value, at, 'dollars a million tokens');
const checkDollars = (value: unknown, at: string) => checkAmount(value, at, 'dollars');

function checkAmount(value: unknown, at: string, expected: string): void {
  if (typeof value === 'number' && value >= 0 && Number.isFinite(value)) return;
  refuseOption(expected, at, value);
}

function parseDay(day: unknown, at: string): number {
  if (day === '') return Number.NEGATIVE_INFINITY;
  const ms = typeof day === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(day) : Number.NaN;
  // `Date.parse` would read the 31st of February as the 3rd of March.
  const exists = !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(day as string);
  return exists ? ms : refuseOption('a day such as 2026-01-31', at, day);
}
