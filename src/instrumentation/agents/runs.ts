/**
 * Holds the open runs of a framework by their ids, and ends those that the framework never ends. A framework reports no end
 * for an abandoned run, so the number of runs is limited, and a run whose objects are garbage-collected counts as cancelled.
 * Must not know any framework.
 */
import type { AgentMetricsCollector } from '../../collectors/agent/agent-collector';
import type { AgentExecution } from '../../collectors/agent/execution';
import type { LlmEnd } from '../../collectors/llm/request';
import { quietly, warnOnce } from '../../warnings';
import type { Run } from './run';

/** A run's id, parent and witness. */
export interface RunPlace {
  readonly id: string;
  readonly parentId?: string | null | undefined;
  /** An object that lives as long as the run can end. Once it is garbage-collected, the run is cancelled. */
  readonly witness?: unknown;
}

interface Entry {
  readonly run: Run;
  readonly children: Set<string>;
  readonly parentId: string | undefined;
}

/** Most open runs. Beyond that, the oldest is cancelled. */
const RUNS_MAX = 10_000;

/** The open runs. */
export class Runs {
  readonly #entries = new Map<string, Entry>();
  readonly #abandoned = new FinalizationRegistry<string>((id) => quietly(() => this.fail(id, 'cancelled')));
  readonly #max: number;

  constructor(max = RUNS_MAX) {
    this.#max = max;
  }

  /** The number of open runs. */
  get size(): number {
    return this.#entries.size;
  }

  get(id: unknown): Run | undefined {
    return this.#entries.get(id as string)?.run;
  }

  /** The execution that a run with this parent belongs to: the parent's, or the current one if the parent is unknown. */
  executionAt(parentId: unknown, agents: AgentMetricsCollector): AgentExecution | undefined {
    const parent = this.get(parentId);
    return parent === undefined ? agents.current() : parent.execution;
  }

  /** Begins a run. A second event with the same id, for instance from a second listener, is ignored. */
  begin({ id, parentId, witness }: RunPlace, make: () => Run): void {
    if (this.#entries.has(id)) return;
    const entry: Entry = { run: make(), children: new Set(), parentId: parentId ?? undefined };
    this.#entries.set(id, entry);
    this.#entries.get(entry.parentId as string)?.children.add(id);
    if (typeof witness === 'object' && witness !== null) this.#abandoned.register(witness, id, entry);
    if (this.#entries.size > this.#max) this.#cancelOldest();
  }

  #cancelOldest(): void {
    warnOnce(`More than ${this.#max} runs are open: the oldest are counted as cancelled`);
    const [oldest] = this.#entries.keys();
    this.fail(oldest, 'cancelled');
  }

  /** Ends a run. Runs within it that are still open are cancelled, because their results can no longer be read. */
  end(id: unknown, end?: LlmEnd): void {
    const entry = this.#take(id);
    for (const child of entry?.children ?? []) this.#cancel(child);
    entry?.run.end(end);
  }

  /** Fails a run. Runs within it stay open, because they may still end by themselves. */
  fail(id: unknown, error: unknown, end?: LlmEnd): void {
    this.#take(id)?.run.fail(error, end);
  }

  /** Ends a run without counting it. */
  drop(id: unknown): void {
    this.#take(id)?.run.drop();
  }

  #cancel(id: string): void {
    const entry = this.#take(id);
    for (const child of entry?.children ?? []) this.#cancel(child);
    entry?.run.fail('cancelled');
  }

  #take(id: unknown): Entry | undefined {
    const entry = this.#entries.get(id as string);
    if (entry === undefined) return undefined;
    this.#entries.delete(id as string);
    this.#entries.get(entry.parentId as string)?.children.delete(id as string);
    this.#abandoned.unregister(entry);
    return entry;
  }
}

const runsByCollector = new WeakMap<AgentMetricsCollector, Map<string, Runs>>();

/** The open runs of one framework, shared by all listeners of a collector, so that two listeners count a run once. */
export function getRuns(agents: AgentMetricsCollector, framework: string): Runs {
  let byFramework = runsByCollector.get(agents);
  if (byFramework === undefined) {
    byFramework = new Map();
    runsByCollector.set(agents, byFramework);
  }
  let runs = byFramework.get(framework);
  if (runs === undefined) {
    runs = new Runs();
    byFramework.set(framework, runs);
  }
  return runs;
}
