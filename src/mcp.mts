/**
 * The same names for `import`. It re-exports the CommonJS build, so that both module systems share one registry.
 */
import library from './mcp.js';

export * from './mcp.js';
export default library;
