/**
 * One request to a language model, across the attempts that the SDK makes: an attempt that failed was the last if no other
 * follows, which the SDK tells afterwards.
 */
import { abortTypeOf } from '../../collectors/error-type';
import type { LlmCall } from '../../collectors/llm/call';
import type { LlmMetricsCollector } from '../../collectors/llm/llm-collector';
import type { LlmTarget } from '../../collectors/llm/request';
import { quietly } from '../../quietly';
import { ANTHROPIC_LIMITS, OPENAI_LIMITS, readRateLimits } from '../rate-limits';
import { isOutput, readModelEnd } from './answer';
import { classifyError } from './failure';
import { observeStream } from './model-stream';
import type { ModelAnswerLike, ModelUsageLike, PartLike } from './shapes';

/** Whatever provider answers, it has headers of one kind. */
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
  }

  /** Whether its last attempt failed, so that one that follows is a retry. */
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

  /** It failed for good, of its last attempt if that failed. */
  failed(error: unknown): void {
    const cause = this.#failure === undefined ? error : this.#failure.error;
    this.#call.fail(classifyError(cause));
  }

  /**
   * An answer has come, or its stream has.
   *
   * @param streamed is told when the stream has ended
   * @returns whether it is a stream
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
        // A stream that only stops was cut off by somebody who closed it properly.
        if (reason === undefined) return fail(call.chunks > 0 ? 'stream_interrupted' : 'invalid_response');
        call.end(readModelEnd(usage, reason));
        streamed();
      },
      failed: fail,
      left: (why) => {
        if (why !== undefined) return fail(abortTypeOf(why));
        // Where it was aborted, the SDK tells why in the same turn.
        setImmediate(() => quietly(() => fail('cancelled')));
      },
    });
  }
}
