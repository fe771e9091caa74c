/**
 * Answers of the Responses API. A response that failed comes with HTTP status 200.
 */
import type { FinishReason, LlmErrorType } from '../../collectors/words';
import { finishReasonOf } from '../finish-reason';
import type { Answered, Endpoint, Reading } from '../stainless/wire';
import { type InputOutputUsage, inputOutputUsage } from './usage';

interface OutputItem {
  readonly type?: string;
  readonly content?: readonly { readonly type?: string }[] | null;
}

interface ModelResponse {
  readonly status?: string | null;
  readonly usage?: InputOutputUsage | null;
  readonly error?: { readonly code?: string } | null;
  readonly incomplete_details?: { readonly reason?: string } | null;
  readonly output?: readonly OutputItem[] | null;
}

interface ResponseEvent {
  readonly type?: string;
  readonly response?: ModelResponse;
}

/** Codes of failed responses that no other part of the API has. */
const FAILURES: Readonly<Record<string, LlmErrorType>> = {
  invalid_prompt: 'invalid_request',
  vector_store_timeout: 'timeout',
  image_content_policy_violation: 'content_filter',
};

function answered(answer: unknown): Answered {
  const response = answer as ModelResponse;
  const usage = inputOutputUsage(response.usage);
  if (response.status === 'failed') return { end: { ...usage, finishReason: 'error' }, failure: failureOf(response) };
  if (response.status === 'cancelled') return { end: usage, failure: 'cancelled' };
  return { end: { ...usage, finishReason: reasonOf(response) } };
}

function failureOf({ error }: ModelResponse): unknown {
  const code = error?.code;
  return (code !== undefined && Object.hasOwn(FAILURES, code) ? FAILURES[code] : error) ?? 'other';
}

/** One in the background has not finished when it is answered. */
function reasonOf({ status, incomplete_details: incomplete, output }: ModelResponse): FinishReason | undefined {
  if (status === 'incomplete') return finishReasonOf(incomplete?.reason) ?? 'other';
  if (status !== 'completed') return undefined;
  let reason: FinishReason = 'stop';
  for (const { type, content } of output ?? []) {
    if (type === 'function_call' || type === 'custom_tool_call') return 'tool_calls';
    if (content?.some((part) => part.type === 'refusal')) reason = 'refusal';
  }
  return reason;
}

class ResponseReading implements Reading {
  #response: ModelResponse | undefined;
  #began = false;

  get complete(): boolean {
    return this.#response !== undefined;
  }

  chunk(event: unknown): boolean {
    const { type, response } = event as ResponseEvent;
    if (typeof type !== 'string') return this.#began;
    if (!this.#began) this.#began = type.endsWith('.delta');
    if (type === 'response.completed' || type === 'response.incomplete' || type === 'response.failed') {
      this.#response = response;
    }
    return this.#began;
  }

  answered(): Answered {
    return this.#response === undefined ? { end: {} } : answered(this.#response);
  }
}

const responses = { method: 'create', operation: 'chat', answered, reading: () => new ResponseReading() } as const;

export const responseEndpoints: readonly Endpoint[] = [
  { ...responses, resource: 'responses' },
  { ...responses, resource: 'beta.responses' },
];
