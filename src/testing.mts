/**
 * The same names for `import`. It re-exports the CommonJS build, so that both module systems share one registry.
 */
import library from './testing.js';

export * from './testing.js';
export default library;
