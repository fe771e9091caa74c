/**
 * What spans of Mastra hold: whose they are, whom a request was for, what it used, how they ended. Reads, and records
 * nothing.
 */
import type { LlmEnd, LlmTarget } from '../../collectors/llm/request';
import type { AgentErrorType, MemoryOperation } from '../../collectors/words';
import { read, readNumber, readText } from '../../read';
import { classifyErrorText } from '../agents/failure-text';
import { parseFinishReason } from '../finish-reason';
import { normalizeProviderName } from '../provider-name';

/** What is used of a span, when it begins and when it ends. */
export interface MastraSpanLike {
  readonly id: string;
  readonly type: string;
  readonly parentSpanId?: string | undefined;
}

/** The id of what a span is about, which stays where its name is changed. */
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
  const usage = readAttribute(span, 'usage');
  const input = read(usage, 'inputDetails');
  const output = read(usage, 'outputDetails');
  return {
    finishReason: parseFinishReason(readAttribute(span, 'finishReason')),
    inputTokens: readNumber(usage, 'inputTokens'),
    outputTokens: readNumber(usage, 'outputTokens'),
    cacheReadTokens: readNumber(input, 'cacheRead'),
    cacheWriteTokens: readNumber(input, 'cacheWrite'),
    audioInputTokens: readNumber(input, 'audio'),
    imageInputTokens: readNumber(input, 'image'),
    reasoningTokens: readNumber(output, 'reasoning'),
    audioOutputTokens: readNumber(output, 'audio'),
  };
}

/** Why a span failed, from the name and the text of its error; nothing where it has none. */
export function classifySpanError(span: unknown): AgentErrorType | undefined {
  const error = read(span, 'errorInfo');
  if (error === undefined || error === null) return undefined;
  return classifyErrorText(`${readText(error, 'name') ?? ''}: ${readText(error, 'message') ?? ''}`) ?? 'other';
}

/** A request has no error, but a reason for its end; one that was given up has not even that. */
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

/** What is done with an agent's memory; nothing where a model only thinks about it. */
export function readMemoryOperation(span: unknown): MemoryOperation | undefined {
  return OPERATIONS.get(readAttribute(span, 'operationType'));
}
