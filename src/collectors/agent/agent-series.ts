/**
 * Writes agents' metrics, and turns names of agents and tools into label values.
 */

import { CappedNames } from '../../labels/capped-names';
import type { ExemplarLabels } from '../../metrics/exemplar';
import { addon } from '../../native/addon';
import type { Registry } from '../../registry/registry';
import { isAmount } from '../amount';
import { reportedType } from '../error-type';
import { Families } from '../families';
import { GenAiAgentNames } from '../gen-ai';
import type { GenAiVersion } from '../gen-ai-catalogue';
import { findWord, OTHER, readName } from '../label-values';
import type { AgentErrorType, ExecutionStatus, StepType, ToolStatus } from '../words';

/** The registry and the names of the metrics. */
export interface AgentMetricsOptions {
  readonly registry: Registry;
  readonly namespace: string;
  /** The versions of OpenTelemetry's names to record under too. */
  readonly genAiNames: readonly GenAiVersion[];
}

/** An execution's end. */
export interface ExecutionEnd {
  readonly status: ExecutionStatus;
  readonly seconds: number | undefined;
  readonly steps: number | undefined;
  readonly modelCalls: number | undefined;
  readonly toolCalls: number | undefined;
  readonly errorType: AgentErrorType | undefined;
  readonly exemplarLabels: ExemplarLabels | undefined;
}

/** Writes agents' metrics. */
export class AgentSeries {
  readonly families: Families;
  readonly #agents: CappedNames;
  readonly #tools: CappedNames;
  readonly #inUse = new Set<string>();
  readonly #genAi: GenAiAgentNames | undefined;

  constructor({ registry, namespace, genAiNames }: AgentMetricsOptions) {
    this.families = new Families(addon.catalogue(true), {
      registry,
      prefix: `${namespace}_`,
      optional: new Set(),
    });
    this.#agents = new CappedNames(this.families.cap('agent_executions_total', 'agent_type'));
    this.#genAi = genAiNames.length > 0 ? new GenAiAgentNames(registry, genAiNames) : undefined;
    this.#tools = new CappedNames(this.families.cap('agent_tool_calls_total', 'tool_name'));
  }

  /** An agent's label value. The first call makes the counters of its executions appear with 0. */
  agent(given: unknown): string {
    const agent = this.#agents.admit(readName(given));
    if (!this.#inUse.has(agent)) {
      this.#inUse.add(agent);
      const statuses = this.families.words('agent_executions_total', 'status');
      // One by one: if the registry has no room for all of them, the others are folded and the caller's run does not fail.
      for (const status of statuses)
        this.families.counter('agent_executions_total').inc({ agent_type: agent, status }, 0);
      this.families.gauge('agent_active').init({ agent_type: [agent] });
    }
    return agent;
  }

  /** A tool's label value. A failed tool that never succeeded counts as `other`: the model may have invented its name. */
  tool(given: unknown, status: ToolStatus): string {
    const tool = readName(given);
    return status === 'success' ? this.#tools.admit(tool) : this.#tools.known(tool);
  }

  /** Registers a tool, so that its failures count under its name. */
  registerTool(name: string): void {
    this.#tools.admit(name);
  }

  /** A word of a label; `other` if the label does not have it. */
  word(name: string, label: string, given: string): string {
    return findWord(this.families.words(name, label), given) ?? OTHER;
  }

  /** @throws {ValueError} `INVALID_VALUE` for an unknown word, unless the label has `other` */
  checked(name: string, label: string, given: string): string {
    return this.families.checkedWord(name, label, given);
  }

  executed(agent: string, end: ExecutionEnd): void {
    const { status, seconds, steps, modelCalls, toolCalls, errorType, exemplarLabels } = end;
    const { families } = this;
    const agent_type = agent;
    const type = errorType === undefined ? undefined : this.word('agent_errors_total', 'error_type', errorType);
    families.counter('agent_executions_total').inc({ agent_type, status });
    if (seconds !== undefined) {
      const value = seconds;
      this.#genAi?.executed(agent, type, seconds);
      families.histogram('agent_execution_duration_seconds').observe({ labels: { agent_type }, value, exemplarLabels });
    }
    if (isAmount(steps)) families.histogram('agent_steps_per_execution').observe({ agent_type }, steps);
    if (isAmount(modelCalls)) families.histogram('agent_model_calls_per_execution').observe({ agent_type }, modelCalls);
    if (isAmount(toolCalls)) {
      families.histogram('agent_tool_calls_per_execution').observe({ agent_type }, toolCalls);
    }
    this.#genAi?.counted(agent, modelCalls, toolCalls);
    if (type !== undefined) families.counter('agent_errors_total').inc({ agent_type, error_type: type });
  }

  stepped(agent: string, given: StepType, seconds: number | undefined): void {
    const labels = { agent_type: agent, step_type: this.word('agent_steps_total', 'step_type', given) };
    this.families.counter('agent_steps_total').inc(labels);
    if (seconds !== undefined) this.families.histogram('agent_step_duration_seconds').observe(labels, seconds);
  }

  /** @throws {ValueError} `INVALID_VALUE` for an unknown status */
  called(agent: string, name: unknown, status: ToolStatus, seconds: number | undefined): void {
    const word = this.checked('agent_tool_calls_total', 'status', status);
    const labels = { agent_type: agent, tool_name: this.tool(name, status) };
    this.families.counter('agent_tool_calls_total').inc({ ...labels, status: word });
    if (seconds === undefined) return;
    this.families.histogram('agent_tool_call_duration_seconds').observe(labels, seconds);
    this.#genAi?.called(agent, labels.tool_name, status, seconds);
  }

  failed(agent: string, error: unknown): void {
    const error_type = this.word('agent_errors_total', 'error_type', reportedType(error));
    this.families.counter('agent_errors_total').inc({ agent_type: agent, error_type });
  }
}
