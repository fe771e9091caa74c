/**
 * Exports the instrumentation of OpenAI's SDK.
 */
export {
  type InstrumentOpenAIOptions,
  instrumentOpenAI,
  type OpenAiClassLike,
  type OpenAiClientLike,
} from '../instrumentation/openai/instrument';
export type { InstrumentOptions, Uninstall } from '../instrumentation/options';
export type { ProviderTable } from '../instrumentation/provider';
