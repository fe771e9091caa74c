// Computes the expected metrics from what the client saw. It has its own list of names, labels and buckets, and uses no
// metrics library.

import { MODELS } from './expected-calls.mjs';

const PREFIX = 'llmdevops_llm_';

/** The catalogue's buckets. */
const BUCKETS = {
  request_duration_seconds: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600],
  guardrail_duration_seconds: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  streaming_time_to_first_token_seconds: [0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 20, 40, 80],
  streaming_time_per_output_token_seconds: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2.5],
};

/** Every family that is not opt-in, and its type. */
export const FAMILIES = Object.fromEntries(
  Object.entries({
    requests_total: 'counter',
    request_duration_seconds: 'histogram',
    tokens_total: 'counter',
    token_details_total: 'counter',
    errors_total: 'counter',
    active_requests: 'gauge',
    cost_usd_total: 'counter',
    unpriced_requests_total: 'counter',
    usage_missing_total: 'counter',
    finish_reasons_total: 'counter',
    retries_total: 'counter',
    fallbacks_total: 'counter',
    ratelimit_remaining: 'gauge',
    ratelimit_limit: 'gauge',
    ratelimit_reset_timestamp_seconds: 'gauge',
    cache_requests_total: 'counter',
    guardrail_checks_total: 'counter',
    guardrail_duration_seconds: 'histogram',
    budget_limit_usd: 'gauge',
    budget_remaining_usd: 'gauge',
    budget_reset_timestamp_seconds: 'gauge',
    media_units_total: 'counter',
    server_tool_calls_total: 'counter',
    model_info: 'gauge',
    streaming_requests_total: 'counter',
    streaming_chunks_total: 'counter',
    streaming_time_to_first_token_seconds: 'histogram',
    streaming_time_per_output_token_seconds: 'histogram',
    streaming_interrupted_total: 'counter',
  }).map(([name, type]) => [PREFIX + name, type]),
);

const STATUSES = ['success', 'error', 'timeout', 'cancelled'];
const INTERRUPTIONS = ['client', 'provider', 'timeout'];
const ERROR_TYPES = [
  ...['rate_limit', 'quota_exceeded', 'overloaded', 'timeout', 'connection', 'authentication', 'permission'],
  ...['not_found', 'invalid_request', 'request_too_large', 'context_length', 'content_filter', 'server_error'],
  ...['cancelled', 'stream_interrupted', 'invalid_response', 'other'],
];

/** US dollars per million tokens: input, output, read from the provider's cache, written to it. */
const PRICES = {
  'gpt-4o-mini': [0.15, 0.6, 0.075, 0.15],
  'claude-sonnet-4': [3, 15, 0.3, 3.75],
  'o4-mini': [1.1, 4.4, 0.275, 1.1],
  'text-embedding-3-small': [0.02, 0, 0.02, 0.02],
  'gpt-image-1': [5, 40, 5, 5],
};

const LIMITS = { requests: 150, tokens: 200_000 };
const BUDGET_USD = 50;
/** What a call of a provider's tool costs. */
const TOOL_USD = { web_search: 0.01 };
/** The limits are those of a minute. */
const RESET_SECONDS = 60;

/** The tolerance of a sum of doubles that was added in another order. */
const ROUNDING = 1e-9;
/** The tolerance between two clocks with different units. */
const CLOCK_SECONDS = 1e-6;

/** A bound as each format prints it. Before Prometheus 3, le="1" and le="1.0" are two series. */
const BOUND = {
  text: (bound) => String(bound),
  openmetrics: (bound) => (Number.isInteger(bound) ? `${bound}.0` : String(bound)),
};

/** One label set of one sample, as a string that does not depend on the order of its labels. */
export function seriesKey(name, labels) {
  const pairs = Object.keys(labels).sort();
  return `${name}{${pairs.map((label) => `${label}=${JSON.stringify(labels[label])}`).join(',')}}`;
}

/** True if a value equals the ledger's number, or lies in the ledger's range if the exact value cannot be known. */
export function agrees(actual, expected) {
  if (typeof expected === 'number') return Object.is(actual, expected);
  return expected.min <= actual && actual <= expected.max;
}

export class Ledger {
  #values = new Map();
  #observations = new Map();
  #costUsd = 0;
  /** When limits are reset: after the ledger was begun, and at most a minute from now. */
  #reset = {
    min: Date.now() / 1000,
    get max() {
      return Date.now() / 1000 + RESET_SECONDS;
    },
  };

  constructor() {
    this.#add('budget_limit_usd', { budget: 'gateway' }, BUDGET_USD);
    const [now, month] = [new Date(), new Date(0)];
    month.setUTCFullYear(now.getUTCFullYear(), now.getUTCMonth() + 1, 1);
    this.#add('budget_reset_timestamp_seconds', { budget: 'gateway' }, month / 1000);
    for (const [model, { provider, operation = 'chat' }] of Object.entries(MODELS)) {
      this.#begin({ model, provider }, operation);
    }
  }

  /**
   * One call to a model.
   *
   * @param call what the client knows: model, provider, operation, outcome, tokens and chunks; and the times from the
   * gateway's log, each as a range.
   */
  record(call) {
    const { model, provider, operation = 'chat', status, errorType, retried, finishReason } = call;
    const labels = { model, provider };
    this.#begin(labels, operation);
    this.#add('requests_total', { ...labels, operation, status }, 1);
    this.#observe('request_duration_seconds', { ...labels, operation }, call.durationSeconds);
    if (errorType !== undefined) this.#add('errors_total', { ...labels, error_type: errorType }, 1);
    if (retried !== undefined) this.#add('retries_total', { ...labels, error_type: retried }, 1);
    if (finishReason !== undefined) this.#add('finish_reasons_total', { ...labels, reason: finishReason }, 1);
    if (call.version !== undefined) this.#set('model_info', { ...labels, version: call.version }, 1);
    if (call.images !== undefined) this.#add('media_units_total', { ...labels, unit: 'images' }, call.images);
    this.#recordLimits(labels, call);
    this.#recordUsage(labels, call);
    this.#recordStream(labels, call);
  }

  /** A request for an unknown model: no series has its name. */
  recordUnknown() {
    const labels = { model: 'other', provider: 'other' };
    // Only what is recorded as `other` has a series of that name.
    this.#add('requests_total', { ...labels, operation: 'chat', status: 'error' }, 1);
    this.#add('errors_total', { ...labels, error_type: 'not_found' }, 1);
  }

  recordFallback(from_model, to_model, status) {
    this.#add('fallbacks_total', { from_model, to_model, status }, 1);
  }

  recordCacheLookup(result) {
    this.#add('cache_requests_total', { cache: 'answers', result }, 1);
  }

  /** Only the gateway knows how long the check took. */
  recordGuardrail(result) {
    const where = { guardrail: 'prompt_injection', stage: 'input' };
    this.#add('guardrail_checks_total', { ...where, result }, 1);
    this.#observe('guardrail_duration_seconds', where, { min: 0, max: 1 });
  }

  /** @param format text or openmetrics. @returns {Map} exactly the expected series: value or range. */
  series(format) {
    const series = new Map(this.#values);
    for (const { name, labels, ranges } of this.#observations.values()) {
      const within = (end, bound) => ranges.filter((range) => range[end] <= bound).length;
      const bounds = BUCKETS[name].map((bound) => [BOUND[format](bound), bound]);
      for (const [le, bound] of [...bounds, ['+Inf', Infinity]]) {
        const count = { min: within('max', bound), max: within('min', bound) };
        const key = seriesKey(`${PREFIX}${name}_bucket`, { ...labels, le });
        series.set(key, count.min === count.max ? count.min : count);
      }
      const sum = (end) => ranges.reduce((total, range) => total + range[end], 0);
      series.set(seriesKey(`${PREFIX}${name}_sum`, labels), rounded(sum('min'), sum('max')));
      series.set(seriesKey(`${PREFIX}${name}_count`, labels), ranges.length);
    }
    for (const [key, value] of series) {
      if (key.startsWith(`${PREFIX}cost_usd_total`)) series.set(key, rounded(value, value));
    }
    const left = BUDGET_USD - this.#costUsd;
    series.set(seriesKey(`${PREFIX}budget_remaining_usd`, { budget: 'gateway' }), rounded(left, left));
    return series;
  }

  /** The series that start at 0 when a model is registered or used. */
  #begin(labels, operation) {
    this.#add('active_requests', labels, 0);
    for (const type of ['input', 'output']) this.#add('tokens_total', { ...labels, type }, 0);
    for (const error_type of ERROR_TYPES) this.#add('errors_total', { ...labels, error_type }, 0);
    this.#add('unpriced_requests_total', labels, 0);
    this.#add('usage_missing_total', labels, 0);
    this.#add('streaming_requests_total', labels, 0);
    if (labels.model in PRICES) this.#add('cost_usd_total', labels, 0);
    for (const status of STATUSES) this.#add('requests_total', { ...labels, operation, status }, 0);
  }

  #recordLimits(labels, { unanswered }) {
    if (unanswered) return;
    for (const [resource, limit] of Object.entries(LIMITS)) {
      this.#set('ratelimit_limit', { ...labels, resource }, limit);
      this.#set('ratelimit_remaining', { ...labels, resource }, { min: 0, max: limit });
      this.#set('ratelimit_reset_timestamp_seconds', { ...labels, resource }, this.#reset);
    }
  }

  #recordUsage(labels, { status, usage, operation, chunks }) {
    if (usage === undefined) {
      const isMissing = status === 'success' ? operation !== 'image' : chunks > 0;
      if (isMissing) this.#add('usage_missing_total', labels, 1);
      return;
    }
    const { input, output, cacheRead = 0, cacheWrite = 0 } = usage;
    this.#add('tokens_total', { ...labels, type: 'input' }, input);
    this.#add('tokens_total', { ...labels, type: 'output' }, output);
    const details = { cache_read: usage.cacheRead, cache_write: usage.cacheWrite, reasoning: usage.reasoning };
    for (const [detail, tokens] of Object.entries(details)) {
      if (tokens !== undefined) this.#add('token_details_total', { ...labels, detail }, tokens);
    }
    const price = PRICES[labels.model];
    if (price === undefined) return this.#add('unpriced_requests_total', labels, 1);
    const [ofInput, ofOutput, ofRead, ofWrite] = price;
    const plain = input - cacheRead - cacheWrite;
    let costUsd = (plain * ofInput + output * ofOutput + cacheRead * ofRead + cacheWrite * ofWrite) / 1e6;
    for (const [tool, calls] of Object.entries(usage.tools ?? {})) {
      this.#add('server_tool_calls_total', { ...labels, tool }, calls);
      costUsd += calls * TOOL_USD[tool];
    }
    this.#add('cost_usd_total', labels, costUsd);
    this.#costUsd += costUsd;
  }

  #recordStream(labels, { chunks, usage, interrupted, durationSeconds, firstTokenSeconds }) {
    if (chunks === 0) return;
    for (const reason of INTERRUPTIONS) this.#add('streaming_interrupted_total', { ...labels, reason }, 0);
    this.#add('streaming_requests_total', labels, 1);
    this.#add('streaming_chunks_total', labels, chunks);
    if (interrupted !== undefined) this.#add('streaming_interrupted_total', { ...labels, reason: interrupted }, 1);
    if (firstTokenSeconds === undefined) return;
    this.#observe('streaming_time_to_first_token_seconds', labels, firstTokenSeconds);
    // The reader has not seen the reasoning.
    const tokens = usage === undefined ? 0 : usage.output - (usage.reasoning ?? 0) - 1;
    if (tokens < 1) return;
    const min = Math.max(0, durationSeconds.min - firstTokenSeconds.max - CLOCK_SECONDS) / tokens;
    const max = (durationSeconds.max - firstTokenSeconds.min + CLOCK_SECONDS) / tokens;
    this.#observe('streaming_time_per_output_token_seconds', labels, { min, max });
  }

  #add(name, labels, value) {
    const key = seriesKey(PREFIX + name, labels);
    this.#values.set(key, (this.#values.get(key) ?? 0) + value);
  }

  #set(name, labels, value) {
    this.#values.set(seriesKey(PREFIX + name, labels), value);
  }

  #observe(name, labels, { min, max }) {
    const key = seriesKey(name, labels);
    if (!this.#observations.has(key)) this.#observations.set(key, { name, labels, ranges: [] });
    this.#observations.get(key).ranges.push({ min: min - CLOCK_SECONDS, max: max + CLOCK_SECONDS });
  }
}

function rounded(min, max) {
  return { min: min - ROUNDING * Math.abs(min), max: max + ROUNDING * Math.abs(max) };
}
