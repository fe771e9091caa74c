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
import { remember } from '../answers';
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
