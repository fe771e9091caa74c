/**
 * Reads answers and streams of the Responses API. A response can have HTTP status 200 and still report a failure.
 */
import type { FinishReason } from '../../collectors/words';
import type { AnswerEnd, ChunkReader, Endpoint } from '../api-client/endpoint';
import { findFailure } from '../failure';
import { parseFinishReason } from '../finish-reason';
import { readAnswerUsage } from '../usage';

interface OutputItem {
  readonly type?: string;
  readonly content?: readonly { readonly type?: string }[] | null;
}

interface ModelResponse {
  readonly status?: string | null;
  readonly error?: { readonly code?: string } | null;
  readonly incomplete_details?: { readonly reason?: string } | null;
  readonly output?: readonly OutputItem[] | null;
}

interface ResponseEvent {
  readonly type?: string;
  readonly response?: ModelResponse;
}

function readEnd(answer: unknown): AnswerEnd {
  const response = answer as ModelResponse;
  const usage = readAnswerUsage(answer);
  if (response.status === 'failed')
    return { end: { ...usage, finishReason: 'error' }, failure: response.error ?? 'other' };
  if (response.status === 'cancelled') return { end: usage, failure: 'cancelled' };
  return { end: { ...usage, finishReason: readFinishReason(response) }, failure: findFailure(answer) };
}

/** Why the model stopped. Nothing for a background response, which is answered before it has finished. */
function readFinishReason({ status, incomplete_details: incomplete, output }: ModelResponse): FinishReason | undefined {
  if (status === 'incomplete') return parseFinishReason(incomplete?.reason) ?? 'other';
  if (status !== 'completed') return undefined;
  let reason: FinishReason = 'stop';
  for (const { type, content } of output ?? []) {
    if (type === 'function_call' || type === 'custom_tool_call') return 'tool_calls';
    if (content?.some((part) => part.type === 'refusal')) reason = 'refusal';
  }
  return reason;
}

class ResponseReader implements ChunkReader {
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

  readEnd(): AnswerEnd {
    return this.#response === undefined ? { end: {} } : readEnd(this.#response);
  }
}

const responses = { method: 'create', operation: 'chat', readEnd, chunkReader: () => new ResponseReader() } as const;

export const responseEndpoints: readonly Endpoint[] = [
  { ...responses, resource: 'responses' },
  { ...responses, resource: 'beta.responses' },
];
