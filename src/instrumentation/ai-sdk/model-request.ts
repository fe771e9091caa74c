/**
 * One request to a language model, with all attempts of the SDK. Whether a failed attempt was the last is known only later:
 * either another attempt follows, or the SDK reports the failure of the operation.
 */
import { setImmediate } from 'node:timers';
import { abortTypeOf } from '../../collectors/error-type';
import type { LlmCall } from '../../collectors/llm/call';
import type { LlmMetricsCollector } from '../../collectors/llm/llm-collector';
import type { LlmTarget } from '../../collectors/llm/request';
import { quietly } from '../../warnings';
import { ANTHROPIC_LIMITS, OPENAI_LIMITS, readRateLimits } from '../rate-limits';
import { isOutput, readModelEnd } from './answer';
import { classifyError } from './failure';
import { observeStream } from './model-stream';
import type { ModelAnswerLike, ModelUsageLike, PartLike } from './shapes';

/** Headers of both kinds are read, because the SDK's answer does not say which kind a provider uses. */
const LIMITS = [...OPENAI_LIMITS, ...ANTHROPIC_LIMITS];

export class ModelRequest {
  readonly #collector: LlmMetricsCollector;
  readonly #target: LlmTarget;
  readonly #call: LlmCall;
  #failure: { readonly error: unknown } | undefined;

  constructor(collector: LlmMetricsCollector, target: LlmTarget) {
    this.#collector = collector;
    this.#target = target;
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
    this.#call.fail(classifyError(cause));
  }

  /**
   * Records an answer, or observes its stream.
   *
   * @param streamed called when the stream has ended
   * @returns true if the answer is a stream
   */
  answered({ stream, usage, finishReason, response }: ModelAnswerLike, streamed: () => void): boolean {
    const headers = response?.headers;
    for (const { resource, ...amounts } of readRateLimits(LIMITS, (name) => headers?.[name])) {
      this.#collector.setRateLimit(this.#target, resource, amounts);
    }
    if (stream === undefined) this.#call.end(readModelEnd(usage, finishReason?.unified));
    else if (!this.#observe(stream, streamed)) this.#call.end();
    else return true;
    return false;
  }

  #observe(stream: unknown, streamed: () => void): boolean {
    let usage: ModelUsageLike | undefined;
    let reason: string | undefined;
    let failure: { readonly error: unknown } | undefined;
    const call = this.#call;
    const fail = (error: unknown): void => {
      call.fail(classifyError(error), readModelEnd(usage, undefined));
      streamed();
    };
    return observeStream(stream, {
      value: (value) => {
        const part = value as PartLike;
        if (isOutput(part)) call.chunk();
        if (part.type === 'error') failure ??= { error: part.error };
        if (part.type !== 'finish') return;
        usage = part.usage;
        reason = part.finishReason?.unified ?? 'other';
      },
      done: () => {
        if (failure !== undefined) return fail(failure.error);
        // A stream without a finish part was cut off, although its connection was closed without an error.
        if (reason === undefined) return fail(call.chunks > 0 ? 'stream_interrupted' : 'invalid_response');
        call.end(readModelEnd(usage, reason));
        streamed();
      },
      failed: fail,
      left: (why) => {
        if (why !== undefined) return fail(abortTypeOf(why));
        // After an abort, the SDK reports the reason within the same turn of the event loop.
        setImmediate(() => quietly(() => fail('cancelled')));
      },
    });
  }
}
