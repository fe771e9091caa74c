/**
 * One request to a model, from the call of the client's method to the end of its answer. Starts the `LlmCall`, and ends it once
 * with what the SDK's promise or stream reports.
 */

import { abortTypeOf, errorTypeOf } from '../../collectors/error-type';
import { OTHER } from '../../collectors/label-values';
import type { LlmCall } from '../../collectors/llm/call';
import type { LlmMetricsCollector } from '../../collectors/llm/llm-collector';
import type { UserLabels } from '../../collectors/llm/user-label';
import type { LlmErrorType } from '../../collectors/words';
import { read, readText } from '../../read';
import { quietly, warnOnce } from '../../warnings';
import { answered } from '../answers';
import type { CallObserver } from '../measure';
import { type AnswerEnd, type Endpoint, errorClassesOf, type RequestBody, type Sdk } from './endpoint';
import { isApiPromise, observePromise, type PromiseObserver } from './promise';
import { isStream, watchStream } from './stream';

/** What a request is made of. */
export interface RequestParts {
  readonly sdk: Sdk;
  readonly collector: LlmMetricsCollector;
  readonly endpoint: Endpoint;
  readonly provider: string;
  readonly labels: UserLabels | undefined;
  readonly client: unknown;
}

const EMPTY_BODY: RequestBody = {};

/** The body that the SDK's options of a request hold. A form is not read, but for its model. */
export function readBody(options: unknown): RequestBody {
  const body = read(options, 'body');
  return typeof body === 'object' && body !== null ? (body as RequestBody) : EMPTY_BODY;
}

/** The model that the SDK's options of a request name. */
export function readModel(options: unknown): string | undefined {
  const body = read(options, 'body');
  return readText(body, 'model') ?? readText(read(options, '__metadata'), 'model') ?? readFormField(body, 'model');
}

/** A field of a form: of a `FormData`, also one of another realm or library. */
function readFormField(body: unknown, name: string): string | undefined {
  const [get, append] = ['get', 'append'].map((method) => read(body, method));
  if (typeof get !== 'function' || typeof append !== 'function') return undefined;
  const value: unknown = get.call(body, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** One request. */
export class Request implements CallObserver, PromiseObserver {
  readonly #parts: RequestParts;
  #options: unknown;
  #call: LlmCall | undefined;
  #sent = false;
  #answered = false;

  constructor(parts: RequestParts) {
    this.#parts = parts;
  }

  /** Takes the SDK's options of the request. Some versions make them in the background, so they may come after the promise. */
  prepared(options: unknown): void {
    this.#options = options;
    this.#start();
  }

  returned(promise: unknown): unknown {
    const { sdk } = this.#parts;
    if (isApiPromise(promise)) {
      this.#sent = true;
      this.#start();
      observePromise(promise, this);
    } else {
      warnOnce(`Expected ${sdk.name} to return its promise from post(); its requests are not measured`);
    }
    return promise;
  }

  #start(): void {
    if (!this.#sent || this.#options === undefined || this.#call !== undefined) return;
    const { collector, endpoint, provider, labels } = this.#parts;
    const model = readModel(this.#options) ?? OTHER;
    this.#call = collector.startRequest({ model, provider, operation: endpoint.operation, labels });
  }

  threw(error: unknown): void {
    this.#sent = true;
    this.#start();
    this.failed(error);
  }

  failed(error: unknown): void {
    // After an answer has come, an error is about how the SDK or the caller used it: the request itself succeeded.
    if (this.#answered) return;
    const type = errorTypeOf(error, errorClassesOf(this.#parts.client));
    this.#call?.fail(type === 'cancelled' ? this.#classifyAbort() : type);
  }

  /** The caller's `AbortSignal` holds the abort's reason, which the SDK's own error does not. */
  #classifyAbort(): LlmErrorType {
    const signal = read(this.#options, 'signal');
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
    const { endpoint } = this.#parts;
    if (!isStream(answer)) {
      // An answer that cannot be read, such as `null`, still ends the request.
      this.#complete(call, quietly(() => endpoint.readEnd(answer, readBody(this.#options))) ?? { end: {} });
      return;
    }
    const reader = endpoint.chunkReader?.();
    if (reader === undefined) call.end();
    else {
      watchStream(answer, call, reader, {
        complete: (end) => this.#complete(call, end),
        classifyAbort: () => this.#classifyAbort(),
        client: this.#parts.client,
      });
    }
  }

  #complete(call: LlmCall, { end, failure, id, retrievable = false }: AnswerEnd): void {
    if (id !== undefined) answered(this.#parts.collector, id, retrievable);
    if (failure === undefined) call.end(end);
    else call.fail(failure, end);
  }
}
