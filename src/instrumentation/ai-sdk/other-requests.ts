/**
 * Requests for objects, embeddings, reranking, speech and transcription. The SDK reports their start and end, and little
 * about their attempts; retries are counted from the final error, which lists them.
 */
import { type Moment, now, secondsSince } from '../../clock';
import type { LlmCall } from '../../collectors/llm/call';
import type { LlmMetricsCollector } from '../../collectors/llm/llm-collector';
import type { LlmEnd, LlmTarget } from '../../collectors/llm/request';
import type { LlmErrorType } from '../../collectors/words';
import { readModelEnd } from './answer';
import { classifyError, retriedErrors } from './failure';
import type { EmbedEventLike, ObjectStepEndLike } from './shapes';

/** A request with one start and one end event. */
export class PlainRequest {
  readonly #collector: LlmMetricsCollector;
  readonly #target: LlmTarget;
  readonly #call: LlmCall;
  #retries = 0;

  constructor(collector: LlmMetricsCollector, target: LlmTarget) {
    this.#collector = collector;
    this.#target = target;
    this.#call = collector.startRequest(target);
  }

  /** An attempt was repeated. The reason is known only if the request fails. */
  retried(): void {
    this.#retries++;
  }

  ended(end: LlmEnd): void {
    for (let retry = 0; retry < this.#retries; retry++) this.#collector.recordRetry(this.#target, 'other');
    this.#call.end(end);
  }

  failed(error: unknown): void {
    for (const retried of retriedErrors(error)) this.#collector.recordRetry(this.#target, classifyError(retried));
    this.#call.fail(classifyError(error));
  }
}

/** The requests of one `embed()` or `embedMany()` call. There may be several at a time. */
export class EmbedRequests {
  readonly #open = new Map<string, { readonly request: PlainRequest; readonly values: unknown }>();

  started({ embedCallId, values, operationId }: EmbedEventLike, begin: () => PlainRequest): void {
    for (const [id, attempt] of this.#open) {
      // Requests of one `embedMany` are identified by the list object that they send; `embed` makes one at a time.
      if (operationId !== 'ai.embed.doEmbed' && attempt.values !== values) continue;
      attempt.request.retried();
      this.#open.delete(id);
      this.#open.set(embedCallId, attempt);
      return;
    }
    this.#open.set(embedCallId, { request: begin(), values });
  }

  ended({ embedCallId, usage }: EmbedEventLike): void {
    this.#open.get(embedCallId)?.request.ended({ inputTokens: usage?.tokens });
    this.#open.delete(embedCallId);
  }

  failed(error: unknown): void {
    for (const { request } of this.#open.values()) request.failed(error);
    this.#open.clear();
  }
}

/**
 * A request for a generated object. A streamed one is not counted as active, because the SDK reports no end if its stream
 * breaks off.
 */
export class ObjectRequest {
  readonly #collector: LlmMetricsCollector;
  readonly #target: LlmTarget;
  readonly #call: LlmCall | undefined;
  readonly #start: Moment = now();
  #end: LlmEnd = {};
  #firstMs: number | undefined;

  constructor(collector: LlmMetricsCollector, target: LlmTarget, isStreamed: boolean) {
    this.#collector = collector;
    this.#target = target;
    this.#call = isStreamed ? undefined : collector.startRequest(target);
  }

  /** The answer has come. Whether it is a valid object is not known yet. */
  answered({ usage, finishReason, msToFirstChunk }: ObjectStepEndLike): void {
    this.#end = readModelEnd(usage, finishReason);
    this.#firstMs = msToFirstChunk;
  }

  ended(error: unknown): void {
    if (error !== undefined) this.failed(error);
    else if (this.#call === undefined) this.#record({});
    else this.#call.end(this.#end);
  }

  failed(error: unknown): void {
    for (const retried of retriedErrors(error)) this.#collector.recordRetry(this.#target, classifyError(retried));
    if (this.#call === undefined) this.#record({ errorType: classifyError(error) as LlmErrorType });
    else this.#call.fail(classifyError(error), this.#end);
  }

  #record(outcome: { errorType?: LlmErrorType }): void {
    const durationMs = secondsSince(this.#start) * 1000;
    const timeToFirstTokenMs = this.#firstMs;
    this.#collector.recordRequest({ ...this.#target, ...this.#end, ...outcome, durationMs, timeToFirstTokenMs });
  }
}
