/**
 * Instruments Anthropic's SDK, whoever it is pointed at.
 */

import { type InstrumentOptions, instrumenting, type Uninstall } from '../options';
import { ANTHROPIC_LIMITS } from '../rate-limits';
import { instrumentStainless } from '../stainless/instrument';
import type { Sdk } from '../stainless/wire';
import { messageEndpoints } from './messages';

export interface InstrumentAnthropicOptions extends InstrumentOptions {}

/** What is used of Anthropic's client. */
export interface AnthropicClientLike {
  readonly messages: { create(...args: never[]): unknown };
}

/** What is used of Anthropic's class. */
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
 * @returns puts everything back
 * @throws {ConfigurationError} `INVALID_CONFIG`
 *
 * @example
 * import Anthropic from '@anthropic-ai/sdk';
 * instrumentAnthropic(Anthropic);
 */
export function instrumentAnthropic(
  clientOrClass: AnthropicClientLike | AnthropicClassLike,
  options: InstrumentAnthropicOptions = {},
): Uninstall {
  return instrumentStainless(SDK, clientOrClass, instrumenting(options));
}
