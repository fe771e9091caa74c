/**
 * Records metrics of agents: executions, steps, tools, handoffs, memory, and the tokens of an agent's requests. It must not
 * know frameworks; their instrumentations call it.
 */
import { ConfigurationError, describe, refuseOption } from '../../errors';
import { checkOptionNames, optionNames } from '../../options';
import { Registry } from '../../registry/registry';
import { toSeconds } from '../amount';
import { attribute, attributed } from '../attribution';
import { DefaultCollectors } from '../default-collectors';
import { checkGenAiNames, type GenAiNames } from '../gen-ai';
import { DEFAULT_NAMESPACE } from '../llm/llm-collector';
import { traceLabels } from '../trace';
import type { AgentErrorType, ExecutionStatus, MemoryOperation, Outcome, StepType, ToolStatus } from '../words';
import { AgentSeries } from './agent-series';
import { AgentExecution, settled } from './execution';
import { type McpOperation, McpOperations } from './mcp-operations';

export interface AgentMetricsCollectorOptions {
  /** The registry of the metrics. @default register */
  registry?: Registry | undefined;
  /** Stands before the names of the metrics. @default 'llmdevops' */
  namespace?: string | undefined;
  /**
   * Whether to record some metrics under OpenTelemetry's names too (`gen_ai_invoke_agent_duration_seconds` …). `true`
   * means the newest known version of its conventions; or name versions, of which `1.41` has no metrics of agents.
   * @default false
   */
  genAiNames?: GenAiNames | undefined;
  /** The tools that exist. Another tool becomes known with its first success; until then its failures count as `other`. @default [] */
  tools?: readonly string[] | undefined;
}

const OPTIONS = optionNames<AgentMetricsCollectorOptions>('AgentMetricsCollector', {
  registry: true,
  namespace: true,
  genAiNames: true,
  tools: true,
});

/** The report of an execution that has ended. */
export interface AgentExecutionReport {
  agentType: string;
  /** @default 'success' */
  status?: ExecutionStatus | undefined;
  durationMs?: number | undefined;
  steps?: number | undefined;
  /** Requests to models. */
  modelCalls?: number | undefined;
  toolCalls?: number | undefined;
  errorType?: AgentErrorType | undefined;
}

/**
 * Records executions, steps and tools of agents.
 *
 * @example
 * const agents = new AgentMetricsCollector();
 * const answer = await agents.run('researcher', async (execution) => {
 *   const page = await execution.tool('fetch', { url }, () => fetch(url));
 *   return execution.step('llm', () => ask(page));
 * });
 */
export class AgentMetricsCollector {
  readonly #series: AgentSeries;
  /** Made by the first operation: few programs have any. */
  readonly #mcp: () => McpOperations;

  /**
   * @throws {ConfigurationError} `INVALID_CONFIG`
   * @throws {RegistrationError} if another metric has one of the names
   */
  constructor(options: AgentMetricsCollectorOptions = {}) {
    if (typeof options !== 'object' || options === null) {
      throw new ConfigurationError('INVALID_CONFIG', `Expected options but received ${describe(options)}`);
    }
    checkOptionNames(options, OPTIONS);
    const { registry = Registry.globalRegistry, namespace = DEFAULT_NAMESPACE, tools = [], genAiNames } = options;
    // A string would count as a list of its letters.
    if (!Array.isArray(tools)) refuseOption('names of tools', 'tools', tools);
    this.#series = new AgentSeries({ registry, namespace, genAiNames: checkGenAiNames(genAiNames) });
    for (const tool of tools) this.#series.registerTool(tool);
    let mcp: McpOperations | undefined;
    this.#mcp = () => {
      mcp ??= new McpOperations(registry, namespace);
      return mcp;
    };
    defaults.offer(registry, this, this.#series.families);
  }

  /**
   * Runs an agent. Its execution is active until the function returns or its promise settles, and is recorded with that
   * outcome. Requests to models made within the function, also across awaits and in parallel, count for this agent. If agents
   * nest, they count for the innermost one.
   */
  run<R>(agentType: string, run: (execution: AgentExecution) => R): R {
    const execution = this.startExecution(agentType);
    return settled(
      () => attribute(execution, () => run(execution)),
      (failure) => (failure === undefined ? execution.end() : execution.fail(failure.error)),
    );
  }

  /** Starts an execution that the caller ends. */
  startExecution(agentType: string): AgentExecution {
    return new AgentExecution(this.#series, this.#series.agent(agentType));
  }

  /** The execution of the innermost `run()` around the caller, if it is still active. */
  current(): AgentExecution | undefined {
    const execution = attributed();
    return execution instanceof AgentExecution && !execution.ended ? execution : undefined;
  }

  /** Registers a tool, so that its failures count under its name. */
  registerTool(name: string): void {
    this.#series.registerTool(name);
  }

  /** Runs a step of the current execution. Without an execution it only calls the function. */
  step<R>(type: StepType, run: () => R): R {
    const execution = attributed();
    return execution instanceof AgentExecution ? execution.step(type, run) : run();
  }

  /** Runs a tool of the current execution. Without an execution it only calls the function. */
  tool<R>(name: string, args: unknown, run: () => R): R {
    const execution = attributed();
    return execution instanceof AgentExecution ? execution.tool(name, args, run) : run();
  }

  /** Reports the start of an execution that is recorded without an `AgentExecution`. */
  recordExecutionStart(agentType: string): void {
    this.#series.families.gauge('agent_active').inc({ agent_type: this.#series.agent(agentType) });
  }

  /**
   * Reports the end of an execution that is recorded without an `AgentExecution`.
   *
   * @throws {ValueError} `INVALID_VALUE` for an unknown status; then nothing is recorded
   */
  recordExecutionEnd({
    agentType,
    status = 'success',
    durationMs,
    steps,
    modelCalls,
    toolCalls,
    errorType,
  }: AgentExecutionReport): void {
    // Checked first: if the status is refused, the execution stays active.
    this.#series.checked('agent_executions_total', 'status', status);
    const agent = this.#series.agent(agentType);
    this.#series.families.gauge('agent_active').dec({ agent_type: agent });
    const seconds = toSeconds(durationMs);
    this.#series.executed(agent, {
      status,
      seconds,
      steps,
      modelCalls,
      toolCalls,
      errorType,
      exemplarLabels: traceLabels(),
    });
  }

  /** Counts a step of such an execution. */
  recordStep(agentType: string, type: StepType, durationMs?: number): void {
    this.#series.stepped(this.#series.agent(agentType), type, toSeconds(durationMs));
  }

  /**
   * Counts a call of a tool by such an execution.
   *
   * @throws {ValueError} `INVALID_VALUE` for an unknown status
   */
  recordToolCall(agentType: string, name: string, status: ToolStatus = 'success', durationMs?: number): void {
    const seconds = toSeconds(durationMs);
    this.#series.called(this.#series.agent(agentType), name, status, seconds);
  }

  /**
   * Counts a handoff of work from one agent to another.
   *
   * @throws {ValueError} `INVALID_VALUE` for an unknown status
   */
  recordHandoff(fromAgent: string, toAgent: string, status: Outcome = 'success'): void {
    const series = this.#series;
    const word = series.checked('agent_handoffs_total', 'status', status);
    const labels = { from_agent: series.agent(fromAgent), to_agent: series.agent(toAgent), status: word };
    series.families.counter('agent_handoffs_total').inc(labels);
  }

  /**
   * Counts an operation on an agent's memory.
   *
   * @throws {ValueError} `INVALID_VALUE` for an unknown operation or status
   */
  recordMemoryOperation(agentType: string, operation: MemoryOperation, status: Outcome = 'success'): void {
    const name = 'agent_memory_operations_total';
    const words = {
      operation_type: this.#series.checked(name, 'operation_type', operation),
      status: this.#series.checked(name, 'status', status),
    };
    this.#series.families.counter(name).inc({ agent_type: this.#series.agent(agentType), ...words });
  }

  /** Counts an error. */
  recordError(agentType: string, error: unknown): void {
    this.#series.failed(this.#series.agent(agentType), error);
  }

  /** @internal Records an operation of the Model Context Protocol. */
  recordMcpOperation(operation: McpOperation): void {
    const { errorType } = operation;
    const word = errorType && this.#series.word('agent_errors_total', 'error_type', errorType);
    this.#mcp().record({ ...operation, errorType: word as AgentErrorType | undefined });
  }

  /** @internal Registers a tool or prompt of an MCP server, so that its failures count under its name. */
  registerMcpTarget(name: string): void {
    this.#mcp().register(name);
  }

  /** Sets how many executions are in flight, for a framework that counts them itself. */
  setActiveAgents(agentType: string, count: number): void {
    this.#series.families.gauge('agent_active').set({ agent_type: this.#series.agent(agentType) }, count);
  }
}

const defaults = new DefaultCollectors((registry) => new AgentMetricsCollector({ registry }));

/** The default collector of a registry. The first call makes it, unless the program has. */
export function agentCollectorOf(registry: Registry): AgentMetricsCollector {
  return defaults.of(registry);
}
