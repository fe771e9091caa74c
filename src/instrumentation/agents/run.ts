/**
 * Kinds of runs: an agent, a request to a model, a tool call or another step, which a framework reports by a start and an
 * end event. Each kind records its own metrics. Must not know any framework.
 */
import { type Moment, now, secondsSince } from '../../clock';
import type { AgentExecution } from '../../collectors/agent/execution';
import type { LlmCall } from '../../collectors/llm/call';
import type { LlmEnd } from '../../collectors/llm/request';
import type { StepType } from '../../collectors/words';
import { ToolCall } from './tool-call';

/** A running agent, request, tool call or step. It ends with exactly one call of `end`, `fail` or `drop`. */
export interface Run {
  /** The agent's execution that the run starts or belongs to. Runs within it belong to that execution too. */
  readonly execution: AgentExecution | undefined;
  /** The request to a model, if the run is one and is measured. */
  readonly call?: LlmCall | undefined;
  end(end?: LlmEnd): void;
  /** @param error the thrown error, or an error type */
  fail(error: unknown, end?: LlmEnd): void;
  /** Ends the run without counting it. */
  drop(): void;
}

/** An agent's execution. */
export function agentRun(execution: AgentExecution): Run {
  return {
    execution,
    end: () => execution.end(),
    fail: (error) => execution.fail(error),
    drop: () => execution.end(),
  };
}

/** A part of a run that records nothing itself: a chain, a node, a turn. */
export function partRun(execution: AgentExecution | undefined): Run {
  return { execution, end: nothing, fail: nothing, drop: nothing };
}

/** A request to a model, and a step of the execution. @param call nothing if an SDK's instrumentation records it */
export function modelRun(execution: AgentExecution | undefined, call: LlmCall | undefined): Run {
  const step = stepRun(execution, 'llm');
  return {
    execution,
    call,
    end: (end) => {
      call?.end(end);
      step.end();
    },
    fail: (error, end) => {
      call?.fail(error, end);
      step.end();
    },
    drop: () => call?.drop(),
  };
}

/** A tool call. It is not counted outside of an execution, because no agent is known. */
export function toolRun(execution: AgentExecution | undefined, name: string, readArgs: () => unknown): Run {
  if (execution === undefined) return partRun(undefined);
  const call = new ToolCall(execution, name, readArgs);
  return { execution, end: () => call.end(), fail: (error) => call.fail(error), drop: nothing };
}

/** Receives a step's duration, and its error if it failed. */
export type ReportStep = (durationMs: number, error: unknown) => void;

/** Another step of an execution. Steps have no label for their outcome; `report` receives it. */
export function stepRun(execution: AgentExecution | undefined, type: StepType, report?: ReportStep): Run {
  const start: Moment = now();
  const finish = (error?: unknown) => {
    const durationMs = secondsSince(start) * 1000;
    execution?.recordStep(type, durationMs);
    report?.(durationMs, error);
  };
  return { execution, end: () => finish(), fail: finish, drop: nothing };
}

function nothing(): void {}
