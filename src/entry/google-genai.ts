/**
 * Exports the instrumentation of clients of `@google/genai`.
 */
export { instrumentGoogleGenAI } from '../instrumentation/google-genai/instrument';
export type { GoogleGenAiClientLike } from '../instrumentation/google-genai/shapes';
export type { InstrumentOptions, Uninstall } from '../instrumentation/options';
