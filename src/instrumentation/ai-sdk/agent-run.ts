/**
 * One run of an agent, as the SDK's telemetry tells it: its steps, its tools, how it ended.
 */

import { type Moment, now, secondsSince } from '../../clock';
import type { AgentMetricsCollector } from '../../collectors/agent/agent-collector';
import { type AgentExecution, toolErrorOf, toolStatusOf } from '../../collectors/agent/execution';
import type { ExecutionStatus } from '../../collectors/words';
import { quietly } from '../../quietly';
import { classifyError } from './failure';
import type { EndEventLike, StepEndLike, ToolCallLike, ToolRunLike } from './shapes';

/** What the SDK's errors of calls that the model made up are named. */
const UNKNOWN_TOOL = 'AI_NoSuchToolError';

export class AgentRun {
  readonly #collector: AgentMetricsCollector;
  readonly #execution: AgentExecution;
  readonly #finalTools: ReadonlySet<string>;
  #stepStart: Moment | undefined;

  constructor(collector: AgentMetricsCollector, agentType: string, finalTools: ReadonlySet<string>) {
    this.#collector = collector;
    this.#execution = collector.startExecution(agentType);
    this.#finalTools = finalTools;
  }

  /** Runs a function whose requests are this agent's. */
  within<R>(run: () => R): R {
    return this.#execution.within(run);
  }

  stepStarted(): void {
    this.#stepStart = now();
  }

  stepFailed(): void {
    if (this.#stepStart === undefined) return;
    this.#execution.recordStep('llm', secondsSince(this.#stepStart) * 1000);
    this.#stepStart = undefined;
  }

  stepEnded({ performance, toolCalls = [], content = [] }: StepEndLike): void {
    this.#stepStart = undefined;
    this.#execution.recordStep('llm', performance?.responseTimeMs);
    for (const call of toolCalls) if (call.invalid === true) this.#madeUp(call);
    for (const { type, approved, toolCall } of content) {
      if (type !== 'tool-approval-response' || approved !== false || toolCall === undefined) continue;
      // Only calls of tools that there are come before an approval.
      this.#collector.registerTool(toolCall.toolName);
      this.#execution.recordToolCall(toolCall.toolName, 'denied', undefined, readArguments(toolCall));
    }
  }

  #madeUp(call: ToolCallLike): void {
    const isUnknown = (call.error as { name?: unknown } | undefined)?.name === UNKNOWN_TOOL;
    this.#execution.recordToolCall(call.toolName, 'error', undefined, readArguments(call));
    this.#execution.recordError(isUnknown ? 'unknown_tool' : 'tool_error');
  }

  /** Runs a tool, whose own requests are this agent's too. */
  tool<T>({ toolCallId, toolCall, execute }: ToolRunLike<T>): PromiseLike<T> {
    const call = toolCall ?? { toolName: '' };
    const start = now();
    const record = (failure?: { error: unknown }): void => {
      // It was run, so its name is none that the model made up.
      this.#collector.registerTool(call.toolName);
      const status = failure === undefined ? 'success' : toolStatusOf(failure.error);
      const args = readArguments({ toolCallId, ...call });
      this.#execution.recordToolCall(call.toolName, status, secondsSince(start) * 1000, args);
      if (failure !== undefined) this.#execution.recordError(toolErrorOf(failure.error));
    };
    return this.#execution.within(execute).then(
      (value) => {
        quietly(record);
        return value;
      },
      (error: unknown) => {
        quietly(() => record({ error }));
        throw error;
      },
    );
  }

  ended(end: EndEventLike): void {
    if (end.finishReason === 'error') this.#execution.fail(end.error ?? 'other');
    else this.#execution.end(this.#decideStatus(end.steps ?? []));
  }

  failed(error: unknown): void {
    this.#execution.fail(classifyError(error));
  }

  /** It stopped although it could have gone on: the model had called tools, and all had answered. */
  #decideStatus(steps: readonly StepEndLike[]): ExecutionStatus {
    const { finishReason, toolCalls = [], toolResults = [] } = steps.at(-1) ?? { callId: '' };
    const isWaiting = toolResults.length < toolCalls.length;
    // One step is what the SDK does where no loop was asked for.
    if (steps.length < 2 || finishReason !== 'tool-calls' || isWaiting) return 'success';
    return toolCalls.some(({ toolName }) => this.#finalTools.has(toolName)) ? 'success' : 'max_steps';
  }
}

/** What calls are compared by; where inputs are not told, no two calls are the same. */
function readArguments({ input, toolCallId }: ToolCallLike): unknown {
  return input ?? toolCallId;
}
