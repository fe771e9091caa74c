/**
 * Instruments Anthropic's SDK, for any base URL.
 */
import { checkOptionNames, optionNames } from '../../options';
import type { Sdk } from '../api-client/endpoint';
import { instrumentApiClient } from '../api-client/instrument';
import { checkOptions, type InstrumentOptions, type Uninstall } from '../options';
import { ANTHROPIC_LIMITS } from '../rate-limits';
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

/** The part of Anthropic's class that is used. */
export interface AnthropicClassLike {
  readonly Messages: { readonly prototype: { create(...args: never[]): unknown } };
  readonly prototype: AnthropicClientLike;
}

const SDK: Sdk = {
  name: '@anthropic-ai/sdk',
  provider: 'anthropic',
  endpoints: messageEndpoints,
  attempt: ['fetchWithTimeout'],
  rateLimits: ANTHROPIC_LIMITS,
};

/**
 * Measures the requests of a client, or of all clients of a class.
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
