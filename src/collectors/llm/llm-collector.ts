/**
 * Records metrics of requests to models. It must not know SDKs; their instrumentations call it.
 */
import { ConfigurationError, describe, refuseOption } from '../../errors';
import type { ExemplarLabels } from '../../metrics/exemplar';
import type { Histogram } from '../../metrics/histogram';
import { addon } from '../../native/addon';
import { checkOptionNames, type OptionNames, optionNames } from '../../options';
import { read } from '../../read';
import { Registry } from '../../registry/registry';
import { isAmount, toSeconds, toUnixSeconds } from '../amount';
import { type Attributed, attributed } from '../attribution';
import { DefaultCollectors } from '../default-collectors';
import { reportedType } from '../error-type';
import { Families } from '../families';
import { checkGenAiNames, GenAiLlmNames, type GenAiNames } from '../gen-ai';
import { OTHER, readName } from '../label-values';
import { chooseExemplarLabels } from '../trace';
import type { GuardrailResult, GuardrailStage, LlmErrorType, MediaUnit, Outcome, RateLimitResource } from '../words';
import { type FinishCall, LlmCall, type LlmOutcome } from './call';
import { costOfMedia } from './cost';
import { EnclosingRequest, enclose } from './enclosing';
import { normalizeModel } from './model-name';
import type { ModelSeries } from './model-series';
import { Models } from './models';
import { checkObjectives, type LlmObjectives, objectiveResult } from './objectives';
import { findPrice, type ModelPrices, Prices, type PriceTable } from './prices';
import { recordUsage, type Spent } from './record-usage';
import { checkTarget, type LlmEnd, type LlmRequest, type LlmTarget, readErrorType, readStatus } from './request';
import { ChunkGaps, recordStream, secondsPerToken } from './stream';
import type { UnknownModel } from './unknown-model';
import { checkUserLabel, runWithLabels, type UserLabel, type UserLabelOption, type UserLabels } from './user-label';

/** Metrics that are off by default: they cost series, and few users need them. */
export interface LlmOptionalMetrics {
  /** `llm_tokens_per_request` @default false */
  tokensPerRequest?: boolean | undefined;
  /** `llm_queue_duration_seconds` @default false */
  queueDuration?: boolean | undefined;
  /** `llm_streaming_inter_chunk_seconds` @default false */
  interChunk?: boolean | undefined;
  /** `llm_attempt_duration_seconds` @default false */
  attemptDuration?: boolean | undefined;
}

export interface LlmMetricsCollectorOptions {
  /** The registry of the metrics. @default register */
  registry?: Registry | undefined;
  /** Stands before the names of the metrics. @default 'llmdevops' */
  namespace?: string | undefined;
  /** The prices of tokens. @default none: `llm_unpriced_requests_total` counts the requests */
  prices?: PriceTable | undefined;
  /**
   * The model whose price applies, if an answer names another than the request: `answer` suits deployments and routers, such
   * as `openrouter/auto`. @default 'request'
   */
  priceBy?: 'request' | 'answer' | undefined;
  /**
   * A label of your own on requests, tokens and cost, and how many values it may have: `{ tenant: { max: 100 } }`. Further
   * values count as `other`. Not for ids of users or requests. @default none
   */
  labels?: UserLabelOption | undefined;
  /**
   * Whether the cost counts that a provider reports with its answer, as OpenRouter and Perplexity do. It then takes
   * precedence over the price table. @default false
   */
  providerCost?: boolean | undefined;
  /** Turns a model's name into a label value. @default removes dates and names of accounts */
  normalizeModel?: ((model: string) => string) | undefined;
  /**
   * Whether to record some metrics under OpenTelemetry's names too (`gen_ai_client_operation_duration_seconds` …). `true`
   * means the newest known version of its conventions; or name a version, or several. @default false
   */
  genAiNames?: GenAiNames | undefined;
  /**
   * A longer time between two chunks of a stream is a stall. Turns on `llm_streaming_stalls_total` and
   * `llm_streaming_longest_gap_seconds`, for which the clock is read at each chunk. @default none
   */
  stallMs?: number | undefined;
  /** Objectives for requests: `llm_objectives_total` counts which met them all. @default none */
  objectives?: LlmObjectives | undefined;
  /** @default none */
  optional?: LlmOptionalMetrics | undefined;
}

const OPTIONS = optionNames<LlmMetricsCollectorOptions>('LlmMetricsCollector', {
  registry: true,
  namespace: true,
  prices: true,
  priceBy: true,
  providerCost: true,
  labels: true,
  normalizeModel: true,
  genAiNames: true,
  stallMs: true,
  objectives: true,
  optional: true,
});

/** Stands before the names of metrics. */
export const { DEFAULT_NAMESPACE } = addon;

const OPTIONAL: Readonly<Record<keyof LlmOptionalMetrics, string>> = {
  tokensPerRequest: 'llm_tokens_per_request',
  queueDuration: 'llm_queue_duration_seconds',
  interChunk: 'llm_streaming_inter_chunk_seconds',
  attemptDuration: 'llm_attempt_duration_seconds',
};
const RATE_LIMIT: OptionNames = { of: 'setRateLimit', names: ['limit', 'remaining', 'resetAt'] };
const BUDGET: OptionNames = { of: 'setBudget', names: ['limitUsd', 'remainingUsd', 'resetAt'] };
/** The metrics that the option `stallMs` turns on. */
const OF_STALLS = ['llm_streaming_longest_gap_seconds', 'llm_streaming_stalls_total'];
/** The metrics that have the user's own label. */
const WITH_USER_LABEL: ReadonlySet<string> = new Set(['llm_requests_total', 'llm_tokens_total', 'llm_cost_usd_total']);
const OPTIONAL_NAMES: OptionNames = { of: 'optional', names: Object.keys(OPTIONAL) };

/**
 * Records requests to models: tokens, cost, time to first token.
 *
 * @example
 * const llm = new LlmMetricsCollector({ prices: { 'gpt-4o-mini': { input: 0.15, output: 0.6 } } });
 * const call = llm.startRequest({ model: 'gpt-4o-mini', provider: 'openai' });
 * call.chunk();
 * call.end({ inputTokens: 12, outputTokens: 40 });
 */
export class LlmMetricsCollector {
  readonly #timesAttempts: boolean;
  readonly #families: Families;
  readonly #perRequest: Histogram | undefined;
  readonly #prices: Prices;
  readonly #pricesAnswer: boolean;
  readonly #providerCost: boolean;
  readonly #label: UserLabel | undefined;
  readonly #models: Models;
  readonly #genAi: GenAiLlmNames | undefined;
  readonly #stallMs: number | undefined;
  readonly #timesChunks: boolean;
  readonly #objectives: LlmObjectives | undefined;
  /** One function for the ends of all calls. */
  readonly #finish: FinishCall = (request, agent, unknown) =>
    this.#recordEnded(request, agent, request.exemplarLabels, unknown);

  /**
   * @throws {ConfigurationError} `INVALID_CONFIG`
   * @throws {RegistrationError} if another metric has one of the names
   */
  constructor(options: LlmMetricsCollectorOptions = {}) {
    if (typeof options !== 'object' || options === null) {
      throw new ConfigurationError('INVALID_CONFIG', `Expected options but received ${describe(options)}`);
    }
    checkOptionNames(options, OPTIONS);
    const { registry = Registry.globalRegistry, namespace = DEFAULT_NAMESPACE, optional = {} } = options;
    if (typeof optional !== 'object' || optional === null) refuseOption('names of metrics', 'optional', optional);
    checkOptionNames(optional, OPTIONAL_NAMES);
    const wanted = Object.entries(OPTIONAL)
      .filter(([option]) => optional[option as keyof LlmOptionalMetrics] === true)
      .map(([, name]) => name);
    this.#objectives = checkObjectives(options.objectives);
    if (this.#objectives !== undefined) wanted.push('llm_objectives_total');
    const { stallMs } = options;
    if (stallMs !== undefined) {
      if (typeof stallMs !== 'number' || !(stallMs > 0)) refuseOption('milliseconds above 0', 'stallMs', stallMs);
      wanted.push(...OF_STALLS);
    }
    this.#stallMs = stallMs;
    this.#prices = new Prices(options.prices, options.normalizeModel === undefined);
    const { priceBy = 'request' } = options;
    if (priceBy !== 'request' && priceBy !== 'answer') refuseOption("'request' or 'answer'", 'priceBy', priceBy);
    this.#pricesAnswer = priceBy === 'answer';
    const { providerCost = false } = options;
    if (typeof providerCost !== 'boolean') refuseOption('a boolean', 'providerCost', providerCost);
    this.#providerCost = providerCost;
    this.#label = checkUserLabel(options.labels);
    const normalize = options.normalizeModel ?? normalizeModel;
    if (typeof normalize !== 'function') refuseOption('a function', 'normalizeModel', options.normalizeModel);
    this.#families = new Families(addon.catalogue(false), {
      registry,
      prefix: `${namespace}_`,
      optional: new Set(wanted),
      more: this.#label && { label: this.#label.name, max: this.#label.max, metrics: WITH_USER_LABEL },
    });
    this.#perRequest = this.#families.optional('llm_tokens_per_request');
    this.#timesAttempts = optional.attemptDuration === true;
    this.#models = new Models(this.#families, this.#prices, normalize);
    this.#timesChunks = stallMs !== undefined || optional.interChunk === true;
    const versions = checkGenAiNames(options.genAiNames);
    this.#genAi = versions.length > 0 ? new GenAiLlmNames(registry, versions) : undefined;
    defaults.offer(registry, this, this.#families);
  }

  /**
   * Starts a request. It is active until the returned call is ended. An unknown model counts as `other` until a request to it
   * has succeeded, because its name may be a typo. A model with a price is known.
   */
  startRequest(target: LlmTarget): LlmCall {
    const labels = this.#labelsOf(target);
    const series = this.#models.seriesOf(target, false);
    const unknown = this.#models.unknownOf(target, series);
    const gaps = this.#gapsOf(series, target.operation);
    return new LlmCall(this.#finish, series, unknown, target, labels ?? target.labels, gaps);
  }

  /**
   * Runs a function and gives its requests, also across awaits, the value of the collector's own label.
   *
   * @example
   * await llm.withLabels({ tenant: 'acme' }, () => client.chat.completions.create(request));
   */
  withLabels<R>(labels: UserLabels, run: () => R): R {
    return runWithLabels(labels, run);
  }

  /**
   * Registers a model: its series appear with 0 before its first request, and its requests count under its name even before
   * one has succeeded.
   */
  registerModel(target: LlmTarget): void {
    this.#models.seriesOf(target, true).operation(target.operation ?? 'chat');
  }

  /** Records a request that has ended. */
  recordRequest(request: LlmRequest): void {
    checkTarget(request);
    this.#recordEnded(request, attributed(), chooseExemplarLabels(request));
  }

  /**
   * Records an answer to a request that was counted before, such as one that ran in the background: tokens, cost, finish reason
   * and, for a failure, the error. Counts no request.
   *
   * @param error the error or its type, if the answer reports a failure
   */
  recordAnswer(target: LlmTarget, answer: LlmEnd, error?: unknown): void {
    const agent = attributed();
    const failed = error !== undefined && error !== null;
    const series = this.#seriesOf({ ...target, responseModel: answer.responseModel }, !failed);
    this.#recordEnd(series, { ...target, ...answer, usageFollows: true }, !failed, agent, 0);
    if (failed) series.errors.of(reportedType(error)).inc();
  }

  /**
   * Whether attempts need to be timed.
   *
   * @internal
   */
  get timesAttempts(): boolean {
    return this.#timesAttempts;
  }

  /**
   * Counts requests of which no more is known than how many succeeded and how many failed: those of a batch.
   *
   * @internal
   */
  countRequests(target: LlmTarget, { succeeded, failed }: { succeeded: number; failed: number }): void {
    const series = this.#seriesOf(target, succeeded > 0);
    const operation = series.operation(target.operation ?? 'chat');
    operation.succeeded.inc(succeeded);
    if (failed === 0) return;
    operation.statuses.of('error').inc(failed);
    series.errors.of(OTHER).inc(failed);
  }

  /**
   * For a framework that records a request when it has ended: a client's integration that starts a request within it counts
   * instead. If it is `taken` at its end, the framework must record nothing.
   *
   * @param agent the agent that the framework knows
   * @internal
   */
  encloseRequest(agent: Attributed | undefined): EnclosingRequest {
    const request = new EnclosingRequest(this.#finish, agent ?? attributed(), () => {});
    enclose(request);
    return request;
  }

  /** Adds chunks of a stream that is recorded without an `LlmCall`. */
  recordStreamingChunk(target: LlmTarget, chunks = 1): void {
    const series = this.#models.seriesOf(target, true);
    series.streamed();
    series.chunks.inc(chunks);
  }

  /** Counts an error that did not end a request, or that ended a request recorded elsewhere. */
  recordError(target: LlmTarget, error: unknown): void {
    this.#models.seriesOf(target, false).errors.of(reportedType(error)).inc();
  }

  /** Counts a retry by the error of the attempt before it. */
  recordRetry(target: LlmTarget, error: unknown): void {
    const type = reportedType(error);
    this.#models.record(target, (series) => series.retries.of(type).inc());
  }

  /** Records the duration of one attempt, if the option `optional.attemptDuration` is set. */
  recordAttempt(target: LlmTarget, durationMs: number): void {
    const seconds = toSeconds(durationMs);
    if (seconds !== undefined) this.#models.record(target, (series) => series.attempt?.observe(seconds));
  }

  /** Counts a request that was sent to another model because the first one failed. */
  recordFallback(fromModel: string, toModel: string, status: Outcome = 'success'): void {
    const names = {
      from_model: this.#models.label(fromModel, false),
      // A name that a failed request tried may be a typo.
      to_model: this.#models.label(toModel, status === 'success'),
    };
    this.#families
      .counter('llm_fallbacks_total')
      .inc({ ...names, status: this.#word('llm_fallbacks_total', 'status', status) });
  }

  /** Sets a provider's rate limit, and when it is full again. The series expire after five minutes without an update. */
  setRateLimit(
    target: LlmTarget,
    resource: RateLimitResource,
    limits: { limit?: number | undefined; remaining?: number | undefined; resetAt?: Date | number | undefined },
  ): void {
    checkOptionNames(limits, RATE_LIMIT);
    const { limit, remaining, resetAt } = limits;
    const reset = resetAt === undefined ? undefined : toUnixSeconds('resetAt', resetAt);
    // Failed answers have these headers too, so they do not make a model known.
    this.#word('llm_ratelimit_limit', 'resource', resource);
    this.#models.record(target, (model) => {
      const series = model.rateLimit(resource);
      if (remaining !== undefined) series.remaining.set(remaining);
      if (limit !== undefined) series.limit.set(limit);
      if (reset !== undefined) series.reset.set(reset);
    });
  }

  /** Counts a look-up in the application's own cache of answers. */
  recordCacheLookup(cache: string, result: 'hit' | 'miss'): void {
    this.#families
      .counter('llm_cache_requests_total')
      .inc({ cache: readName(cache), result: this.#word('llm_cache_requests_total', 'result', result) });
  }

  /** Counts a check of a guardrail. */
  recordGuardrail(guardrail: string, stage: GuardrailStage, result: GuardrailResult, durationMs?: number): void {
    const name = 'llm_guardrail_checks_total';
    const where = { guardrail: readName(guardrail), stage: this.#word(name, 'stage', stage) };
    this.#families.counter(name).inc({ ...where, result: this.#word(name, 'result', result) });
    const seconds = toSeconds(durationMs);
    if (seconds !== undefined) this.#families.histogram('llm_guardrail_duration_seconds').observe(where, seconds);
  }

  /** Sets a budget's limit and its remaining amount, in US dollars, and when it begins anew. */
  setBudget(
    budget: string,
    amounts: { limitUsd?: number | undefined; remainingUsd?: number | undefined; resetAt?: Date | number | undefined },
  ): void {
    checkOptionNames(amounts, BUDGET);
    const { limitUsd, remainingUsd, resetAt } = amounts;
    const reset = resetAt === undefined ? undefined : toUnixSeconds('resetAt', resetAt);
    const labels = { budget: readName(budget) };
    if (limitUsd !== undefined) this.#families.gauge('llm_budget_limit_usd').set(labels, limitUsd);
    if (remainingUsd !== undefined) this.#families.gauge('llm_budget_remaining_usd').set(labels, remainingUsd);
    if (reset !== undefined) this.#families.gauge('llm_budget_reset_timestamp_seconds').set(labels, reset);
  }

  /** Counts images, seconds of audio or characters of speech. */
  recordMedia(target: LlmTarget, unit: MediaUnit, amount: number): void {
    this.#word('llm_media_units_total', 'unit', unit);
    const series = this.#models.seriesOf(target, true);
    series.media.of(unit).inc(amount);
    const price = findPrice(series.prices);
    const costUsd = price === undefined ? undefined : costOfMedia(price, { unit, amount });
    if (costUsd !== undefined) series.cost.inc(costUsd);
    else if (price?.input === undefined && price?.output === undefined) series.unpriced.inc();
  }

  /** Sets the version of a model that is in use. */
  setModelInfo(target: LlmTarget, version: string): void {
    const { model, provider } = this.#models.seriesOf(target, true);
    this.#families.gauge('llm_model_info').set({ model, provider, version: readName(version) }, 1);
  }

  /** Times the chunks of a request, if a metric needs that. */
  #gapsOf({ model, provider, interChunk }: ModelSeries, operation = 'chat'): ChunkGaps | undefined {
    if (!this.#timesChunks && this.#genAi === undefined) return undefined;
    const series = [interChunk, this.#genAi?.gapsOf({ model, provider, operation })].filter(
      (observed) => observed !== undefined,
    );
    if (!this.#timesChunks && series.length === 0) return undefined;
    return new ChunkGaps((this.#stallMs ?? Number.POSITIVE_INFINITY) / 1000, series);
  }

  /** The label's value around a call that begins: its stream may be read elsewhere. */
  #labelsOf(target: LlmTarget): UserLabels | undefined {
    const value = this.#label?.valueOf(read(target, 'labels') as UserLabels | undefined);
    return value === undefined ? undefined : { [(this.#label as UserLabel).name]: value };
  }

  #word(name: string, label: string, given: string): string {
    return this.#families.checkedWord(name, label, given);
  }

  /**
   * Records every request, with or without an `LlmCall`.
   *
   * @throws {ValueError} `INVALID_VALUE` for an unknown word, before anything is recorded
   */
  #recordEnded(
    request: LlmRequest,
    agent: Attributed | undefined,
    exemplarLabels: ExemplarLabels | undefined,
    unknown?: UnknownModel | undefined,
  ): LlmOutcome {
    const status = readStatus(request);
    if (status !== 'success') this.#word('llm_requests_total', 'status', status);
    if (request.interrupted !== undefined) {
      this.#word('llm_streaming_interrupted_total', 'reason', request.interrupted);
    }
    const series = this.#seriesOf(request, status === 'success');
    const operation = series.operation(request.operation ?? 'chat');
    (status === 'success' ? operation.succeeded : operation.statuses.of(status)).inc();
    if (isAmount(request.durationMs)) operation.duration.observe(request.durationMs / 1000, exemplarLabels);
    const errorType = status === 'success' ? undefined : series.errors.word(readErrorType(request, status));
    if (errorType !== undefined) series.errors.of(errorType).inc();
    if (isAmount(request.queueMs)) series.queue?.observe(request.queueMs / 1000);
    const { costUsd } = this.#recordEnd(series, request, status === 'success', agent, 1);
    const perToken = secondsPerToken(request);
    recordStream(series, request, perToken, exemplarLabels);
    if (this.#objectives !== undefined) {
      const result = objectiveResult(this.#objectives, request, status, perToken);
      if (result !== undefined) series.objectives?.of(result).inc();
    }
    if (this.#genAi !== undefined) {
      const { model, provider } = series;
      this.#genAi.record(operation, { model, provider, operation: operation.name }, errorType, request);
    }
    unknown?.ended(series);
    const { durationMs, timeToFirstTokenMs } = request;
    return { status, errorType: errorType as LlmErrorType | undefined, durationMs, timeToFirstTokenMs, costUsd };
  }

  /**
   * Records why an answer ended and what it used.
   *
   * @param requests how many model calls it is for the agent: 0 for a part of a request that counts elsewhere
   */
  #recordEnd(
    series: ModelSeries,
    request: LlmRequest,
    succeeded: boolean,
    agent: Attributed | undefined,
    requests: number,
  ): Spent {
    const { finishReason, otherModels } = request;
    if (finishReason !== undefined) series.finishReasons.of(finishReason).inc();
    const billing = {
      prices: this.#pricesOf(series, request),
      providerCost: this.#providerCost,
      perRequest: this.#perRequest,
    };
    const spent = recordUsage(series, request, succeeded, billing);
    agent?.addUsage(spent.input, spent.output, spent.costUsd ?? 0, requests);
    if (otherModels === undefined) return spent;
    let { costUsd } = spent;
    for (const { model, ...usage } of otherModels) {
      const other = { model, provider: request.provider, labels: request.labels, ...usage, usageFollows: true };
      const more = this.#recordEnd(this.#seriesOf(other, succeeded), other, succeeded, agent, 0);
      if (costUsd !== undefined && more.costUsd !== undefined) costUsd += more.costUsd;
    }
    return { ...spent, costUsd };
  }

  /** The series of a request that has ended, with the value of the user's own label. */
  #seriesOf(request: LlmRequest, admits: boolean): ModelSeries {
    const shared = this.#models.seriesOf(withAnsweringModel(request), admits);
    const value = this.#label?.valueOf(request.labels);
    return value === undefined ? shared : shared.variant((this.#label as UserLabel).name, value);
  }

  /** The prices of the model that is billed: the requested one, or on request the one that answered. */
  #pricesOf(series: ModelSeries, { responseModel }: LlmRequest): ModelPrices | undefined {
    if (!this.#pricesAnswer || responseModel === undefined) return series.prices;
    return this.#prices.of(series.provider, this.#models.name(responseModel)) ?? series.prices;
  }
}

/** The request; if it names no model, with the model that answered. */
function withAnsweringModel(request: LlmRequest): LlmTarget {
  const { model, provider, responseModel } = request;
  if (responseModel === undefined || (model !== undefined && model !== '' && model !== OTHER)) return request;
  return { model: responseModel, provider };
}

const defaults = new DefaultCollectors((registry) => new LlmMetricsCollector({ registry }));

/** The default collector of a registry. The first call makes it, unless the program has. */
export function llmCollectorOf(registry: Registry): LlmMetricsCollector {
  return defaults.of(registry);
}
