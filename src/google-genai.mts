/**
 * The same names for `import`. It re-exports the CommonJS build, so that both module systems share one registry.
 */
import library from './google-genai.js';

export * from './google-genai.js';
export default library;
