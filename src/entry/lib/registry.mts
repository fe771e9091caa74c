/**
 * Exports the same for `import`. Node.js finds no names in a CommonJS module that is a class, so they are listed here.
 */
import Registry from './registry.js';

export default Registry;
export const globalRegistry = Registry.globalRegistry;
