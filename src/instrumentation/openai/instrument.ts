/**
 * Instruments OpenAI's SDK, whoever it is pointed at.
 */

import { refuseOption } from '../../errors';
import { type InstrumentOptions, instrumenting, type Uninstall } from '../options';
import { OPENAI_LIMITS } from '../rate-limits';
import { instrumentStainless } from '../stainless/instrument';
import type { Sdk } from '../stainless/wire';
import { completionEndpoints } from './completions';
import { mediaEndpoints } from './media';
import { responseEndpoints } from './responses';

export interface InstrumentOpenAIOptions extends InstrumentOptions {
  /**
   * Asks for the usage of streamed chats and texts, by `stream_options.include_usage`. Their streams then end with one more
   * chunk, whose `choices` is empty; without it their tokens are unknown.
   *
   * @default false
   */
  includeUsage?: boolean | undefined;
}

/** What is used of OpenAI's client; `OpenAI` and `AzureOpenAI` are such. */
export interface OpenAiClientLike {
  readonly chat: { readonly completions: { create(...args: never[]): unknown } };
}

/** What is used of OpenAI's class. */
export interface OpenAiClassLike {
  readonly Chat: { readonly Completions: { readonly prototype: { create(...args: never[]): unknown } } };
  readonly prototype: OpenAiClientLike;
}

/**
 * Measures the requests of a client, or of all clients of a class, those of `AzureOpenAI` included.
 *
 * @returns puts everything back
 * @throws {ConfigurationError} `INVALID_CONFIG`
 *
 * @example
 * import OpenAI from 'openai';
 * instrumentOpenAI(OpenAI);
 */
export function instrumentOpenAI(
  clientOrClass: OpenAiClientLike | OpenAiClassLike,
  options: InstrumentOpenAIOptions = {},
): Uninstall {
  const checked = instrumenting(options);
  const { includeUsage = false } = options;
  if (typeof includeUsage !== 'boolean') refuseOption('a boolean', 'includeUsage', includeUsage);
  return instrumentStainless(sdkOf(includeUsage), clientOrClass, checked);
}

function sdkOf(includeUsage: boolean): Sdk {
  return {
    name: 'openai',
    provider: 'openai',
    endpoints: [...completionEndpoints(includeUsage), ...responseEndpoints, ...mediaEndpoints],
    attempt: ['fetchWithAuth', 'fetchWithTimeout'],
    rateLimits: OPENAI_LIMITS,
  };
}
