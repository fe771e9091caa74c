/**
 * Exports the instrumentation of the package `ai` (Vercel AI SDK).
 */
export {
  type AiSdkAgentsOptions,
  type InstrumentAiSdkOptions,
  instrumentAiSdk,
} from '../instrumentation/ai-sdk/instrument';
export {
  type AiSdkMiddleware,
  type AiSdkMiddlewareOptions,
  createAiSdkMiddleware,
} from '../instrumentation/ai-sdk/middleware';
export type { Uninstall } from '../instrumentation/options';
