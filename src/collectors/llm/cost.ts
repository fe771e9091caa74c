/**
 * Computes the cost of a request from its price, in US dollars.
 */
import { amountOrZero, isAmount } from '../amount';
import type { MediaUnit } from '../words';
import { findPrice, type ModelPrices, type Price, type TokenPrices } from './prices';
import type { LlmMedia, LlmUsage } from './request';

const MILLION = 1_000_000;

/** What a request is billed by, beside its tokens. */
export interface Billed extends LlmUsage {
  readonly serviceTier?: string | undefined;
  readonly serverToolCalls?: Readonly<Record<string, number>> | undefined;
  readonly media?: LlmMedia | undefined;
}

/** The cost of a request now; undefined if a part of it has no price. */
export function computeCost(prices: ModelPrices | undefined, billed: Billed): number | undefined {
  const price = findPrice(prices);
  if (price === undefined) return undefined;
  const hasTokens = isAmount(billed.inputTokens) || isAmount(billed.outputTokens);
  const tokens = hasTokens ? costOfTokens(price, billed) : 0;
  if (tokens === undefined) return undefined;
  const tools = billed.serverToolCalls === undefined ? 0 : costOfTools(price, billed.serverToolCalls);
  if (tools === undefined || billed.media === undefined) return tools === undefined ? undefined : tokens + tools;
  const media = costOfMedia(price, billed.media);
  // An answer with media that reports its tokens is billed by the tokens.
  return media === undefined && !hasTokens ? undefined : tokens + tools + (media ?? 0);
}

const UNIT_PRICES = {
  images: 'image',
  audio_seconds: 'audioSecond',
  characters: 'characters',
} as const satisfies Record<MediaUnit, keyof Price>;

/** The cost of images, audio or characters; undefined without a price for the unit. */
export function costOfMedia(price: Price, { unit, amount }: LlmMedia): number | undefined {
  const each = price[UNIT_PRICES[unit]];
  if (each === undefined) return undefined;
  return unit === 'characters' ? (amount * each) / MILLION : amount * each;
}

function costOfTools({ serverTools = {} }: Price, calls: Readonly<Record<string, number>>): number | undefined {
  let cost = 0;
  for (const [tool, count] of Object.entries(calls)) {
    if (!isAmount(count) || count === 0) continue;
    if (!Object.hasOwn(serverTools, tool)) return undefined;
    cost += count * (serverTools[tool] as number);
  }
  return cost;
}

function costOfTokens(price: Price, billed: Billed): number | undefined {
  const { serviceTier, inputTokens } = billed;
  const { longContext, tiers } = price;
  let prices: TokenPrices = price;
  if (longContext !== undefined && amountOrZero(inputTokens) > longContext.above) prices = { ...price, ...longContext };
  if (serviceTier === undefined || tiers === undefined || !Object.hasOwn(tiers, serviceTier)) {
    return sum(prices, billed);
  }
  const tier = tiers[serviceTier] as number | TokenPrices;
  if (typeof tier !== 'number') return sum({ ...prices, ...tier }, billed);
  const usual = sum(prices, billed);
  return usual === undefined ? undefined : usual * tier;
}

function sum(prices: TokenPrices, usage: LlmUsage): number | undefined {
  const input = amountOrZero(usage.inputTokens);
  const output = amountOrZero(usage.outputTokens);
  if ((prices.input === undefined && input > 0) || (prices.output === undefined && output > 0)) return undefined;
  const { input: perInput = 0, output: perOutput = 0 } = prices;
  const { cacheRead = perInput, cacheWrite = perInput, reasoning = perOutput } = prices;
  let rest = input;
  let cost = 0;
  const part = (reported: unknown, each: number): void => {
    const tokens = Math.min(amountOrZero(reported), rest);
    rest -= tokens;
    cost += tokens * each;
  };
  part(usage.cacheReadTokens, cacheRead);
  const written = amountOrZero(usage.cacheWriteTokens);
  const long = Math.min(amountOrZero(usage.cacheWriteLongTokens), written);
  part(long, prices.cacheWriteLong ?? cacheWrite);
  part(written - long, cacheWrite);
  if (prices.audioInput !== undefined) part(usage.audioInputTokens, prices.audioInput);
  if (prices.imageInput !== undefined) part(usage.imageInputTokens, prices.imageInput);
  cost += rest * perInput;
  rest = output;
  part(usage.reasoningTokens, reasoning);
  if (prices.audioOutput !== undefined) part(usage.audioOutputTokens, prices.audioOutput);
  if (prices.imageOutput !== undefined) part(usage.imageOutputTokens, prices.imageOutput);
  return (cost + rest * perOutput) / MILLION;
}
