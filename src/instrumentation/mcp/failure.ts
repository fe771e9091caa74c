/**
 * Classifies failures of the Model Context Protocol. Protocol errors have JSON-RPC codes, errors of the SDK's transports
 * HTTP statuses, and a failed tool returns a normal answer with `isError`.
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

/** Message of a server that does not have the tool; the protocol has no code for it. */
const NO_SUCH_TOOL = /\b(unknown tool|tool\b.{0,200}\bnot found)/i;
/** Message of the client for an answer that does not match the tool's schema. */
const BAD_ANSWER = /structured content/i;
/** The client's whole message if it is not connected; it has no code. */
const NOT_CONNECTED = 'Not connected';

/** The error type of a thrown error. The SDK reports an aborted call as a timeout, so the caller's signal is read first. */
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

/** The error type of a tool's answer; nothing if the tool succeeded. */
export function classifyResult(result: unknown): AgentErrorType | undefined {
  if (read(result, 'isError') !== true) return undefined;
  const text = readText(read(read(result, 'content'), '0'), 'text') ?? '';
  return NO_SUCH_TOOL.test(text) ? 'unknown_tool' : 'tool_error';
}
