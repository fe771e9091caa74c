/**
 * Reads the results of batches of messages. Each line is the outcome of one request: a message, or why there is none.
 */
import type { LlmErrorType } from '../../collectors/words';
import { read, readText } from '../../read';
import type { AnswerEnd, LaterEndpoint, LaterOutcome } from '../api-client/endpoint';
import { readMessage } from './messages';

/** The outcomes without a message, which are not billed. */
const UNANSWERED: ReadonlyMap<unknown, LlmErrorType> = new Map([
  ['canceled', 'cancelled'],
  ['expired', 'timeout'],
]);

function readOutcome(line: unknown, path: string): LaterOutcome | undefined {
  const result = read(line, 'result');
  if (readText(line, 'custom_id') === undefined || result === undefined) return undefined;
  const message = read(result, 'message');
  const answer = message === undefined ? { end: {}, failure: readFailure(result) } : readBatched(message);
  return { id: path, model: readText(message, 'model'), operation: 'chat', answer, requests: 'one' };
}

function readBatched(message: unknown): AnswerEnd {
  const answer = readMessage(message);
  return { ...answer, end: { ...answer.end, serviceTier: answer.end.serviceTier ?? 'batch' } };
}

function readFailure(result: unknown): unknown {
  return UNANSWERED.get(read(result, 'type')) ?? read(result, 'error') ?? 'other';
}

export const laterMessages: readonly LaterEndpoint[] = [
  { verb: 'get', path: /(?:^|\/)v1\/messages\/batches\/[^/]+\/results$/, readOutcome },
];
