/**
 * Follows one execution of an agent: its time, steps, calls of tools and the tokens of its requests. It is recorded once, even
 * if it is ended several times. If it is collected as garbage without an end, it stops counting as active.
 */
import { type Moment, now, secondsSince } from '../../clock';
import { isPromise } from '../../read';
import { quietly } from '../../warnings';
import { amountOrZero, toSeconds } from '../amount';
import { type Attributed, attribute } from '../attribution';
import { classifyAgentError, reportedType } from '../error-type';
import { readName } from '../label-values';
import { traceLabels } from '../trace';
import type { AgentErrorType, ExecutionStatus, StepType, ToolStatus } from '../words';
import type { AgentSeries } from './agent-series';

const forgotten = new FinalizationRegistry<() => void>((release) => quietly(release));

/** How many characters of a call's arguments are compared with the call before. */
const COMPARED_MAX = 10_000;

/** An execution of an agent in progress. */
export class AgentExecution implements Attributed, Disposable {
  readonly #series: AgentSeries;
  readonly #start: Moment = now();
  readonly #exemplarLabels = traceLabels();
  #steps = 0;
  /** Requests that a collector of LLM requests recorded, and steps that the program calls requests: both may count one. */
  #requests = 0;
  #modelSteps = 0;
  #toolCalls = 0;
  #lastCall: string | undefined;
  #ended = false;

  /** @internal */
  constructor(
    series: AgentSeries,
    /** The label value. */
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

  /**
   * Adds tokens and cost of one of its requests, and counts the request.
   *
   * @param requests 0 for further usage of a request that was counted before
   */
  addUsage(inputTokens: number, outputTokens: number, costUsd: number, requests = 1): void {
    this.#requests += amountOrZero(requests);
    const { families } = this.#series;
    const agent_type = this.agentType;
    if (inputTokens > 0) families.counter('agent_tokens_total').inc({ agent_type, type: 'input' }, inputTokens);
    if (outputTokens > 0) families.counter('agent_tokens_total').inc({ agent_type, type: 'output' }, outputTokens);
    if (costUsd > 0) families.counter('agent_cost_usd_total').inc({ agent_type }, costUsd);
  }

  /** Runs a function whose requests to models count for this execution. It records nothing itself. */
  within<R>(run: () => R): R {
    return attribute(this, run);
  }

  /** Counts a step. */
  recordStep(type: StepType, durationMs?: number): void {
    this.#steps++;
    if (type === 'llm') this.#modelSteps++;
    this.#series.stepped(this.agentType, type, toSeconds(durationMs));
  }

  /**
   * Counts a call of a tool. With its arguments, it also counts a call that repeats the one before.
   *
   * @throws {ValueError} `INVALID_VALUE` for an unknown status
   */
  recordToolCall(name: string, status: ToolStatus = 'success', durationMs?: number, args?: unknown): void {
    this.#series.called(this.agentType, name, status, toSeconds(durationMs));
    this.#toolCalls++;
    if (args !== undefined) this.#compare(name, args);
  }

  /** Counts an error that did not end the execution. */
  recordError(error: unknown): void {
    this.#series.failed(this.agentType, error);
  }

  #compare(name: string, args: unknown): void {
    const call = `${readName(name)}\n${printArguments(args)}`;
    if (call === this.#lastCall) {
      this.#series.families.counter('agent_repeated_tool_calls_total').inc({ agent_type: this.agentType });
    }
    this.#lastCall = call;
  }

  /** Runs a step, times it and counts it, also if it fails. */
  step<R>(type: StepType, run: () => R): R {
    const start = now();
    return settled(run, () => this.recordStep(type, secondsSince(start) * 1000));
  }

  /** Runs a tool, times it and counts it by outcome. A failure also counts among the agent's errors. */
  tool<R>(name: string, args: unknown, run: () => R): R {
    const start = now();
    return settled(run, (failure) => {
      const status = failure === undefined ? 'success' : toolStatusOf(failure.error);
      this.recordToolCall(name, status, secondsSince(start) * 1000, args ?? null);
      if (failure !== undefined) this.#series.failed(this.agentType, toolErrorOf(failure.error));
    });
  }

  /**
   * Ends the execution with this status.
   *
   * @throws {ValueError} `INVALID_VALUE` for an unknown status; the execution then stays active
   */
  end(status: ExecutionStatus = 'success'): void {
    this.#series.checked('agent_executions_total', 'status', status);
    const errorType = status === 'success' ? undefined : readErrorType(status);
    this.#finish(status, errorType);
  }

  /** Ends the execution with an error. */
  fail(error: unknown): void {
    const type = classifyAgentError(error);
    const status = readStatus(type);
    this.#finish(status, type as AgentErrorType);
  }

  /** With `using`: an execution that the block did not end was cancelled. */
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
      modelCalls: Math.max(this.#requests, this.#modelSteps),
      toolCalls: this.#toolCalls,
      errorType,
      exemplarLabels: this.#exemplarLabels,
    });
  }
}

/** Receives the failure of a function, or its result. */
export type Done<R> = (failure: { error: unknown } | undefined, value?: Awaited<R>) => void;

/**
 * Runs a function and calls `done` when it returns or throws, or when the promise it returns settles. The caller gets the
 * function's result or error, even if `done` throws.
 */
export function settled<R>(run: () => R, done: Done<R>): R {
  let result: R;
  try {
    result = run();
  } catch (error) {
    quietly(() => done({ error }));
    throw error;
  }
  if (!isPromise(result)) {
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

/** Arguments as text. Arguments that cannot be printed get a random text, which equals no other. */
function printArguments(args: unknown): string {
  try {
    return (JSON.stringify(args) ?? '').slice(0, COMPARED_MAX);
  } catch {
    return `${Math.random()}`;
  }
}

/** The status of a failed call of a tool, from the thrown error or from the word for it. */
export function toolStatusOf(error: unknown): ToolStatus {
  const type = reportedType(error);
  if (type === 'timeout' || type === 'cancelled') return type;
  return type === 'permission' ? 'denied' : 'error';
}

/** The error type of a failed tool; `tool_error` if no other type fits. */
export function toolErrorOf(error: unknown): AgentErrorType {
  const type = reportedType(error);
  return type === 'other' ? 'tool_error' : (type as AgentErrorType);
}

function readErrorType(status: ExecutionStatus): AgentErrorType {
  return status === 'failed' || status === 'success' ? 'other' : status;
}

function readStatus(type: string): ExecutionStatus {
  const statuses: readonly string[] = ['timeout', 'cancelled', 'max_steps', 'guardrail'];
  return statuses.includes(type) ? (type as ExecutionStatus) : 'failed';
}
