/**
 * One tool call that a framework makes: records its duration and outcome, for an execution or for an agent by name. Must not
 * know any framework.
 */
import { type Moment, now, secondsSince } from '../../clock';
import type { AgentMetricsCollector } from '../../collectors/agent/agent-collector';
import { toolErrorOf, toolStatusOf } from '../../collectors/agent/execution';
import type { ToolStatus } from '../../collectors/words';

/** Records tool calls: a running execution, or an agent by its name. */
export interface ToolUser {
  recordToolCall(name: string, status: ToolStatus, durationMs: number, args: unknown): void;
  recordError(error: unknown): void;
}

/** Records tool calls for an agent's name, if there is no execution. */
export function agentByName(collector: AgentMetricsCollector, agentType: string): ToolUser {
  return {
    recordToolCall: (name, status, durationMs) => collector.recordToolCall(agentType, name, status, durationMs),
    recordError: (error) => collector.recordError(agentType, error),
  };
}

/** A running tool call. It is recorded once, at the first `end()` or `fail()`. */
export class ToolCall {
  readonly #start: Moment = now();
  readonly #user: ToolUser;
  readonly #name: string;
  readonly #readArgs: () => unknown;
  #ended = false;

  /** @param readArgs called when the call has ended; a call without arguments is not compared with the call before it */
  constructor(user: ToolUser, name: string, readArgs: () => unknown) {
    this.#user = user;
    this.#name = name;
    this.#readArgs = readArgs;
  }

  end(): void {
    this.#finish('success');
  }

  /** @param error the thrown error, or an error type */
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
