/**
 * What `npm start` runs: one process, so that a signal reaches the example whatever shell npm uses.
 */
import './prepare.mjs';

await import('../examples/llm-gateway/main.mjs');
