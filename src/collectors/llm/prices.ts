/**
 * Computes the cost of requests from the caller's price table, in US dollars for a million tokens. A model without a price has
 * no cost, which is not the same as a cost of 0.
 */
import { unixMs } from '../../clock';
import { refuseOption } from '../../errors';
import { checkOptionNames, optionNames } from '../../options';

/** The price of a model, in US dollars for a million tokens. */
export interface Price {
  input: number;
  output: number;
  /** The price of input tokens read from the provider's cache. @default input */
  cacheRead?: number | undefined;
  /** The price of input tokens written to the provider's cache. @default input */
  cacheWrite?: number | undefined;
  /** The price of output tokens of the model's reasoning. @default output */
  reasoning?: number | undefined;
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

const PRICE = optionNames<DatedPrice>('prices', {
  input: true,
  output: true,
  cacheRead: true,
  cacheWrite: true,
  reasoning: true,
  from: true,
});

/** The tokens of a request. */
export interface PaidTokens {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  reasoning: number;
}

const MILLION = 1_000_000;

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

  /** @throws {ConfigurationError} `INVALID_CONFIG` */
  constructor(table: PriceTable = {}) {
    // A `Map` or an array has no usable properties, so no model would have a price.
    if (typeof table !== 'object' || table === null || Symbol.iterator in table) {
      refuseOption('a table of prices', 'prices', table);
    }
    for (const [model, entry] of Object.entries(table)) {
      // A single price may have a day too.
      const dated = Array.isArray(entry) ? (entry as readonly DatedPrice[]) : [fromADay(entry as Price)];
      const periods = dated.map((price) => ({ fromMs: parseDay(model, price.from), price: checked(model, price) }));
      this.#periods.set(
        model,
        periods.sort((one, next) => next.fromMs - one.fromMs),
      );
    }
  }

  /** The prices of a model over time; undefined if it has none. */
  of(provider: string, model: string): ModelPrices | undefined {
    return this.#periods.get(`${provider}/${model}`) ?? this.#periods.get(model);
  }
}

/** The cost of the tokens now, in US dollars; undefined if there is no price. */
export function computeCost(prices: ModelPrices | undefined, tokens: PaidTokens): number | undefined {
  const price = prices === undefined ? undefined : priceNow(prices);
  if (price === undefined) return undefined;
  const { input, output, cacheRead = input, cacheWrite = input, reasoning = output } = price;
  const plainInput = Math.max(0, tokens.input - tokens.cacheRead - tokens.cacheWrite);
  const plainOutput = Math.max(0, tokens.output - tokens.reasoning);
  const cost =
    plainInput * input +
    tokens.cacheRead * cacheRead +
    tokens.cacheWrite * cacheWrite +
    plainOutput * output +
    tokens.reasoning * reasoning;
  return cost / MILLION;
}

/** Most prices have no day, so the clock is not read. */
function priceNow(prices: ModelPrices): Price | undefined {
  if (prices[0]?.fromMs === Number.NEGATIVE_INFINITY) return prices[0].price;
  const atMs = unixMs();
  return prices.find(({ fromMs }) => fromMs <= atMs)?.price;
}

function checked(model: string, price: Price): Price {
  if (typeof price !== 'object' || price === null) refuseOption('a price', `prices["${model}"]`, price);
  checkOptionNames(price, { ...PRICE, of: `prices["${model}"]` });
  for (const name of ['input', 'output', 'cacheRead', 'cacheWrite', 'reasoning'] as const) {
    const value = price[name];
    const optional = name !== 'input' && name !== 'output';
    if ((value === undefined && optional) || (typeof value === 'number' && value >= 0 && Number.isFinite(value)))
      continue;
    refuseOption('dollars a million tokens', `prices["${model}"].${name}`, value);
  }
  return price;
}

function fromADay(price: Price & Partial<DatedPrice>): DatedPrice {
  return { ...price, from: price?.from ?? '' };
}

function parseDay(model: string, day: unknown): number {
  if (day === '') return Number.NEGATIVE_INFINITY;
  const ms = typeof day === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(day) : Number.NaN;
  // `Date.parse` would read the 31st of February as the 3rd of March.
  const exists = !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(day as string);
  return exists ? ms : refuseOption('a day such as 2026-01-31', `prices["${model}"].from`, day);
}
