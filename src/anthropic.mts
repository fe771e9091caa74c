/**
 * The same names for `import`. It re-exports the CommonJS build, so that both module systems share one registry.
 */
import library from './anthropic.js';

export * from './anthropic.js';
export default library;
