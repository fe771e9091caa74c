/**
 * Reads a finished request to a model from a span of the OpenAI Agents SDK. Records nothing.
 */
import type { LlmEnd, LlmUsage } from '../../collectors/llm/request';
import { read, readNumber, readText } from '../../read';
import { parseFinishReason } from '../finish-reason';

/** The answer of a request to a model, as its span holds it. */
export interface ModelAnswer extends LlmEnd {
  /** Missing if the request failed, or if tracing excludes sensitive data. */
  readonly model: string | undefined;
}

/** @param data of a span `response` (the Responses API) or `generation` (chat completions, other models) */
export function readAnswer(data: unknown): ModelAnswer {
  return read(data, 'type') === 'response' ? readResponse(read(data, '_response')) : readGeneration(data);
}

function readResponse(response: unknown): ModelAnswer {
  return {
    model: readText(response, 'model'),
    finishReason: parseFinishReason(readResponseReason(response)),
    ...readUsage(read(response, 'usage')),
  };
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
  return {
    // The requested name: the answer's model name ends with a date.
    model: readText(data, 'model') ?? readText(output, 'model'),
    finishReason: parseFinishReason(read(read(read(output, 'choices'), '0'), 'finish_reason')),
    ...readUsage(read(output, 'usage') ?? read(data, 'usage')),
  };
}

/** Both APIs report the same counts, under different names. */
function readUsage(usage: unknown): LlmUsage {
  const input = read(usage, 'input_tokens_details') ?? read(usage, 'prompt_tokens_details');
  const output = read(usage, 'output_tokens_details') ?? read(usage, 'completion_tokens_details');
  return {
    inputTokens: readNumber(usage, 'input_tokens') ?? readNumber(usage, 'prompt_tokens'),
    outputTokens: readNumber(usage, 'output_tokens') ?? readNumber(usage, 'completion_tokens'),
    cacheReadTokens: readNumber(input, 'cached_tokens'),
    cacheWriteTokens: readNumber(input, 'cache_write_tokens'),
    audioInputTokens: readNumber(input, 'audio_tokens'),
    reasoningTokens: readNumber(output, 'reasoning_tokens'),
    audioOutputTokens: readNumber(output, 'audio_tokens'),
  };
}
