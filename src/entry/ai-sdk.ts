/**
 * Exports the instrumentation of the package `ai` (Vercel AI SDK).
 */
export {
  type AiSdkAgentsOptions,
  type InstrumentAiSdkOptions,
  instrumentAiSdk,
} from '../instrumentation/ai-sdk/instrument';
export type { Uninstall } from '../instrumentation/options';
