/**
 * The same names for `import`. It re-exports the CommonJS build, so that both module systems share one registry.
 */
import library from './openai-agents.js';

export * from './openai-agents.js';
export default library;
