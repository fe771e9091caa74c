/**
 * An exporter of Mastra's observability: turns its spans into runs. An agent's run is an execution; what stands within it is
 * part of it. Has the exporters' shape and depends on none of their packages.
 */
import type { AgentExecution } from '../../collectors/agent/execution';
import { refuseOption } from '../../errors';
import { quietly } from '../../quietly';
import { read } from '../../read';
import {
  type CheckedFrameworkOptions,
  checkFrameworkOptions,
  type InstrumentFrameworkOptions,
} from '../agents/options';
import { agentRun, modelRun, partRun, type Run, stepRun, toolRun } from '../agents/run';
import { getRuns, type Runs } from '../agents/runs';
import {
  classifyRequestError,
  classifySpanError,
  type MastraSpanLike,
  readAttribute,
  readEnd,
  readEntity,
  readMemoryOperation,
  readTarget,
} from './span';

export interface MastraExporterOptions extends InstrumentFrameworkOptions {
  /**
   * Names of tools whose call ends an execution as it should: `stopWhen: hasToolCall('answer')`. An execution that ends
   * while its model wants any other is `max_steps`. @default none
   */
  finalTools?: readonly string[] | undefined;
}

/** What is used of an event. */
export interface MastraTracingEvent {
  readonly type: string;
  readonly exportedSpan: MastraSpanLike;
}

/** What Mastra takes for an exporter. */
export interface MastraExporter {
  readonly name: string;
  exportTracingEvent(event: MastraTracingEvent): Promise<void>;
  flush(): Promise<void>;
  shutdown(): Promise<void>;
}

/**
 * An exporter that measures what agents do.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG`
 *
 * @example
 * new Observability({ configs: { default: { serviceName: 'shop', exporters: [createMastraExporter()] } } });
 */
export function createMastraExporter(options: MastraExporterOptions = {}): MastraExporter {
  const framework = checkFrameworkOptions(options);
  const { finalTools = [] } = options;
  if (!Array.isArray(finalTools)) refuseOption('names of tools', 'finalTools', finalTools);
  const spans = new Spans(framework, new Set(finalTools));
  const done = Promise.resolve();
  return {
    name: 'llmdevops-prometheus-metrics',
    exportTracingEvent: ({ type, exportedSpan }) => {
      quietly(() => {
        if (type === 'span_started') spans.start(exportedSpan);
        else if (type === 'span_ended') spans.end(exportedSpan);
      });
      return done;
    },
    flush: () => done,
    shutdown: () => done,
  };
}

/** What an execution's end is judged by that has no error. */
interface Ending {
  /** Why the last generation of its agent ended. */
  reason: unknown;
  /** Whether a tool was wanted last that ends the execution as it should: a final one, or one that the client runs. */
  mayStop: boolean;
}

/** The spans that are going on. */
class Spans {
  readonly #framework: CheckedFrameworkOptions;
  readonly #finalTools: ReadonlySet<string>;
  readonly #runs: Runs;
  readonly #endings = new WeakMap<AgentExecution, Ending>();

  constructor(framework: CheckedFrameworkOptions, finalTools: ReadonlySet<string>) {
    this.#framework = framework;
    this.#finalTools = finalTools;
    this.#runs = getRuns(framework.agents, 'mastra');
  }

  start(span: MastraSpanLike): void {
    this.#runs.begin({ id: span.id, parentId: span.parentSpanId }, () => this.#run(span));
  }

  #run(span: MastraSpanLike): Run {
    const { agents } = this.#framework;
    const execution = this.#runs.executionAt(span.parentSpanId, agents);
    switch (span.type) {
      case 'agent_run':
        return this.#agent(readEntity(span));
      case 'model_inference':
        return this.#model(span, execution);
      case 'tool_call':
      case 'mcp_tool_call':
      case 'provider_tool_call': {
        const name = readEntity(span);
        agents.registerTool(name);
        return toolRun(execution, name, () => read(span, 'input'));
      }
      case 'memory_operation':
        return stepRun(execution, 'memory');
      case 'rag_vector_operation':
        return readAttribute(span, 'operation') === 'query' ? stepRun(execution, 'retrieval') : partRun(execution);
      default:
        return partRun(execution);
    }
  }

  /** Within an execution that has begun outside, agents are part of it. */
  #agent(name: string): Run {
    const { agents, agentType } = this.#framework;
    const running = agents.current();
    const isPart = running !== undefined && (agentType ?? running.agentType) === running.agentType;
    if (isPart) return partRun(running);
    const execution = agents.startExecution(agentType ?? name);
    this.#endings.set(execution, { reason: undefined, mayStop: false });
    return agentRun(execution);
  }

  #model(span: MastraSpanLike, execution: AgentExecution | undefined): Run {
    const { llm, resolveProvider } = this.#framework;
    const ending = this.#findEnding(execution);
    if (ending !== undefined) ending.mayStop = false;
    const begin = () => llm?.startRequest(readTarget(span, resolveProvider));
    return modelRun(execution, execution === undefined ? begin() : execution.within(begin));
  }

  end(span: MastraSpanLike): void {
    const run = this.#runs.get(span.id);
    if (run === undefined) return;
    const error = this.#classifySpanError(span, run);
    this.#note(span, run);
    if (error === undefined) this.#runs.end(span.id, readEnd(span));
    else this.#runs.fail(span.id, error, readEnd(span));
  }

  #classifySpanError(span: MastraSpanLike, run: Run): string | undefined {
    switch (span.type) {
      case 'agent_run':
        return this.#classifyAgentFailure(span, this.#findEnding(run.execution));
      case 'model_inference':
        return classifyRequestError(span);
      default: {
        const failure = classifySpanError(span);
        return failure === undefined && readAttribute(span, 'success') === false ? 'tool_error' : failure;
      }
    }
  }

  /** Agents end without an error where they are stopped; how their last generation ended tells. */
  #classifyAgentFailure(span: MastraSpanLike, ending: Ending | undefined): string | undefined {
    if (readAttribute(span, 'tripwireAbort') !== undefined) return 'guardrail';
    const failure = classifySpanError(span);
    if (failure !== undefined || ending === undefined) return failure;
    if (ending.reason === 'aborted') return 'cancelled';
    return ending.reason === 'tool-calls' && !ending.mayStop ? 'max_steps' : undefined;
  }

  #findEnding(execution: AgentExecution | undefined): Ending | undefined {
    return execution === undefined ? undefined : this.#endings.get(execution);
  }

  /** What a span that ends says of its execution, and what only the collectors want to know. */
  #note(span: MastraSpanLike, { execution }: Run): void {
    const { agents, llm } = this.#framework;
    const ending = this.#findEnding(execution);
    if (span.type === 'model_generation' && ending !== undefined) {
      ending.reason = readAttribute(span, 'finishReason');
    } else if (span.type === 'client_tool_call' || this.#isFinal(span)) {
      if (ending !== undefined) ending.mayStop = true;
    } else if (span.type === 'memory_operation' && execution !== undefined) {
      const operation = readMemoryOperation(span);
      const outcome = classifySpanError(span) === undefined ? 'success' : 'error';
      if (operation !== undefined) agents.recordMemoryOperation(execution.agentType, operation, outcome);
    } else if (span.type === 'processor_run' && readAttribute(span, 'tripwireAbort') !== undefined) {
      // Which processors are guardrails shows only where one blocks.
      const phase = readAttribute(span, 'processorPhase');
      const stage = phase === 'input' || phase === 'output' ? phase : 'other';
      execution?.recordStep('guardrail');
      llm?.recordGuardrail(readEntity(span), stage, 'block');
    }
  }
  #isFinal(span: MastraSpanLike): boolean {
    return span.type === 'tool_call' && this.#finalTools.has(readEntity(span));
  }
}
