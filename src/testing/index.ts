/**
 * The testing kit, one line an export. It is no part of `api.ts`, so that production loads none of it.
 */
export { ExpositionError } from '../errors';
export { diffSnapshots, SnapshotDiff } from './diff';
export { Exposition, parseExposition } from './parse';
export { replay } from './replay';
export { synthesize } from './synthesize';
