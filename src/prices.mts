/**
 * The same names for `import`. It re-exports the CommonJS build, so that both module systems share one registry.
 */
import library from './prices.js';

export * from './prices.js';
export default library;
