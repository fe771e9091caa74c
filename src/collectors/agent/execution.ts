/**
 * An execution of an agent that is going on: its clock, its steps, its calls of tools, the tokens of its requests. Recorded
 * once, however often it is ended; one that is forgotten gives back its place among the active ones.
 */
import { types } from 'node:util';
import { type Moment, now, secondsSince } from '../../clock';
import { quietly } from '../../quietly';
import { secondsOf } from '../amount';
import { type Attributed, attribute } from '../attribution';
import { classifyAgentError, reportedType } from '../error-type';
import { readName } from '../label-values';
import { traceLabels } from '../trace';
import type { AgentErrorType, ExecutionStatus, StepType, ToolStatus } from '../words';
import type { AgentSeries } from './agent-series';

const forgotten = new FinalizationRegistry<() => void>((release) => release());

/** Characters of a call's arguments that are compared with the one before. */
const COMPARED_MAX = 10_000;

/** An execution of an agent that is going on. */
export class AgentExecution implements Attributed, Disposable {
  readonly #series: AgentSeries;
  readonly #start: Moment = now();
  readonly #exemplarLabels = traceLabels();
  #steps = 0;
  #toolCalls = 0;
  #lastCall: string | undefined;
  #ended = false;

  /** @internal */
  constructor(
    series: AgentSeries,
    /** As labels show it. */
    readonly agentType: string,
  ) {
    this.#series = series;
    const active = series.families.gauge('agent_active').labels({ agent_type: agentType });
    active.inc();
    forgotten.register(this, () => active.dec(), this);
  }

  /** Whether it has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Tokens and cost of a request that was made for it. */
  addUsage(inputTokens: number, outputTokens: number, costUsd: number): void {
    const { families } = this.#series;
    const agent_type = this.agentType;
    if (inputTokens > 0) families.counter('agent_tokens_total').inc({ agent_type, type: 'input' }, inputTokens);
    if (outputTokens > 0) families.counter('agent_tokens_total').inc({ agent_type, type: 'output' }, outputTokens);
    if (costUsd > 0) families.counter('agent_cost_usd_total').inc({ agent_type }, costUsd);
  }

  /** Runs a function whose requests to models are this execution's. It neither counts nor ends anything. */
  within<R>(run: () => R): R {
    return attribute(this, run);
  }

  /** Counts a step. */
  recordStep(type: StepType, durationMs?: number): void {
    this.#steps++;
    this.#series.stepped(this.agentType, type, secondsOf(durationMs));
  }

  /**
   * Counts a call of a tool; with its arguments, also whether it repeats the one before.
   *
   * @throws {ValueError} `INVALID_VALUE` for a status that is none
   */
  recordToolCall(name: string, status: ToolStatus = 'success', durationMs?: number, args?: unknown): void {
    this.#series.called(this.agentType, name, status, secondsOf(durationMs));
    this.#toolCalls++;
    if (args !== undefined) this.#compare(name, args);
  }

  /** Counts an error that it went on after. */
  recordError(error: unknown): void {
    this.#series.failed(this.agentType, error);
  }

  #compare(name: string, args: unknown): void {
    const call = `${readName(name)}\n${textOfArguments(args)}`;
    if (call === this.#lastCall) {
      this.#series.families.counter('agent_repeated_tool_calls_total').inc({ agent_type: this.agentType });
    }
    this.#lastCall = call;
  }

  /** Runs a step: times and counts it, failures too. */
  step<R>(type: StepType, run: () => R): R {
    const start = now();
    return settled(run, () => this.recordStep(type, secondsSince(start) * 1000));
  }

  /** Runs a tool: times it, counts it by outcome, and what it failed of among the agent's errors. */
  tool<R>(name: string, args: unknown, run: () => R): R {
    const start = now();
    return settled(run, (failure) => {
      const status = failure === undefined ? 'success' : toolStatusOf(failure.error);
      this.recordToolCall(name, status, secondsSince(start) * 1000, args ?? null);
      if (failure !== undefined) this.#series.failed(this.agentType, toolErrorOf(failure.error));
    });
  }

  /**
   * It has done what it was asked to, or stopped as it should.
   *
   * @throws {ValueError} `INVALID_VALUE` for a status that is none; it goes on then
   */
  end(status: ExecutionStatus = 'success'): void {
    this.#series.checked('agent_executions_total', 'status', status);
    const errorType = status === 'success' ? undefined : errorOfStatus(status);
    this.#finish(status, errorType);
  }

  /** It failed. */
  fail(error: unknown): void {
    const type = classifyAgentError(error);
    const status = statusOfError(type);
    this.#finish(status, type as AgentErrorType);
  }

  /** With `using`: an execution that the block left without an end was given up. */
  [Symbol.dispose](): void {
    this.end('cancelled');
  }

  #finish(status: ExecutionStatus, errorType: AgentErrorType | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    forgotten.unregister(this);
    this.#series.families.gauge('agent_active').dec({ agent_type: this.agentType });
    const seconds = secondsSince(this.#start);
    this.#series.executed(this.agentType, {
      status,
      seconds,
      steps: this.#steps,
      toolCalls: this.#toolCalls,
      errorType,
      exemplarLabels: this.#exemplarLabels,
    });
  }
}

/** What `settled` tells: how it failed, or what it gave. */
export type Done<R> = (failure: { error: unknown } | undefined, value?: Awaited<R>) => void;

/**
 * Runs a function and tells when it, or the promise it returns, is done: well or not. What it gives or throws is the user's,
 * whatever becomes of telling.
 */
export function settled<R>(run: () => R, done: Done<R>): R {
  let result: R;
  try {
    result = run();
  } catch (error) {
    quietly(() => done({ error }));
    throw error;
  }
  // Promises of other realms too, but nothing that merely has `then()`: calling that may start what it stands for.
  if (!types.isPromise(result)) {
    quietly(() => done(undefined, result as Awaited<R>));
    return result;
  }
  const told: Promise<unknown> = result.then(
    (value) => {
      quietly(() => done(undefined, value as Awaited<R>));
      return value;
    },
    (error: unknown) => {
      quietly(() => done({ error }));
      throw error;
    },
  );
  return told as R;
}

/** Arguments as text; what cannot be printed is compared with nothing. */
function textOfArguments(args: unknown): string {
  try {
    return (JSON.stringify(args) ?? '').slice(0, COMPARED_MAX);
  } catch {
    return `${Math.random()}`;
  }
}

/** How a call of a tool ended that failed so: what was thrown, or the word for it. */
export function toolStatusOf(error: unknown): ToolStatus {
  const type = reportedType(error);
  if (type === 'timeout' || type === 'cancelled') return type;
  return type === 'permission' ? 'denied' : 'error';
}

/** What a tool failed of; what has no other name is `tool_error`. */
export function toolErrorOf(error: unknown): AgentErrorType {
  const type = reportedType(error);
  return type === 'other' ? 'tool_error' : (type as AgentErrorType);
}

function errorOfStatus(status: ExecutionStatus): AgentErrorType {
  return status === 'failed' || status === 'success' ? 'other' : status;
}

function statusOfError(type: string): ExecutionStatus {
  const statuses: readonly string[] = ['timeout', 'cancelled', 'max_steps', 'guardrail'];
  return statuses.includes(type) ? (type as ExecutionStatus) : 'failed';
}
