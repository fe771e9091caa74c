/**
 * Why a call by the Model Context Protocol failed: its errors have JSON-RPC's codes, its SDK's transports HTTP's, and a tool
 * that failed answers all the same.
 */
import { abortTypeOf, errorTypeOf } from '../../collectors/error-type';
import type { AgentErrorType } from '../../collectors/words';
import { read, readNumber, readText } from '../../read';

const BY_CODE: ReadonlyMap<number, AgentErrorType> = new Map([
  [-32700, 'invalid_response'],
  [-32603, 'server_error'],
  [-32602, 'invalid_request'],
  [-32601, 'not_found'],
  [-32600, 'invalid_request'],
]);

/** What servers say of a tool that they do not have; the protocol has no code for it. */
const NO_SUCH_TOOL = /\b(unknown tool|tool\b.{0,200}\bnot found)/i;
/** What the client says of an answer that is not what the tool's schema promised. */
const BAD_ANSWER = /structured content/i;
/** The whole of what the client says where there is no connection; it has no code. */
const NOT_CONNECTED = 'Not connected';

/** What was thrown, as a word. The SDK reports a call that was aborted as one that ran out of time. */
export function classifyError(error: unknown, signal: unknown): AgentErrorType {
  if (read(signal, 'aborted') === true) return abortTypeOf(read(signal, 'reason'));
  const message = readText(error, 'message') ?? '';
  const code = readNumber(error, 'code') ?? 0;
  if (code < 0 && NO_SUCH_TOOL.test(message)) return 'unknown_tool';
  if (code < 0 && BAD_ANSWER.test(message)) return 'invalid_response';
  if (message === NOT_CONNECTED) return 'connection';
  if (read(read(error, 'constructor'), 'name') === 'UnauthorizedError') return 'authentication';
  return BY_CODE.get(code) ?? errorTypeOf(code >= 400 ? { status: code } : error);
}

/** Why a tool that answered has failed, if it has. */
export function classifyResult(result: unknown): AgentErrorType | undefined {
  if (read(result, 'isError') !== true) return undefined;
  const text = readText(read(read(result, 'content'), '0'), 'text') ?? '';
  return NO_SUCH_TOOL.test(text) ? 'unknown_tool' : 'tool_error';
}
