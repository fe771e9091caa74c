/**
 * The same names for `import`. It re-exports the CommonJS build, so that both module systems share one registry.
 */
import library from './fastify.js';

export * from './fastify.js';
export default library;
