/**
 * Why a span of the OpenAI Agents SDK failed: spans have texts of errors and not what was thrown.
 */
import type { AgentErrorType } from '../../collectors/words';
import { read, readText } from '../../read';
import { classifyErrorText } from '../agents/failure-text';

/** @param isTool whether what has no other name is a tool's own failure */
export function classifySpanError(error: unknown, isTool: boolean): AgentErrorType {
  const texts = [readText(read(error, 'data'), 'error'), readText(error, 'message')];
  for (const text of texts) {
    const type = text === undefined ? undefined : classifyErrorText(text);
    if (type !== undefined) return type;
  }
  return isTool ? 'tool_error' : 'other';
}
