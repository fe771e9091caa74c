// A guardrail: rejects text that asks a model to forget its instructions. Real guardrails are models themselves; they
// are measured in the same way.

import { llm } from './metrics.mjs';

const NAME = 'prompt_injection';
const INJECTION = /ignore (all|your) (previous )?instructions/i;

/** @returns {boolean} whether the text may pass. @param stage `input`, `output` or `tool`. */
export function passes(text, stage) {
  const started = performance.now();
  const blocked = INJECTION.test(text);
  llm.recordGuardrail(NAME, stage, blocked ? 'block' : 'pass', performance.now() - started);
  return !blocked;
}

/** The text of a request, for every operation. */
export function textOf({ messages, input, prompt }) {
  return JSON.stringify(messages ?? input ?? prompt);
}
