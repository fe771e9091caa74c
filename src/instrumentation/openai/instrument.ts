/**
 * Instruments OpenAI's SDK, for any base URL.
 */
import { refuseOption } from '../../errors';
import { checkOptionNames, optionNames } from '../../options';
import { readText } from '../../read';
import type { Sdk } from '../api-client/endpoint';
import { instrumentApiClient } from '../api-client/instrument';
import { checkOptions, type InstrumentOptions, type Uninstall } from '../options';
import { OPENAI_LIMITS } from '../rate-limits';
import { laterBatches } from './batches';
import { completionEndpoints } from './completions';
import { mediaEndpoints } from './media';
import { laterResponses, responseEndpoints } from './responses';

/** Options of `instrumentOpenAI()`. */
export interface InstrumentOpenAIOptions extends InstrumentOptions {
  /**
   * Sets `stream_options.include_usage` on streamed chat and text completions, so that the provider reports their tokens.
   * Such a stream then ends with one more chunk, whose `choices` is empty. If it is not set, tokens of these streams are
   * not counted. A request that sets `include_usage` itself is left unchanged.
   *
   * @default false
   */
  includeUsage?: boolean | undefined;
}

const OPTIONS = optionNames<InstrumentOpenAIOptions>('instrumentOpenAI', {
  collector: true,
  provider: true,
  providers: true,
  labels: true,
  includeUsage: true,
});

/** The part of an `OpenAI` or `AzureOpenAI` client that is used. */
export interface OpenAiClientLike {
  readonly chat: { readonly completions: { create(...args: never[]): unknown } };
}

/** The part of a client's class that is used. */
export interface OpenAiClassLike {
  readonly prototype: OpenAiClientLike;
}

/**
 * Measures the requests of a client with its clones, or of all clients of a class and its subclasses: `OpenAI` includes
 * `AzureOpenAI`. A program that has several copies of the SDK passes the class of each.
 *
 * @returns a function that ends the measuring and restores the SDK's methods
 * @throws {ConfigurationError} `INVALID_CONFIG` for an invalid option, or a `clientOrClass` that is not an object or class
 *
 * @example
 * import OpenAI from 'openai';
 * instrumentOpenAI(OpenAI);
 */
export function instrumentOpenAI(
  clientOrClass: OpenAiClientLike | OpenAiClassLike,
  options: InstrumentOpenAIOptions = {},
): Uninstall {
  checkOptionNames(options, OPTIONS);
  const checked = checkOptions(options);
  const { includeUsage = false } = options;
  if (typeof includeUsage !== 'boolean') refuseOption('a boolean', 'includeUsage', includeUsage);
  return instrumentApiClient(describeSdk(includeUsage), clientOrClass, checked);
}

function describeSdk(includeUsage: boolean): Sdk {
  return {
    name: 'openai',
    provider: 'openai',
    endpoints: [...completionEndpoints(includeUsage), ...responseEndpoints, ...mediaEndpoints],
    laterEndpoints: [...laterResponses, ...laterBatches],
    attempt: ['fetchWithAuth', 'fetchWithTimeout'],
    rateLimits: OPENAI_LIMITS,
    mainStatic: 'Chat',
    readPlatform,
  };
}

/** Only clients of Azure have the version of its API. */
function readPlatform(client: unknown): string | undefined {
  return readText(client, 'apiVersion') === undefined ? undefined : 'azure';
}
