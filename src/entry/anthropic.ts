/**
 * What instruments Anthropic's SDK, and nothing else.
 */
export {
  type AnthropicClassLike,
  type AnthropicClientLike,
  type InstrumentAnthropicOptions,
  instrumentAnthropic,
} from '../instrumentation/anthropic/instrument';
export type { InstrumentOptions, Uninstall } from '../instrumentation/options';
export type { ProviderTable } from '../instrumentation/provider';
