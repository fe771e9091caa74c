/**
 * The same names for `import`. It re-exports the CommonJS build, so that both module systems share one registry.
 */
import library from './mastra.js';

export * from './mastra.js';
export default library;
