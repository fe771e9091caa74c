/**
 * Reads spans of the OpenAI Agents SDK: a finished request to a model, and errors, of which spans hold the texts. Records
 * nothing.
 */
import { classifyErrorText } from '../../collectors/error-type';
import type { LlmEnd } from '../../collectors/llm/request';
import type { AgentErrorType } from '../../collectors/words';
import { read, readText } from '../../read';
import { findFailure } from '../failure';
import { parseFinishReason } from '../finish-reason';
import { readUsage } from '../usage';

/** The answer of a request to a model, as its span holds it. */
export interface ModelAnswer {
  /** Missing if the request failed, or if tracing excludes sensitive data. */
  readonly model: string | undefined;
  readonly end: LlmEnd;
  /** The provider's name of the answer. */
  readonly id: string | undefined;
  /** The failure that an answer with status 200 reports: an error type, or an object with an error's fields. */
  readonly failure: unknown;
}

/** @param data of a span `response` (the Responses API) or `generation` (chat completions, other models) */
export function readAnswer(data: unknown): ModelAnswer {
  return read(data, 'type') === 'response' ? readResponse(read(data, '_response')) : readGeneration(data);
}

/**
 * True for a request whose span has ended without an error and without the answer: the reader left the stream. A span that
 * excludes sensitive data has no input either, and tells nothing.
 */
export function wasLeft(data: unknown): boolean {
  switch (read(data, 'type')) {
    case 'response':
      return read(data, '_input') !== undefined && read(data, '_response') === undefined;
    case 'generation':
      return (
        read(data, 'input') !== undefined && read(data, 'output') === undefined && read(data, 'usage') === undefined
      );
    default:
      return false;
  }
}

function readResponse(response: unknown): ModelAnswer {
  const end = readUsage(read(response, 'usage'));
  end.finishReason = parseFinishReason(readResponseReason(response));
  return { model: readText(response, 'model'), end, id: readText(response, 'id'), failure: findFailure(response) };
}

/** A response has a status instead of a reason. It is `completed` also if it calls tools. */
function readResponseReason(response: unknown): string | undefined {
  const status = readText(response, 'status');
  if (status === 'incomplete') return readText(read(response, 'incomplete_details'), 'reason');
  const output = read(response, 'output');
  const calls = Array.isArray(output) && output.some((item) => readText(item, 'type')?.endsWith('_call') === true);
  return calls ? 'tool_calls' : status;
}

function readGeneration(data: unknown): ModelAnswer {
  const output = read(read(data, 'output'), '0');
  const end = readUsage(read(output, 'usage') ?? read(data, 'usage'));
  end.finishReason = parseFinishReason(read(read(read(output, 'choices'), '0'), 'finish_reason'));
  // The requested name: the answer's model name ends with a date.
  const model = readText(data, 'model') ?? readText(output, 'model');
  return { model, end, id: readText(output, 'id'), failure: findFailure(output) };
}

/**
 * The error type of a span's error.
 *
 * @param isTool true if an unknown error is `tool_error` instead of `other`
 */
export function classifySpanError(error: unknown, isTool: boolean): AgentErrorType {
  const texts = [readText(read(error, 'data'), 'error'), readText(error, 'message')];
  for (const text of texts) {
    const type = text === undefined ? undefined : classifyErrorText(text);
    if (type !== undefined) return type;
  }
  return isTool ? 'tool_error' : 'other';
}
