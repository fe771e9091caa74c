/**
 * Remembers answers that clients have counted, by the ids that providers give them. A program may retrieve an answer again, and
 * a framework may report it too; it counts once in a process.
 */
import type { LlmMetricsCollector } from '../collectors/llm/llm-collector';

/** How many answers and files of results are remembered, those that were told last. */
const REMEMBERED_MAX = 10_000;

/** How many parts of an answer have been recorded: one, or the lines of a file. */
const recorded = new WeakMap<LlmMetricsCollector, Map<string, number>>();

/** Collectors of frameworks that may learn of a request too late to enclose it. */
const compared = new WeakSet<LlmMetricsCollector>();

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

/** Remembers all answers that clients count for this collector from now on, for `isRemembered()`. */
export function compareAnswers(collector: LlmMetricsCollector): void {
  compared.add(collector);
}

/** Remembers an answer that a client has counted, if it can come again. */
export function answered(collector: LlmMetricsCollector, id: string, retrievable: boolean): void {
  if (retrievable || compared.has(collector)) remember(collector, id);
}

/** True if a client has counted the answer. */
export function isRemembered(collector: LlmMetricsCollector, id: string): boolean {
  return recorded.get(collector)?.has(id) === true;
}
