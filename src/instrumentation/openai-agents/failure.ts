/**
 * Classifies errors of the OpenAI Agents SDK's spans, which hold messages instead of the thrown errors.
 */

import { classifyErrorText } from '../../collectors/error-type';
import type { AgentErrorType } from '../../collectors/words';
import { read, readText } from '../../read';

/** @param isTool true if an unknown error is `tool_error` instead of `other` */
export function classifySpanError(error: unknown, isTool: boolean): AgentErrorType {
  const texts = [readText(read(error, 'data'), 'error'), readText(error, 'message')];
  for (const text of texts) {
    const type = text === undefined ? undefined : classifyErrorText(text);
    if (type !== undefined) return type;
  }
  return isTool ? 'tool_error' : 'other';
}
