/**
 * The values that labels of LLM and agent metrics may have, as types. The core defines them and the build makes these
 * types from its lists, so a new word is added in the core alone.
 */
export type * from '../../dist/words';
