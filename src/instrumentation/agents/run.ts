/**
 * What frameworks tell of by events: an agent, a model, a tool or another step begins, and later ends. Each kind of run
 * knows what it records. Knows no framework.
 */
import { type Moment, now, secondsSince } from '../../clock';
import type { AgentExecution } from '../../collectors/agent/execution';
import type { LlmCall } from '../../collectors/llm/call';
import type { LlmEnd } from '../../collectors/llm/request';
import type { StepType } from '../../collectors/words';
import { ToolCall } from './tool-call';

/** A run that is going on. One of the last three is called, once. */
export interface Run {
  /** The execution that it is part of, and what it begins. */
  readonly execution: AgentExecution | undefined;
  /** The request that it is, where it is one. */
  readonly call?: LlmCall | undefined;
  end(end?: LlmEnd): void;
  /** @param error what was thrown, or the word for it */
  fail(error: unknown, end?: LlmEnd): void;
  /** It is not to be counted. */
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

/** Part of a run that is nothing of its own: a chain, a node, a turn. */
export function partRun(execution: AgentExecution | undefined): Run {
  return { execution, end: nothing, fail: nothing, drop: nothing };
}

/** A request to a model, which is a step of the execution; measured where nobody else does. */
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

/** A call of a tool. Where there is no execution there is nobody to count it for. */
export function toolRun(execution: AgentExecution | undefined, name: string, readArgs: () => unknown): Run {
  if (execution === undefined) return partRun(undefined);
  const call = new ToolCall(execution, name, readArgs);
  return { execution, end: () => call.end(), fail: (error) => call.fail(error), drop: nothing };
}

/** What is reported of a step when it is over. */
export type ReportStep = (durationMs: number, error: unknown) => void;

/** Another step of an execution. Steps are not told apart by how they end; who wants to know is told. */
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
