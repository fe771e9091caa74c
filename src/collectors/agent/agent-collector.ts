/**
 * Metrics of agents: executions, steps, tools, handoffs, memory, and the tokens of the requests that were made for them.
 */
import { ConfigurationError, describe, refuseOption } from '../../errors';
import { Registry } from '../../registry/registry';
import { secondsOf } from '../amount';
import { attribute, attributed } from '../attribution';
import { DefaultCollectors } from '../default-collectors';
import { type GenAiVersion, wantsGenAi } from '../gen-ai';
import { DEFAULT_NAMESPACE } from '../llm/llm-collector';
import { traceLabels } from '../trace';
import type { AgentErrorType, ExecutionStatus, MemoryOperation, Outcome, StepType, ToolStatus } from '../words';
import { AgentSeries } from './agent-series';
import { AgentExecution, settled } from './execution';

export interface AgentMetricsCollectorOptions {
  /** Where the metrics are. @default register */
  registry?: Registry | undefined;
  /** What their names begin with. @default 'llmdevops' */
  namespace?: string | undefined;
  /**
   * Whether metrics have OpenTelemetry's names too (`gen_ai_client_operation_duration_seconds` …): `true` for the newest
   * version of its conventions that is known, or that version. @default false
   */
  genAiNames?: boolean | GenAiVersion | undefined;
  /** Tools that exist. Others are known from their first success on; a failure before that is one of `other`. @default [] */
  tools?: readonly string[] | undefined;
}

/** An execution that has ended, as it is reported. */
export interface AgentExecutionReport {
  agentType: string;
  /** @default 'success' */
  status?: ExecutionStatus | undefined;
  durationMs?: number | undefined;
  steps?: number | undefined;
  toolCalls?: number | undefined;
  errorType?: AgentErrorType | undefined;
}

/**
 * Agents' executions, steps and tools.
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

  /**
   * @throws {ConfigurationError} `INVALID_CONFIG`
   * @throws {RegistrationError} for names that are taken by other metrics
   */
  constructor(options: AgentMetricsCollectorOptions = {}) {
    if (typeof options !== 'object' || options === null) {
      throw new ConfigurationError('INVALID_CONFIG', `Expected options but received ${describe(options)}`);
    }
    const { registry = Registry.globalRegistry, namespace = DEFAULT_NAMESPACE, tools = [], genAiNames } = options;
    // A text is a list of its letters.
    if (!Array.isArray(tools)) refuseOption('names of tools', 'tools', tools);
    this.#series = new AgentSeries({ registry, namespace, genAiNames: wantsGenAi(genAiNames) });
    for (const tool of tools) this.#series.registerTool(tool);
    ofRegistries.offer(registry, this, this.#series.families);
  }

  /**
   * Runs an agent: its execution is active until the function, or the promise it returns, is done, and is recorded by how
   * that ends. Requests to models made within it, across awaits and in parallel, count for it; where agents nest, for the
   * innermost.
   */
  run<R>(agentType: string, run: (execution: AgentExecution) => R): R {
    const execution = this.startExecution(agentType);
    return settled(
      () => attribute(execution, () => run(execution)),
      (failure) => (failure === undefined ? execution.end() : execution.fail(failure.error)),
    );
  }

  /** Begins an execution that is ended by hand. */
  startExecution(agentType: string): AgentExecution {
    return new AgentExecution(this.#series, this.#series.agent(agentType));
  }

  /** The execution that is going on here, if there is one: of `run()`, innermost first. */
  current(): AgentExecution | undefined {
    const execution = attributed();
    return execution instanceof AgentExecution && !execution.ended ? execution : undefined;
  }

  /** Says that a tool exists, so that its failures have its name. */
  registerTool(name: string): void {
    this.#series.registerTool(name);
  }

  /** Runs a step of the agent that is running here; without one it only runs the function. */
  step<R>(type: StepType, run: () => R): R {
    const execution = attributed();
    return execution instanceof AgentExecution ? execution.step(type, run) : run();
  }

  /** Runs a tool of the agent that is running here; without one it only runs the function. */
  tool<R>(name: string, args: unknown, run: () => R): R {
    const execution = attributed();
    return execution instanceof AgentExecution ? execution.tool(name, args, run) : run();
  }

  /** An execution has begun that is reported by hand. */
  recordExecutionStart(agentType: string): void {
    this.#series.families.gauge('agent_active').inc({ agent_type: this.#series.agent(agentType) });
  }

  /**
   * An execution has ended that is reported by hand.
   *
   * @throws {ValueError} `INVALID_VALUE` for a status that is none; nothing is recorded then
   */
  recordExecutionEnd({
    agentType,
    status = 'success',
    durationMs,
    steps,
    toolCalls,
    errorType,
  }: AgentExecutionReport): void {
    // First of all, because the execution goes on where its end is refused.
    this.#series.checked('agent_executions_total', 'status', status);
    const agent = this.#series.agent(agentType);
    this.#series.families.gauge('agent_active').dec({ agent_type: agent });
    const seconds = secondsOf(durationMs);
    this.#series.executed(agent, { status, seconds, steps, toolCalls, errorType, exemplarLabels: traceLabels() });
  }

  /** Counts a step that is reported by hand. */
  recordStep(agentType: string, type: StepType, durationMs?: number): void {
    this.#series.stepped(this.#series.agent(agentType), type, secondsOf(durationMs));
  }

  /**
   * Counts a call of a tool that is reported by hand.
   *
   * @throws {ValueError} `INVALID_VALUE` for a status that is none
   */
  recordToolCall(agentType: string, name: string, status: ToolStatus = 'success', durationMs?: number): void {
    const seconds = secondsOf(durationMs);
    this.#series.called(this.#series.agent(agentType), name, status, seconds);
  }

  /**
   * Counts work that one agent gave to another.
   *
   * @throws {ValueError} `INVALID_VALUE` for a status that is none
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
   * @throws {ValueError} `INVALID_VALUE` for an operation or status that is none
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

  /** Sets how many executions are in flight, where a framework knows. */
  setActiveAgents(agentType: string, count: number): void {
    this.#series.families.gauge('agent_active').set({ agent_type: this.#series.agent(agentType) }, count);
  }
}

const ofRegistries = new DefaultCollectors((registry) => new AgentMetricsCollector({ registry }));

/** The collector of a registry: the first that was made for it, or one that is made now. */
export function agentCollectorOf(registry: Registry): AgentMetricsCollector {
  return ofRegistries.of(registry);
}
