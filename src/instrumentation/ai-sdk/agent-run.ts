/**
 * One run of an agent: turns the SDK's telemetry events into an execution with its steps, tool calls and end.
 */
import { type Moment, now, secondsSince } from '../../clock';
import type { AgentMetricsCollector } from '../../collectors/agent/agent-collector';
import { type AgentExecution, toolErrorOf, toolStatusOf } from '../../collectors/agent/execution';
import type { ExecutionStatus } from '../../collectors/words';
import { quietly } from '../../warnings';
import { classifyError } from './failure';
import type { EndEventLike, StepEndLike, ToolCallLike, ToolRunLike } from './shapes';

/** `name` of the SDK's error for a tool that does not exist. */
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

  /** Runs a function and counts its requests for this agent. */
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
    for (const call of toolCalls) if (call.invalid === true) this.#recordInvalid(call);
    for (const { type, approved, toolCall } of content) {
      if (type !== 'tool-approval-response' || approved !== false || toolCall === undefined) continue;
      // The SDK asks for approval only if the tool exists.
      this.#collector.registerTool(toolCall.toolName);
      this.#execution.recordToolCall(toolCall.toolName, 'denied', undefined, readArguments(toolCall));
    }
  }

  /** A call whose tool does not exist, or whose arguments are invalid. */
  #recordInvalid(call: ToolCallLike): void {
    const isUnknown = (call.error as { name?: unknown } | undefined)?.name === UNKNOWN_TOOL;
    this.#execution.recordToolCall(call.toolName, 'error', undefined, readArguments(call));
    this.#execution.recordError(isUnknown ? 'unknown_tool' : 'tool_error');
  }

  /** Runs a tool, and counts the tool's own requests for this agent too. */
  tool<T>({ toolCallId, toolCall, execute }: ToolRunLike<T>): PromiseLike<T> {
    const call = toolCall ?? { toolName: '' };
    const start = now();
    const record = (failure?: { error: unknown }): void => {
      // The tool ran, so its name is not an invention of the model.
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

  /** `max_steps` if the SDK stopped the loop: the model had called tools, and all of them had answered. */
  #decideStatus(steps: readonly StepEndLike[]): ExecutionStatus {
    const { finishReason, toolCalls = [], toolResults = [] } = steps.at(-1) ?? { callId: '' };
    const isWaiting = toolResults.length < toolCalls.length;
    // With a single step the program did not ask for a loop.
    if (steps.length < 2 || finishReason !== 'tool-calls' || isWaiting) return 'success';
    return toolCalls.some(({ toolName }) => this.#finalTools.has(toolName)) ? 'success' : 'max_steps';
  }
}

/** The arguments that tell repeated calls. If the SDK reports no input, the call's id makes every call different. */
function readArguments({ input, toolCallId }: ToolCallLike): unknown {
  return input ?? toolCallId;
}
