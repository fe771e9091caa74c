/**
 * Exports the instrumentation of Anthropic's SDK.
 */
export {
  type AnthropicClassLike,
  type AnthropicClientLike,
  type InstrumentAnthropicOptions,
  instrumentAnthropic,
} from '../instrumentation/anthropic/instrument';
export type { InstrumentOptions, Uninstall } from '../instrumentation/options';
export type { ProviderTable } from '../instrumentation/provider';
