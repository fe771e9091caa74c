/**
 * A call of a tool that a framework makes: for whom it is counted, and how it ended. Knows no framework.
 */
import { type Moment, now, secondsSince } from '../../clock';
import type { AgentMetricsCollector } from '../../collectors/agent/agent-collector';
import { toolErrorOf, toolStatusOf } from '../../collectors/agent/execution';
import type { ToolStatus } from '../../collectors/words';

/** For whom calls of tools are counted: an execution that is going on, or an agent by name. */
export interface ToolUser {
  recordToolCall(name: string, status: ToolStatus, durationMs: number, args: unknown): void;
  recordError(error: unknown): void;
}

/** An agent of which only the name is known. */
export function agentByName(collector: AgentMetricsCollector, agentType: string): ToolUser {
  return {
    recordToolCall: (name, status, durationMs) => collector.recordToolCall(agentType, name, status, durationMs),
    recordError: (error) => collector.recordError(agentType, error),
  };
}

/** A call of a tool that is going on. It is recorded once. */
export class ToolCall {
  readonly #start: Moment = now();
  readonly #user: ToolUser;
  readonly #name: string;
  readonly #readArgs: () => unknown;
  #ended = false;

  /** @param readArgs is asked when the call has ended; what gives `undefined` is not compared with the call before */
  constructor(user: ToolUser, name: string, readArgs: () => unknown) {
    this.#user = user;
    this.#name = name;
    this.#readArgs = readArgs;
  }

  end(): void {
    this.#finish('success');
  }

  /** @param error what was thrown, or the word for it */
  fail(error: unknown): void {
    if (!this.#finish(toolStatusOf(error))) return;
    this.#user.recordError(toolErrorOf(error));
  }

  #finish(status: ToolStatus): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#user.recordToolCall(this.#name, status, secondsSince(this.#start) * 1000, this.#readArgs());
    return true;
  }
}
