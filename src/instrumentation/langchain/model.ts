/**
 * Reads from LangChain's events which model at which provider a request goes to. Records nothing.
 */
import type { LlmTarget } from '../../collectors/llm/request';
import { read, readText } from '../../read';
import { normalizeProviderName } from '../provider';

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
  return (
    readText(configuration, 'baseURL') ??
    readText(kwargs, 'anthropic_api_url') ??
    readText(kwargs, 'base_url') ??
    readText(kwargs, 'server_url')
  );
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
