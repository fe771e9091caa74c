/**
 * The same names for `import`. It re-exports the CommonJS build, so that both module systems share one registry.
 */
import library from './ai-sdk.js';

export * from './ai-sdk.js';
export default library;
