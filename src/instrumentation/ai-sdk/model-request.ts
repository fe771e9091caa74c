/**
 * One request to a language model, with all attempts of the SDK. Whether a failed attempt was the last is known only later:
 * either another attempt follows, or the SDK reports the failure of the operation.
 */
import { setImmediate } from 'node:timers';
import { abortTypeOf } from '../../collectors/error-type';
import type { LlmCall } from '../../collectors/llm/call';
import type { LlmMetricsCollector } from '../../collectors/llm/llm-collector';
import type { LlmEnd, LlmTarget } from '../../collectors/llm/request';
import { read } from '../../read';
import { quietly } from '../../warnings';
import { ANTHROPIC_LIMITS, OPENAI_LIMITS, readRateLimits } from '../rate-limits';
import { isOutput, readModelEnd } from './answer';
import { classifyError } from './failure';
import { observeStream, type StreamObserver, tapStream } from './model-stream';
import type { ModelAnswerLike, ModelUsageLike, PartLike } from './shapes';

/** Headers of both kinds are read, because the SDK's answer does not say which kind a provider uses. */
const LIMITS = [...OPENAI_LIMITS, ...ANTHROPIC_LIMITS];

export class ModelRequest {
  readonly #collector: LlmMetricsCollector;
  readonly #target: LlmTarget;
  readonly #call: LlmCall;
  readonly #signal: unknown;
  #failure: { readonly error: unknown } | undefined;

  /** @param signal the caller's abort signal, if it is known */
  constructor(collector: LlmMetricsCollector, target: LlmTarget, signal?: unknown) {
    this.#collector = collector;
    this.#target = target;
    this.#signal = signal;
    this.#call = collector.startRequest(target);
    // A model of the program's own may use a client that is instrumented too; the client then counts the request.
    this.#call.enclose();
  }

  /** True if the last attempt failed; the next one is then a retry. */
  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  attemptFailed(error: unknown): void {
    this.#failure = { error };
  }

  retried(): void {
    this.#collector.recordRetry(this.#target, classifyError(this.#failure?.error));
    this.#failure = undefined;
  }

  /** The request failed. The last attempt's error is recorded, or `error` if no attempt failed. */
  failed(error: unknown): void {
    const cause = this.#failure === undefined ? error : this.#failure.error;
    this.#call.fail(this.#classify(cause));
  }

  /** How the request failed; undefined if it did not. */
  get errorType(): string | undefined {
    return this.#call.outcome?.errorType;
  }

  #classify(error: unknown): string {
    return read(this.#signal, 'aborted') === true ? abortTypeOf(read(this.#signal, 'reason')) : classifyError(error);
  }

  /**
   * Records an answer, or observes its stream.
   *
   * @param streamed called when the stream has ended
   * @returns true if the answer is a stream
   */
  answered(answer: ModelAnswerLike, streamed: () => void): boolean {
    this.#readLimits(answer);
    if (answer.stream === undefined) this.#record(answer);
    else if (!observeStream(answer.stream, this.#observer(streamed))) this.#call.end();
    else return true;
    return false;
  }

  /** Records an answer. @returns the answer; if it is a stream, with an observed copy of it */
  passed<R extends ModelAnswerLike>(answer: R): R {
    this.#readLimits(answer);
    const stream = answer.stream === undefined ? undefined : tapStream(answer.stream, this.#observer());
    if (stream !== undefined) return { ...answer, stream };
    this.#record(answer);
    return answer;
  }

  #record({ usage, finishReason, embeddings, images }: ModelAnswerLike): void {
    const end: LlmEnd = embeddings === undefined ? readModelEnd(usage, finishReason) : { inputTokens: usage?.tokens };
    if (images !== undefined) end.media = { unit: 'images', amount: images.length };
    this.#end(finishReason, end);
  }

  #end(reason: ModelAnswerLike['finishReason'], end: LlmEnd): void {
    // Gateways end an answer so if the provider fails. The SDK drops the error beside it.
    if (read(reason, 'raw') === 'error') this.#call.fail('server_error', end);
    else this.#call.end(end);
  }

  #readLimits({ response }: ModelAnswerLike): void {
    const headers = response?.headers;
    for (const { resource, amounts } of readRateLimits(LIMITS, (name) => headers?.[name])) {
      this.#collector.setRateLimit(this.#target, resource, amounts);
    }
  }

  #observer(streamed: () => void = () => {}): StreamObserver {
    let usage: ModelUsageLike | undefined;
    let reason: ModelAnswerLike['finishReason'];
    let failure: { readonly error: unknown } | undefined;
    const call = this.#call;
    const fail = (error: unknown): void => {
      call.fail(this.#classify(error), readModelEnd(usage, undefined));
      streamed();
    };
    return {
      value: (value) => {
        const part = value as PartLike;
        if (isOutput(part)) call.chunk();
        if (part.type === 'error') failure ??= { error: part.error };
        if (part.type !== 'finish') return;
        usage = part.usage;
        reason = part.finishReason ?? 'other';
      },
      done: () => {
        if (failure !== undefined) return fail(failure.error);
        // A stream without a finish part was cut off, although its connection was closed without an error.
        if (reason === undefined) return fail(call.chunks > 0 ? 'stream_interrupted' : 'invalid_response');
        this.#end(reason, readModelEnd(usage, reason));
        streamed();
      },
      failed: fail,
      left: (why) => {
        if (why !== undefined) return fail(abortTypeOf(why));
        // After an abort, the SDK reports the reason within the same turn of the event loop.
        setImmediate(() => quietly(() => fail('cancelled')));
      },
    };
  }
}
