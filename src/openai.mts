/**
 * The same names for `import`. It re-exports the CommonJS build, so that both module systems share one registry.
 */
import library from './openai.js';

export * from './openai.js';
export default library;
