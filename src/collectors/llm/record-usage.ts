/**
 * Records what a request used: tokens and their details, media, and the cost.
 */
import type { Histogram } from '../../metrics/histogram';
import { addon } from '../../native/addon';
import { amountOrZero, isAmount, toAmount } from '../amount';
import { computeCost } from './cost';
import type { ModelSeries } from './model-series';
import type { ModelPrices } from './prices';
import type { LlmRequest } from './request';

/** Providers measure these operations in other units, so missing tokens are not counted as missing. */
const WITHOUT_TOKENS: ReadonlySet<string | undefined> = new Set(addon.operationsWithoutTokens());

/** What a request used, as it was recorded. */
export interface Spent {
  readonly input: number;
  readonly output: number;
  /** Undefined if the cost is unknown. */
  readonly costUsd: number | undefined;
}

/** How requests are billed and recorded. */
export interface Billing {
  /** Those of the model that is billed. */
  readonly prices: ModelPrices | undefined;
  /** Whether the cost that the provider reports counts. */
  readonly providerCost: boolean;
  /** `llm_tokens_per_request`, if it was asked for. */
  readonly perRequest: Histogram | undefined;
}

export function recordUsage(
  series: ModelSeries,
  request: LlmRequest,
  succeeded: boolean,
  { prices, providerCost, perRequest }: Billing,
): Spent {
  const { inputTokens, outputTokens, media, serverToolCalls } = request;
  const input = amountOrZero(inputTokens);
  const output = amountOrZero(outputTokens);
  const hasTokens = isAmount(inputTokens) || isAmount(outputTokens);
  if (hasTokens) {
    series.inputTokens.inc(input);
    series.outputTokens.inc(output);
    recordDetails(series, request, input, output);
    perRequest?.observe({ model: series.model, type: 'input' }, input);
    perRequest?.observe({ model: series.model, type: 'output' }, output);
  } else if (isUsageMissing(request, succeeded)) {
    series.usageMissing.inc();
  }
  if (serverToolCalls !== undefined) recordServerTools(series, serverToolCalls);
  if (media !== undefined && isAmount(media.amount)) series.media.of(media.unit).inc(media.amount);
  const told = toAmount(request.costUsd) ?? (providerCost ? toAmount(request.providerCostUsd) : undefined);
  const isBilled = hasTokens || media !== undefined || serverToolCalls !== undefined;
  const costUsd = told ?? (isBilled ? computeCost(prices, request) : undefined);
  if (costUsd !== undefined) series.cost.inc(costUsd);
  else if (isBilled) series.unpriced.inc();
  return { input, output, costUsd };
}

function recordServerTools(series: ModelSeries, calls: Readonly<Record<string, number>>): void {
  for (const [tool, count] of Object.entries(calls)) if (isAmount(count) && count > 0) series.serverTool(tool, count);
}

/** An answer without usage, or a part of one: the provider bills also a stream that was cut or cancelled. */
function isUsageMissing({ operation, chunks, usageFollows }: LlmRequest, succeeded: boolean): boolean {
  if (usageFollows === true) return false;
  return succeeded ? !WITHOUT_TOKENS.has(operation) : amountOrZero(chunks) > 0;
}

/** A part is never recorded larger than its whole. */
function recordDetails({ details }: ModelSeries, usage: LlmRequest, input: number, output: number): void {
  const { cacheReadTokens, cacheWriteTokens, reasoningTokens, audioInputTokens, audioOutputTokens } = usage;
  if (isAmount(cacheReadTokens)) details.cache_read.inc(Math.min(cacheReadTokens, input));
  if (isAmount(cacheWriteTokens)) details.cache_write.inc(Math.min(cacheWriteTokens, input));
  if (isAmount(reasoningTokens)) details.reasoning.inc(Math.min(reasoningTokens, output));
  if (isAmount(audioInputTokens)) details.audio_input.inc(Math.min(audioInputTokens, input));
  if (isAmount(audioOutputTokens)) details.audio_output.inc(Math.min(audioOutputTokens, output));
  if (isAmount(usage.imageInputTokens)) details.image_input.inc(Math.min(usage.imageInputTokens, input));
  if (isAmount(usage.imageOutputTokens)) details.image_output.inc(Math.min(usage.imageOutputTokens, output));
}
