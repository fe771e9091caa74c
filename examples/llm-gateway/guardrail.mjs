// A guardrail: refuses what asks a model to forget its instructions. Real ones are models themselves; the measuring is
// the same.

import { llm } from './metrics.mjs';

const NAME = 'prompt_injection';
const INJECTION = /ignore (all|your) (previous )?instructions/i;

/** @returns {boolean} whether the text may pass. @param stage is input, output or tool. */
export function passes(text, stage) {
  const started = performance.now();
  const blocked = INJECTION.test(text);
  llm.recordGuardrail(NAME, stage, blocked ? 'block' : 'pass', performance.now() - started);
  return !blocked;
}

/** What is asked, whatever the operation. */
export function textOf({ messages, input, prompt }) {
  return JSON.stringify(messages ?? input ?? prompt);
}
