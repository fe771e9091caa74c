/**
 * The same names for `import`. It re-exports the CommonJS build, so that both module systems share one registry.
 */
export * from './index.js';
export { default } from './index.js';
