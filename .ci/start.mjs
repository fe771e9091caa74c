/**
 * Runs the example for `npm start`, in one process, so that a signal reaches the example with every shell that npm uses.
 */
import { prepare } from './prepare.mjs';

await prepare();
await import('../examples/llm-gateway/main.mjs');
