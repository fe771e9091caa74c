/**
 * Maps the finish reasons of providers to the values of the `finish_reason` label. Frameworks and gateways pass the
 * providers' words on, so one table serves all of them.
 */
import type { FinishReason } from '../collectors/words';

const REASONS: ReadonlyMap<string, FinishReason> = new Map([
  ['stop', 'stop'],
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['complete', 'stop'],
  ['completed', 'stop'],
  ['length', 'length'],
  ['max_tokens', 'length'],
  ['max_output_tokens', 'length'],
  // Google's SDK requests the rest of the answer itself, as a second request.
  ['continuation', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_calls', 'tool_calls'],
  ['tool_use', 'tool_calls'],
  ['function_call', 'tool_calls'],
  ['content_filter', 'content_filter'],
  ['safety', 'content_filter'],
  ['recitation', 'content_filter'],
  ['blocklist', 'content_filter'],
  ['prohibited_content', 'content_filter'],
  ['spii', 'content_filter'],
  ['image_safety', 'content_filter'],
  ['image_prohibited_content', 'content_filter'],
  ['image_recitation', 'content_filter'],
  ['guardrail_intervened', 'content_filter'],
  ['refusal', 'refusal'],
  ['error', 'error'],
  ['failed', 'error'],
  ['malformed_function_call', 'error'],
  ['malformed_response', 'error'],
  ['unexpected_tool_call', 'error'],
  ['too_many_tool_calls', 'error'],
]);

/** @returns nothing if the provider gave no reason; `other` for an unknown one */
export function parseFinishReason(given: unknown): FinishReason | undefined {
  if (typeof given !== 'string' || given === '') return undefined;
  return REASONS.get(given) ?? REASONS.get(given.toLowerCase().replaceAll('-', '_')) ?? 'other';
}
