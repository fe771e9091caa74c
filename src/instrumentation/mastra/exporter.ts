/**
 * An exporter for Mastra's observability that turns its spans into runs. An agent's run is an execution; the spans within it
 * belong to that execution. Has the shape of an exporter and depends on no Mastra package.
 */
import type { AgentExecution } from '../../collectors/agent/execution';
import { refuseOption } from '../../errors';
import { checkOptionNames, optionNames } from '../../options';
import { read } from '../../read';
import { quietly } from '../../warnings';
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

/** Options of `createMastraExporter()`. */
export interface MastraExporterOptions extends InstrumentFrameworkOptions {
  /**
   * Names of tools that end an execution successfully, as with `stopWhen: hasToolCall('answer')`. An execution that ends
   * while its model requests another tool is `max_steps`.
   *
   * @default []
   */
  finalTools?: readonly string[] | undefined;
}

const OPTIONS = optionNames<MastraExporterOptions>('createMastraExporter', {
  collector: true,
  provider: true,
  providers: true,
  llm: true,
  agentType: true,
  finalTools: true,
});

/** The part of a tracing event that is used. */
export interface MastraTracingEvent {
  readonly type: string;
  readonly exportedSpan: MastraSpanLike;
}

/** An exporter, as Mastra expects it. */
export interface MastraExporter {
  readonly name: string;
  exportTracingEvent(event: MastraTracingEvent): Promise<void>;
  flush(): Promise<void>;
  shutdown(): Promise<void>;
}

/**
 * Makes an exporter that measures agents, requests to models, tool calls, memory operations and retrievals.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` for an invalid option
 *
 * @example
 * new Observability({ configs: { default: { serviceName: 'shop', exporters: [createMastraExporter()] } } });
 */
export function createMastraExporter(options: MastraExporterOptions = {}): MastraExporter {
  checkOptionNames(options, OPTIONS);
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

/** Tells how an execution ended whose span has no error. */
interface Ending {
  /** The finish reason of the agent's last generation. */
  reason: unknown;
  /** True if the last requested tool may end the execution: a final tool, or one that the client runs. */
  mayStop: boolean;
}

/** Turns spans into runs. */
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

  /** An agent within an execution that was started elsewhere belongs to that execution. */
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
    const call = execution === undefined ? begin() : execution.within(begin);
    // Mastra calls exporters while it starts a span, so the request of an instrumented client begins within this call.
    call?.enclose();
    return modelRun(execution, call);
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

  /** A stopped agent ends without an error. The finish reason of its last generation tells why it stopped. */
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

  /** Notes how a span affects the end of its execution, and records memory operations and guardrails. */
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
      // Mastra does not say which processors are guardrails; one that blocks is.
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
