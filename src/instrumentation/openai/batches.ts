/**
 * Reads batches. A batch tells its model and the tokens of all its requests when it has ended; its results are a file, which is
 * not read.
 */
import type { LlmOperation } from '../../collectors/words';
import { read, readNumber, readText } from '../../read';
import type { LaterEndpoint, LaterOutcome } from '../api-client/endpoint';
import { readAnswerUsage } from '../usage';

/** The states of a batch that has ended. */
const ENDED: ReadonlySet<unknown> = new Set(['completed', 'expired', 'cancelled', 'failed']);

const OPERATIONS: ReadonlyMap<string, LlmOperation> = new Map([
  ['/v1/chat/completions', 'chat'],
  ['/v1/responses', 'chat'],
  ['/v1/completions', 'text_completion'],
  ['/v1/embeddings', 'embeddings'],
  ['/v1/images/generations', 'image'],
  ['/v1/images/edits', 'image'],
]);

function readOutcome(batch: unknown): LaterOutcome | undefined {
  const id = readText(batch, 'id');
  if (id === undefined || !ENDED.has(read(batch, 'status'))) return undefined;
  const counts = read(batch, 'request_counts');
  const end = readAnswerUsage(batch);
  end.serviceTier = 'batch';
  return {
    id,
    model: readText(batch, 'model'),
    operation: OPERATIONS.get(readText(batch, 'endpoint') ?? '') ?? 'other',
    answer: { end },
    requests: { succeeded: readNumber(counts, 'completed') ?? 0, failed: readNumber(counts, 'failed') ?? 0 },
  };
}

export const laterBatches: readonly LaterEndpoint[] = [
  { verb: 'get', path: /(?:^|\/)batches\/[^/]+$/, readOutcome },
  { verb: 'post', path: /(?:^|\/)batches\/[^/]+\/cancel$/, readOutcome },
];
