/**
 * The runs that are going on, by the framework's ids: whose part each is, and what becomes of those whose end nobody tells.
 * Bounded, and it keeps nothing alive: a framework that is given up half way tells no end. Knows no framework.
 */
import type { AgentMetricsCollector } from '../../collectors/agent/agent-collector';
import type { AgentExecution } from '../../collectors/agent/execution';
import type { LlmEnd } from '../../collectors/llm/request';
import { warnOnce } from '../../quietly';
import type { Run } from './run';

/** Where a run stands. */
export interface RunPlace {
  readonly id: string;
  readonly parentId?: string | null | undefined;
  /** What lives as long as the run may still end: when it is collected as garbage, the run was given up. */
  readonly witness?: unknown;
}

interface Entry {
  readonly run: Run;
  readonly children: Set<string>;
  readonly parentId: string | undefined;
}

/** Runs that are remembered; the oldest beyond are given up. */
const RUNS_MAX = 10_000;

/** The runs that are going on. */
export class Runs {
  readonly #entries = new Map<string, Entry>();
  readonly #forgotten = new FinalizationRegistry<string>((id) => this.fail(id, 'cancelled'));
  readonly #max: number;

  constructor(max = RUNS_MAX) {
    this.#max = max;
  }

  /** How many are going on. */
  get size(): number {
    return this.#entries.size;
  }

  get(id: unknown): Run | undefined {
    return this.#entries.get(id as string)?.run;
  }

  /** The execution that a run with this parent is part of: its parent's, or the one that is running here. */
  executionAt(parentId: unknown, agents: AgentMetricsCollector): AgentExecution | undefined {
    const parent = this.get(parentId);
    return parent === undefined ? agents.current() : parent.execution;
  }

  /** A run has begun. One that is told twice, by two listeners for instance, begins once. */
  begin({ id, parentId, witness }: RunPlace, make: () => Run): void {
    if (this.#entries.has(id)) return;
    const entry: Entry = { run: make(), children: new Set(), parentId: parentId ?? undefined };
    this.#entries.set(id, entry);
    this.#entries.get(entry.parentId as string)?.children.add(id);
    if (typeof witness === 'object' && witness !== null) this.#forgotten.register(witness, id, entry);
    if (this.#entries.size > this.#max) this.#giveUpOldest();
  }

  #giveUpOldest(): void {
    warnOnce(`More than ${this.#max} runs are going on: the oldest are counted as cancelled`);
    const [oldest] = this.#entries.keys();
    this.fail(oldest, 'cancelled');
  }

  /** A run has come to its end. What is still going on within it was given up: nobody is left to read it. */
  end(id: unknown, end?: LlmEnd): void {
    const entry = this.#take(id);
    for (const child of entry?.children ?? []) this.#giveUp(child);
    entry?.run.end(end);
  }

  /** A run has failed. What is still going on within it may yet end by itself. */
  fail(id: unknown, error: unknown, end?: LlmEnd): void {
    this.#take(id)?.run.fail(error, end);
  }

  /** A run is not to be counted. */
  drop(id: unknown): void {
    this.#take(id)?.run.drop();
  }

  #giveUp(id: string): void {
    const entry = this.#take(id);
    for (const child of entry?.children ?? []) this.#giveUp(child);
    entry?.run.fail('cancelled');
  }

  #take(id: unknown): Entry | undefined {
    const entry = this.#entries.get(id as string);
    if (entry === undefined) return undefined;
    this.#entries.delete(id as string);
    this.#entries.get(entry.parentId as string)?.children.delete(id as string);
    this.#forgotten.unregister(entry);
    return entry;
  }
}

const ofCollectors = new WeakMap<AgentMetricsCollector, Map<string, Runs>>();

/** The runs of one framework that a collector hears of, whoever tells: two listeners count once. */
export function getRuns(agents: AgentMetricsCollector, framework: string): Runs {
  let byFramework = ofCollectors.get(agents);
  if (byFramework === undefined) {
    byFramework = new Map();
    ofCollectors.set(agents, byFramework);
  }
  let runs = byFramework.get(framework);
  if (runs === undefined) {
    runs = new Runs();
    byFramework.set(framework, runs);
  }
  return runs;
}
