/**
 * Reads LangChain's events of a request to a model: model, provider, tokens, finish reason. Records nothing.
 */
import type { LlmEnd, LlmTarget } from '../../collectors/llm/request';
import { read, readText } from '../../read';
import { parseFinishReason } from '../finish-reason';
import { normalizeProviderName } from '../provider-name';
import { findUsage, type ReportedUsage, readUsage } from '../usage';

/** The start event of a model run. */
export interface ModelStart {
  /** The model object and its options, serialized. */
  readonly model: unknown;
  readonly extra: unknown;
  readonly metadata: unknown;
}

/** The base URL; each class of models has its own option name for it. */
function readBaseUrl(kwargs: unknown): string | undefined {
  const configuration = read(kwargs, 'configuration');
  return readText(configuration, 'baseURL') ?? readText(kwargs, 'anthropic_api_url') ?? readText(kwargs, 'base_url');
}

/** @param resolveProvider returns the provider at a base URL, or `usual` without one */
export function readTarget(
  { model, extra, metadata }: ModelStart,
  isChat: boolean,
  resolveProvider: (baseUrl: unknown, usual: string) => string,
): LlmTarget {
  const kwargs = read(model, 'kwargs');
  const parameters = read(extra, 'invocation_params');
  const name =
    readText(parameters, 'model') ??
    readText(metadata, 'ls_model_name') ??
    readText(parameters, 'model_name') ??
    readText(kwargs, 'model') ??
    'other';
  const provider = normalizeProviderName(readText(metadata, 'ls_provider') ?? 'other');
  return {
    model: name,
    provider: resolveProvider(readBaseUrl(kwargs), provider),
    operation: isChat ? 'chat' : 'text_completion',
  };
}

/** Reads how a model run ended, from the result's first answer. Each answer holds the usage of all of them. */
export function readEnd(result: unknown): LlmEnd {
  const generation = read(read(read(result, 'generations'), '0'), '0');
  const message = read(generation, 'message');
  const info = read(generation, 'generationInfo');
  const answer = read(message, 'response_metadata');
  const reason = [info, answer]
    .flatMap((from) =>
      ['finish_reason', 'stop_reason', 'finishReason', 'stopReason'].map((name) => readText(from, name)),
    )
    .find((text) => text !== undefined);
  return {
    ...readTokens(message, answer, result),
    responseModel: readText(answer, 'model_name') ?? readText(answer, 'model'),
    finishReason: parseFinishReason(reason ?? readStatus(answer, message)),
  };
}

/** The Responses API reports a status instead of a reason. A completed response may still call tools. */
function readStatus(answer: unknown, message: unknown): string | undefined {
  const status = readText(answer, 'status');
  if (status === 'incomplete') return readText(read(answer, 'incomplete_details'), 'reason');
  return status === 'completed' && Number(read(read(message, 'tool_calls'), 'length')) > 0 ? 'tool_calls' : status;
}

/** The message's usage; of a provider package that does not set it, the answer's; of text models, the totals. */
function readTokens(message: unknown, answer: unknown, result: unknown): ReportedUsage {
  const usage =
    read(message, 'usage_metadata') ??
    findUsage(answer) ??
    read(answer, 'tokenUsage') ??
    read(read(result, 'llmOutput'), 'tokenUsage');
  return readUsage(usage);
}

/** True if a chunk holds some of the answer. The first chunk holds only a role. */
export function hasContent(token: unknown, chunk: unknown): boolean {
  if (typeof token === 'string' && token !== '') return true;
  const message = read(chunk, 'message');
  const content = read(message, 'content');
  if (Array.isArray(content) && content.length > 0) return true;
  return Number(read(read(message, 'tool_call_chunks'), 'length')) > 0;
}
