/**
 * One request to a model, from the call of an SDK's method to the end of its answer. Starts the `LlmCall`, and ends it once
 * with what the SDK's promise or stream reports.
 */
import { abortTypeOf, type ErrorClasses, errorTypeOf } from '../../collectors/error-type';
import type { LlmCall } from '../../collectors/llm/call';
import type { LlmMetricsCollector } from '../../collectors/llm/llm-collector';
import type { LlmTarget } from '../../collectors/llm/request';
import type { LlmErrorType } from '../../collectors/words';
import { read } from '../../read';
import { quietly, warnOnce } from '../../warnings';
import type { CallObserver } from '../measure';
import type { AnswerEnd, Endpoint, RequestBody, Sdk } from './endpoint';
import { isApiPromise, observePromise, type PromiseObserver } from './promise';
import { isStream, watchStream } from './stream';

/** What a request is made of. */
export interface RequestParts {
  readonly sdk: Sdk;
  readonly collector: LlmMetricsCollector;
  readonly endpoint: Endpoint;
  readonly target: LlmTarget;
  readonly body: RequestBody;
  /** The caller's `AbortSignal`, if any. It holds the abort's reason, which the SDK's own error does not. */
  readonly signal: unknown;
  readonly errorClasses: ErrorClasses;
}

/** One request. */
export class Request implements CallObserver, PromiseObserver {
  readonly #parts: RequestParts;
  #call: LlmCall | undefined;
  #answered = false;

  constructor(parts: RequestParts) {
    this.#parts = parts;
  }

  returned(promise: unknown): unknown {
    const { sdk, collector, endpoint, target } = this.#parts;
    if (isApiPromise(promise)) {
      this.#call = collector.startRequest(target);
      observePromise(promise, this);
    } else {
      const { resource, method } = endpoint;
      warnOnce(`Expected ${sdk.name} to return its promise from ${resource}.${method}; it is not measured`);
    }
    return promise;
  }

  threw(error: unknown): void {
    const { collector, target } = this.#parts;
    collector.startRequest(target).fail(error);
  }

  failed(error: unknown): void {
    // After an answer has come, an error is about how the SDK or the caller used it: the request itself succeeded.
    if (this.#answered) return;
    const type = errorTypeOf(error, this.#parts.errorClasses);
    this.#call?.fail(type === 'cancelled' ? this.#classifyAbort() : type);
  }

  #classifyAbort(): LlmErrorType {
    const { signal } = this.#parts;
    return read(signal, 'aborted') === true ? abortTypeOf(read(signal, 'reason')) : 'cancelled';
  }

  raw(): void {
    const call = this.#call;
    if (call === undefined || call.ended) return;
    call.end();
  }

  parsed(answer: unknown): void {
    const call = this.#call;
    if (this.#answered || call === undefined || call.ended) return;
    this.#answered = true;
    const { endpoint, body } = this.#parts;
    if (!isStream(answer)) {
      // An answer that cannot be read, such as `null`, still ends the request.
      this.#complete(call, quietly(() => endpoint.readEnd(answer, body)) ?? { end: {} });
      return;
    }
    const reader = endpoint.chunkReader?.();
    if (reader === undefined) call.end();
    else {
      watchStream(answer, call, reader, {
        complete: (end) => this.#complete(call, end),
        classifyAbort: () => this.#classifyAbort(),
        errorClasses: this.#parts.errorClasses,
      });
    }
  }

  #complete(call: LlmCall, { end, failure }: AnswerEnd): void {
    if (failure === undefined) call.end(end);
    else call.fail(failure, end);
  }
}
