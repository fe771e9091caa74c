/**
 * Exports the same names for `import`, by re-exporting the CommonJS build: both module systems share one registry.
 * Written by hand, unlike the forwarders of the other entries, because of `contentType`.
 */
import library from './index.js';

export * from './index.js';
export default library;
// In the CommonJS build this is a getter, which Node.js does not find when it reads the source for export names.
export const contentType = library.contentType;
