/**
 * The same names for `import`. It re-exports the CommonJS build, so that both module systems share one registry.
 */
import library from './langchain.js';

export * from './langchain.js';
export default library;
