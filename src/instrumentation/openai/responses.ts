/**
 * Reads answers and streams of the Responses API. A response can have HTTP status 200 and still report a failure.
 */
import type { FinishReason } from '../../collectors/words';
import { read, readText } from '../../read';
import type { AnswerEnd, ChunkReader, Endpoint, LaterEndpoint, LaterOutcome } from '../api-client/endpoint';
import { findFailure } from '../failure';
import { parseFinishReason } from '../finish-reason';
import { readAnswerUsage } from '../usage';

interface OutputItem {
  readonly type?: string;
  readonly content?: readonly { readonly type?: string }[] | null;
  /** What a web search did. Some servers do not tell it. */
  readonly action?: { readonly type?: string } | null;
}

interface ModelResponse {
  readonly background?: boolean | null;
  readonly status?: string | null;
  readonly error?: { readonly code?: string } | null;
  readonly incomplete_details?: { readonly reason?: string } | null;
  readonly output?: readonly OutputItem[] | null;
}

interface ResponseEvent {
  readonly type?: string;
  readonly response?: ModelResponse;
}

/** The events that hold the answer. Servers that imitate the API use the last two. */
const ENDS: ReadonlySet<string> = new Set(
  ['completed', 'incomplete', 'failed', 'cancelled', 'done'].map((state) => `response.${state}`),
);

/** The states of a background response that has not ended. */
const UNFINISHED: ReadonlySet<unknown> = new Set(['queued', 'in_progress']);

/** Runs of tools by the provider that are billed by the call. The usage does not count them. */
const TOOLS: ReadonlyMap<unknown, string> = new Map([
  ['web_search_call', 'web_search'],
  ['file_search_call', 'file_search'],
]);

function countToolCalls(output: ModelResponse['output']): Readonly<Record<string, number>> | undefined {
  let calls: Record<string, number> | undefined;
  for (const { type, action } of output ?? []) {
    const tool = TOOLS.get(type);
    // To open a page that was found, or to find text in it, is a part of the search.
    if (tool === undefined || (action?.type ?? 'search') !== 'search') continue;
    calls ??= {};
    calls[tool] = (calls[tool] ?? 0) + 1;
  }
  return calls;
}

function readEnd(answer: unknown): AnswerEnd {
  const response = answer as ModelResponse;
  const end = readAnswerUsage(answer);
  end.serverToolCalls ??= countToolCalls(response.output);
  const told = { end, id: readText(answer, 'id'), retrievable: readBackgroundId(answer) !== undefined };
  if (response.status === 'failed') {
    end.finishReason = 'error';
    return { ...told, failure: response.error ?? 'other' };
  }
  if (response.status === 'cancelled') return { ...told, failure: 'cancelled' };
  end.finishReason = readFinishReason(response);
  end.usageFollows = response.background === true && UNFINISHED.has(response.status);
  return { ...told, failure: findFailure(answer) };
}

/** A compaction of a conversation has no status: it has ended when it is answered. */
function readCompaction(answer: unknown): AnswerEnd {
  return { end: readAnswerUsage(answer), failure: findFailure(answer) };
}

/** The id of a background response that has ended. */
function readBackgroundId(response: unknown): string | undefined {
  if (read(response, 'background') !== true || UNFINISHED.has(read(response, 'status'))) return undefined;
  return readText(response, 'id');
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
  #failure: unknown;
  #began = false;

  get complete(): boolean {
    return this.#response !== undefined || this.#failure !== undefined;
  }

  chunk(event: unknown): boolean {
    const { type, response } = event as ResponseEvent;
    if (typeof type !== 'string') return this.#began;
    if (!this.#began) this.#began = type.endsWith('.delta');
    if (ENDS.has(type)) this.#response = response;
    else if (type === 'error') this.#failure ??= findFailure(event);
    return this.#began;
  }

  readEnd(): AnswerEnd {
    return this.#response === undefined ? { end: {}, failure: this.#failure } : readEnd(this.#response);
  }
}

/** A background response tells its outcome when it is retrieved or cancelled. Another one told it when it was made. */
function readOutcome(answer: unknown): LaterOutcome | undefined {
  const response = read(answer, 'response') ?? answer;
  const id = readBackgroundId(response);
  if (id === undefined) return undefined;
  return { id, model: readText(response, 'model'), operation: 'chat', answer: readEnd(response) };
}

export const responseEndpoints: readonly Endpoint[] = [
  { path: 'responses', operation: 'chat', readEnd, chunkReader: () => new ResponseReader() },
  { path: 'responses/compact', operation: 'other', readEnd: readCompaction },
];

export const laterResponses: readonly LaterEndpoint[] = [
  { verb: 'get', path: /(?:^|\/)responses\/[^/]+$/, readOutcome },
  { verb: 'post', path: /(?:^|\/)responses\/[^/]+\/cancel$/, readOutcome },
];
