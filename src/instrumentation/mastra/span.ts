/**
 * Reads Mastra's spans: entity, model, provider, tokens, finish reason, error. Records nothing.
 */

import { classifyErrorText } from '../../collectors/error-type';
import type { LlmEnd, LlmTarget } from '../../collectors/llm/request';
import type { AgentErrorType, MemoryOperation } from '../../collectors/words';
import { read, readText } from '../../read';
import { parseFinishReason } from '../finish-reason';
import { normalizeProviderName } from '../provider';
import { readUsage } from '../usage';

/** The part of a span that is used. */
export interface MastraSpanLike {
  readonly id: string;
  readonly type: string;
  readonly parentSpanId?: string | undefined;
}

/** The id of the span's agent or tool. Ids come first, because they stay the same if a name is changed. */
export function readEntity(span: unknown): string {
  return readText(span, 'entityId') ?? readText(span, 'entityName') ?? readText(span, 'name') ?? 'other';
}

export function readAttribute(span: unknown, name: string): unknown {
  return read(read(span, 'attributes'), name);
}

export function readTarget(span: unknown, resolveProvider: (baseUrl: unknown, usual: string) => string): LlmTarget {
  const attributes = read(span, 'attributes');
  const provider = normalizeProviderName(readText(attributes, 'provider') ?? 'other');
  return { model: readText(attributes, 'model') ?? 'other', provider: resolveProvider(undefined, provider) };
}

export function readEnd(span: unknown): LlmEnd {
  const end = readUsage(readAttribute(span, 'usage'));
  end.responseModel = readText(read(span, 'attributes'), 'responseModel');
  end.finishReason = parseFinishReason(readAttribute(span, 'finishReason'));
  return end;
}

/** The error type of a span, by the name and message of its error; nothing if it has no error. */
export function classifySpanError(span: unknown): AgentErrorType | undefined {
  const error = read(span, 'errorInfo');
  if (error === undefined || error === null) return undefined;
  return classifyErrorText(`${readText(error, 'name') ?? ''}: ${readText(error, 'message') ?? ''}`) ?? 'other';
}

/**
 * The error type of a request's span. A failed request has a finish reason instead of an error; an abandoned request has
 * neither.
 */
export function classifyRequestError(span: unknown): AgentErrorType | undefined {
  const reason = readAttribute(span, 'finishReason');
  if (reason === 'error') return classifySpanError(span) ?? 'other';
  return reason === undefined || reason === 'aborted'
    ? (classifySpanError(span) ?? 'cancelled')
    : classifySpanError(span);
}

const OPERATIONS: ReadonlyMap<unknown, MemoryOperation> = new Map<unknown, MemoryOperation>([
  ['recall', 'read'],
  ['save', 'write'],
  ['update', 'write'],
  ['delete', 'delete'],
]);

/** The kind of a memory operation; nothing for an operation that does not access the memory. */
export function readMemoryOperation(span: unknown): MemoryOperation | undefined {
  return OPERATIONS.get(readAttribute(span, 'operationType'));
}
