/**
 * The same names for `import`. It re-exports the CommonJS build, so that both module systems share one registry.
 */
import library from './index.js';

export * from './index.js';
export default library;
// A getter there, which Node.js does not find by looking at the source.
export const contentType = library.contentType;
