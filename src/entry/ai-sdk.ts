/**
 * What measures the package `ai`, and nothing else.
 */
export {
  type AiSdkAgentsOptions,
  type InstrumentAiSdkOptions,
  instrumentAiSdk,
} from '../instrumentation/ai-sdk/instrument';
export type { Uninstall } from '../instrumentation/options';
