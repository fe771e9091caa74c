/**
 * Keeps the series of one model at one provider. Each is looked up once, so recording a request costs about ten memory adds.
 */
import type { CounterSeries } from '../../metrics/counter';
import type { GaugeSeries } from '../../metrics/gauge';
import type { HistogramSeries } from '../../metrics/histogram';
import { ExemplarSeries } from '../exemplar-series';
import type { Families } from '../families';
import { findWord, OTHER, readName } from '../label-values';
import type { ModelPrices } from './prices';
import type { UserLabels } from './user-label';

/** Children by one more label. Each is made when it is first used. */
class Children {
  readonly #children = new Map<string, CounterSeries>();
  readonly #words: readonly string[];
  readonly #make: (word: string) => CounterSeries;

  constructor(words: readonly string[], make: (word: string) => CounterSeries) {
    this.#words = words;
    this.#make = make;
  }

  /** The child of a word; that of `other` if the label does not have the word. */
  of(given: string): CounterSeries {
    const known = this.#children.get(given);
    if (known !== undefined) return known;
    const word = this.word(given);
    const child = this.#children.get(word) ?? this.#make(word);
    this.#children.set(word, child);
    return child;
  }

  /** The word as the label shows it. */
  word(given: string): string {
    return findWord(this.#words, given) ?? OTHER;
  }

  /** Makes all children appear with 0. A rate counts the first event only if there was a value before it. */
  init(): void {
    for (const word of this.#words) this.of(word).inc(0);
  }
}

/** The series of one operation of a model. */
export interface OperationSeries {
  readonly name: string;
  readonly statuses: Children;
  readonly succeeded: CounterSeries;
  readonly duration: ExemplarSeries;
}

/** The series of one rate limit of a model. */
export interface RateLimitSeries {
  readonly limit: GaugeSeries;
  readonly remaining: GaugeSeries;
  readonly reset: GaugeSeries;
}

export class ModelSeries {
  readonly tokens: Children;
  readonly inputTokens: CounterSeries;
  readonly outputTokens: CounterSeries;
  /** By word. A request has several details, and a property is found faster than an entry of a `Map`. */
  readonly details: Readonly<Record<string, CounterSeries>>;
  readonly errors: Children;
  readonly retries: Children;
  readonly finishReasons: Children;
  readonly cost: CounterSeries;
  readonly unpriced: CounterSeries;
  readonly usageMissing: CounterSeries;
  readonly objectives: Children | undefined;
  readonly attempt: HistogramSeries | undefined;
  readonly streamedRequests: CounterSeries;
  readonly chunks: CounterSeries;
  readonly firstToken: ExemplarSeries;
  readonly perToken: HistogramSeries;
  readonly interrupted: Children;
  readonly media: Children;
  readonly queue: HistogramSeries | undefined;
  readonly interChunk: HistogramSeries | undefined;
  readonly longestGap: HistogramSeries | undefined;
  readonly stalls: CounterSeries | undefined;
  readonly #active: GaugeSeries;
  readonly #families: Families;
  readonly #operations = new Map<string, OperationSeries>();
  readonly #rateLimits = new Map<string, RateLimitSeries>();
  readonly #userLabels: UserLabels;
  readonly #variants = new Map<string, ModelSeries>();
  #streams = false;
  #running = 0;

  constructor(
    families: Families,
    readonly model: string,
    readonly provider: string,
    readonly prices: ModelPrices | undefined,
    userLabels: UserLabels = {},
  ) {
    this.#families = families;
    this.#userLabels = userLabels;
    const children = (name: string, label: string, more: UserLabels = {}) =>
      new Children(families.words(name, label), (word) =>
        families.counter(name).labels({ model, provider, [label]: word, ...more }),
      );
    this.#active = families.gauge('llm_active_requests').labels({ model, provider });
    this.tokens = children('llm_tokens_total', 'type', userLabels);
    const details = families.counter('llm_token_details_total');
    this.details = Object.fromEntries(
      families
        .words('llm_token_details_total', 'detail')
        .map((detail) => [detail, details.labels({ model, provider, detail })]),
    );
    this.errors = children('llm_errors_total', 'error_type');
    this.retries = children('llm_retries_total', 'error_type');
    this.finishReasons = children('llm_finish_reasons_total', 'reason');
    this.cost = families.counter('llm_cost_usd_total').labels({ model, provider, ...userLabels });
    this.unpriced = families.counter('llm_unpriced_requests_total').labels({ model, provider });
    this.usageMissing = families.counter('llm_usage_missing_total').labels({ model, provider });
    this.media = children('llm_media_units_total', 'unit');
    this.objectives = families.optionalCounter('llm_objectives_total')
      ? children('llm_objectives_total', 'result')
      : undefined;
    this.attempt = families.optional('llm_attempt_duration_seconds')?.labels({ model, provider });
    this.streamedRequests = families.counter('llm_streaming_requests_total').labels({ model, provider });
    this.chunks = families.counter('llm_streaming_chunks_total').labels({ model, provider });
    const firstToken = families.histogram('llm_streaming_time_to_first_token_seconds');
    this.firstToken = new ExemplarSeries(firstToken, { model, provider });
    this.perToken = families.histogram('llm_streaming_time_per_output_token_seconds').labels({ model, provider });
    this.interrupted = children('llm_streaming_interrupted_total', 'reason');
    this.queue = families.optional('llm_queue_duration_seconds')?.labels({ model, provider });
    this.interChunk = families.optional('llm_streaming_inter_chunk_seconds')?.labels({ model, provider });
    this.longestGap = families.optional('llm_streaming_longest_gap_seconds')?.labels({ model, provider });
    this.stalls = families.optionalCounter('llm_streaming_stalls_total')?.labels({ model, provider });
    this.#init();
    this.inputTokens = this.tokens.of('input');
    this.outputTokens = this.tokens.of('output');
  }

  /** Rates need a 0 before the first event. Series of `other` appear only when something is recorded in them. */
  #init(): void {
    if (this.model === OTHER) return;
    this.#active.inc(0);
    this.tokens.init();
    this.errors.init();
    this.unpriced.inc(0);
    this.usageMissing.inc(0);
    this.streamedRequests.inc(0);
    this.objectives?.init();
    if (this.prices !== undefined) this.cost.inc(0);
  }

  /** The series with a value of the user's own label. They share all series that do not have this label. */
  variant(label: string, value: string): ModelSeries {
    let variant = this.#variants.get(value);
    if (variant === undefined) {
      variant = new ModelSeries(this.#families, this.model, this.provider, this.prices, { [label]: value });
      this.#variants.set(value, variant);
    }
    return variant;
  }

  /** A request begins. */
  began(): void {
    this.#running++;
    this.#active.inc();
  }

  /** A request ends. */
  ended(): void {
    this.#running--;
    this.#active.dec();
  }

  /** A request was never ended, and its call has been collected as garbage. */
  forgotten(): void {
    this.ended();
    this.removeUnused();
  }

  /**
   * Removes the gauge of an `other` in which nothing was recorded. A request to an unknown model is active as `other`; if it
   * succeeds, the model gets series of its own, and an unused `other` must not stay behind.
   */
  removeUnused(): void {
    if (this.model !== OTHER || this.#running > 0 || this.#operations.size > 0) return;
    this.#families.gauge('llm_active_requests').remove({ model: this.model, provider: this.provider });
  }

  /** Counts calls of a tool that the provider runs. */
  serverTool(tool: string, calls: number): void {
    const { model, provider } = this;
    this.#families.counter('llm_server_tool_calls_total').inc({ model, provider, tool: readName(tool) }, calls);
  }

  /**
   * The series of a rate limit.
   *
   * @throws {ValueError} `INVALID_VALUE` for an unknown resource
   */
  rateLimit(given: string): RateLimitSeries {
    const known = this.#rateLimits.get(given);
    if (known !== undefined) return known;
    const { model, provider } = this;
    const families = this.#families;
    const labels = { model, provider, resource: families.checkedWord('llm_ratelimit_limit', 'resource', given) };
    const series = {
      limit: families.gauge('llm_ratelimit_limit').labels(labels),
      remaining: families.gauge('llm_ratelimit_remaining').labels(labels),
      reset: families.gauge('llm_ratelimit_reset_timestamp_seconds').labels(labels),
    };
    this.#rateLimits.set(given, series);
    return series;
  }

  /** The series of an operation; that of `other` if it is unknown. */
  operation(given: string): OperationSeries {
    const known = this.#operations.get(given);
    if (known !== undefined) return known;
    const name = findWord(this.#families.words('llm_requests_total', 'operation'), given) ?? OTHER;
    return this.#operations.get(name) ?? this.#makeOperation(name);
  }

  #makeOperation(operation: string): OperationSeries {
    const { model, provider } = this;
    const families = this.#families;
    const requests = families.counter('llm_requests_total');
    const statuses = new Children(families.words('llm_requests_total', 'status'), (status) =>
      requests.labels({ model, provider, operation, status, ...this.#userLabels }),
    );
    const durations = families.histogram('llm_request_duration_seconds');
    const duration = new ExemplarSeries(durations, { model, provider, operation });
    if (model !== OTHER) statuses.init();
    const series = { name: operation, statuses, succeeded: statuses.of('success'), duration };
    this.#operations.set(operation, series);
    return series;
  }

  /** Notes that the model streams. The first call makes the counters of interruptions and stalls appear with 0. */
  streamed(): void {
    if (this.#streams) return;
    this.#streams = true;
    if (this.model === OTHER) return;
    this.interrupted.init();
    this.stalls?.inc(0);
  }
}
