/**
 * Instruments Anthropic's SDK, for any base URL.
 */
import { checkOptionNames, optionNames } from '../../options';
import { read, readText } from '../../read';
import type { Sdk } from '../api-client/endpoint';
import { instrumentApiClient } from '../api-client/instrument';
import { checkOptions, type InstrumentOptions, type Uninstall } from '../options';
import { ANTHROPIC_LIMITS } from '../rate-limits';
import { laterMessages } from './batches';
import { messageEndpoints } from './messages';

/** Options of `instrumentAnthropic()`. */
export interface InstrumentAnthropicOptions extends InstrumentOptions {}

const OPTIONS = optionNames<InstrumentAnthropicOptions>('instrumentAnthropic', {
  collector: true,
  provider: true,
  providers: true,
  labels: true,
});

/** The part of Anthropic's client that is used. */
export interface AnthropicClientLike {
  readonly messages: { create(...args: never[]): unknown };
}

/** The part of a client's class that is used. The base class has no `messages`. */
export interface AnthropicClassLike {
  readonly prototype: object;
}

const SDK: Sdk = {
  name: '@anthropic-ai/sdk',
  provider: 'anthropic',
  endpoints: messageEndpoints,
  laterEndpoints: laterMessages,
  attempt: ['fetchWithTimeout'],
  rateLimits: ANTHROPIC_LIMITS,
  mainStatic: 'Messages',
  readPlatform,
};

/** Only clients of Amazon's and Google's platforms have these settings. */
function readPlatform(client: unknown): string | undefined {
  if (readText(client, 'awsRegion') !== undefined) return 'bedrock';
  return readText(client, 'region') !== undefined && read(client, 'projectId') !== undefined ? 'vertex' : undefined;
}

/**
 * Measures the requests of a client with its clones, or of all clients of a class and its subclasses. `Anthropic` includes the
 * clients for other platforms, such as `AnthropicBedrock` and `AnthropicVertex`. A program that has several copies of the SDK
 * passes the class of each.
 *
 * @returns a function that ends the measuring and restores the SDK's methods
 * @throws {ConfigurationError} `INVALID_CONFIG` for an invalid option, or a `clientOrClass` that is not an object or class
 *
 * @example
 * import Anthropic from '@anthropic-ai/sdk';
 * instrumentAnthropic(Anthropic);
 */
export function instrumentAnthropic(
  clientOrClass: AnthropicClientLike | AnthropicClassLike,
  options: InstrumentAnthropicOptions = {},
): Uninstall {
  checkOptionNames(options, OPTIONS);
  return instrumentApiClient(SDK, clientOrClass, checkOptions(options));
}
