/**
 * Records the outcome of requests that were made earlier: of a background response that is retrieved, of a batch that has
 * ended, of a batch's results. A program may retrieve them often; each counts once in a process.
 */
import { reportedType } from '../../collectors/error-type';
import { OTHER } from '../../collectors/label-values';
import type { LlmMetricsCollector } from '../../collectors/llm/llm-collector';
import type { UserLabels } from '../../collectors/llm/user-label';
import type { LlmErrorType } from '../../collectors/words';
import { read } from '../../read';
import { quietly } from '../../warnings';
import { observeIteration } from '../iteration';
import { bare, type LaterEndpoint } from './endpoint';
import { type ApiPromise, observePromise } from './promise';
import { isStream } from './stream';

/** Where an outcome is recorded. */
export interface LaterTarget {
  readonly collector: LlmMetricsCollector;
  readonly provider: string;
  readonly labels: UserLabels | undefined;
}

/** How many answers and files of results are remembered, those that were told last. */
const REMEMBERED_MAX = 10_000;

/** How many parts of an answer have been recorded: one, or the lines of a file. */
const recorded = new WeakMap<LlmMetricsCollector, Map<string, number>>();

/**
 * Remembers that a part of an answer has been recorded. @returns true if it had not been
 *
 * @param part the number of a line in a file of results
 */
export function remember(collector: LlmMetricsCollector, id: string, part = 0): boolean {
  const known = recorded.get(collector) ?? new Map<string, number>();
  recorded.set(collector, known);
  const parts = known.get(id) ?? 0;
  if (part < parts) return false;
  known.delete(id);
  known.set(id, part + 1);
  if (known.size > REMEMBERED_MAX) known.delete(known.keys().next().value as string);
  return true;
}

/** Records what a request for earlier ones returns. */
export function observeLater(promise: ApiPromise, endpoint: LaterEndpoint, path: unknown, target: LaterTarget): void {
  const name = bare(path);
  const tell = (answer: unknown, part?: number) => tellOutcome(endpoint, answer, name, part, target);
  observePromise(promise, {
    parsed: (answer) => watchAnswer(answer, tell),
    failed: nothing,
    raw: nothing,
  });
}

function nothing(): void {}

function watchAnswer(answer: unknown, tell: (answer: unknown, part?: number) => void): void {
  const decoder = read(answer, 'decoder');
  if (typeof decoder === 'function') {
    const results = answer as { decoder: () => AsyncIterator<unknown> };
    results.decoder = () => {
      let line = 0;
      return watch(decoder.call(answer), (result) => tell(result, line++));
    };
  } else if (isStream(answer)) {
    const { iterator } = answer;
    answer.iterator = () => watch(iterator.call(answer), (event) => tell(event));
  } else tell(answer);
}

function watch(source: AsyncIterator<unknown>, value: (value: unknown) => void): AsyncIterableIterator<unknown> {
  return observeIteration(source, { value, done: nothing, failed: nothing, left: nothing });
}

function tellOutcome(
  endpoint: LaterEndpoint,
  answer: unknown,
  path: string,
  part: number | undefined,
  { collector, provider, labels }: LaterTarget,
): void {
  const outcome = quietly(() => endpoint.readOutcome(answer, path));
  if (outcome === undefined || !remember(collector, outcome.id, part)) return;
  const { model = OTHER, operation, requests } = outcome;
  const { end, failure } = outcome.answer;
  const target = { model, provider, operation, labels };
  if (requests === 'one') {
    collector.recordRequest({
      ...target,
      ...end,
      errorType: failure === undefined ? undefined : (reportedType(failure) as LlmErrorType),
    });
    return;
  }
  if (requests !== undefined) collector.countRequests(target, requests);
  collector.recordAnswer(target, end, failure);
}
