/**
 * A trace processor of the OpenAI Agents SDK: turns its spans into runs. An agent's span is an execution; what stands within
 * it is part of it. Has the processors' shape and depends on none of their packages.
 */
import type { LlmErrorType } from '../../collectors/words';
import { quietly } from '../../quietly';
import { read, readText } from '../../read';
import {
  type CheckedFrameworkOptions,
  checkFrameworkOptions,
  type InstrumentFrameworkOptions,
} from '../agents/options';
import { agentRun, partRun, type ReportStep, type Run, stepRun, toolRun } from '../agents/run';
import { getRuns, type Runs } from '../agents/runs';
import { classifySpanError } from './failure';
import { readAnswer } from './model';

export type TraceProcessorOptions = InstrumentFrameworkOptions;

/** What is used of a span. */
export interface AgentSpanLike {
  readonly spanId: string;
  readonly parentId: string | null;
  readonly spanData: { readonly type: string };
  readonly error: { readonly message: string } | null;
}

/** What the SDK takes for a trace processor. */
export interface TraceProcessor {
  onTraceStart(trace: unknown): Promise<void>;
  onTraceEnd(trace: unknown): Promise<void>;
  onSpanStart(span: AgentSpanLike): Promise<void>;
  onSpanEnd(span: AgentSpanLike): Promise<void>;
  shutdown(timeout?: number): Promise<void>;
  forceFlush(): Promise<void>;
}

/** Agents whose models are remembered. */
const AGENTS_MAX = 1000;

/** Where a span's model is not told. */
const UNKNOWN_MODEL = 'other';

/**
 * A trace processor that measures what agents do.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG`
 *
 * @example
 * addTraceProcessor(createTraceProcessor());
 */
export function createTraceProcessor(options: TraceProcessorOptions = {}): TraceProcessor {
  const spans = new Spans(checkFrameworkOptions(options));
  const done = Promise.resolve();
  return {
    onTraceStart: () => done,
    onTraceEnd: () => done,
    onSpanStart: (span) => {
      quietly(() => spans.start(span));
      return done;
    },
    onSpanEnd: (span) => {
      quietly(() => spans.end(span));
      return done;
    },
    shutdown: () => done,
    forceFlush: () => done,
  };
}

/** The spans that are going on. */
class Spans {
  readonly #framework: CheckedFrameworkOptions;
  readonly #runs: Runs;
  /** By agent, the model that last answered it: a request that failed does not say whom it was for. */
  readonly #models = new Map<string, string>();

  constructor(framework: CheckedFrameworkOptions) {
    this.#framework = framework;
    this.#runs = getRuns(framework.agents, 'openai-agents');
  }

  start(span: AgentSpanLike): void {
    this.#runs.begin({ id: span.spanId, parentId: span.parentId, witness: span }, () => this.#run(span));
  }

  end(span: AgentSpanLike): void {
    const { spanId, error } = span;
    if (error === null || error === undefined) this.#runs.end(spanId);
    else this.#runs.fail(spanId, classifySpanError(error, read(span.spanData, 'type') === 'function'));
  }

  #run(span: AgentSpanLike): Run {
    const { agents } = this.#framework;
    const execution = this.#runs.executionAt(span.parentId, agents);
    const { spanData } = span;
    switch (read(spanData, 'type')) {
      case 'agent':
        return this.#agent(readText(spanData, 'name') ?? 'other');
      case 'response':
      case 'generation':
        return stepRun(execution, 'llm', (durationMs, error) => {
          const record = () => this.#request(spanData, execution?.agentType ?? 'other', durationMs, error);
          if (execution === undefined) record();
          else execution.within(record);
        });
      case 'function': {
        const name = readText(spanData, 'name') ?? 'other';
        // Spans begin for tools that exist; a name that the model made up ends the run.
        agents.registerTool(name);
        // The arguments come while the span goes on; where they are kept from spans they are empty.
        return toolRun(execution, name, () => readText(spanData, 'input'));
      }
      case 'handoff':
        return stepRun(execution, 'handoff', () => this.#handoff(spanData));
      case 'guardrail':
        return stepRun(execution, 'guardrail', this.#guardrail(spanData));
      default:
        return partRun(execution);
    }
  }

  /** Within an execution that has begun outside, agents are part of it. */
  #agent(name: string): Run {
    const { agents, agentType = name } = this.#framework;
    const running = agents.current();
    const isPart = running !== undefined && (this.#framework.agentType ?? running.agentType) === running.agentType;
    return isPart ? partRun(running) : agentRun(agents.startExecution(agentType));
  }

  /** Recorded when it is over: which model it was for stands only in the answer. */
  #request(spanData: unknown, agent: string, durationMs: number, error: unknown): void {
    const { llm, resolveProvider } = this.#framework;
    const { model: told, ...end } = readAnswer(spanData);
    const model = told ?? this.#models.get(agent) ?? UNKNOWN_MODEL;
    if (told !== undefined && (this.#models.has(agent) || this.#models.size < AGENTS_MAX))
      this.#models.set(agent, told);
    const errorType = error as LlmErrorType | undefined;
    llm?.recordRequest({ model, provider: resolveProvider(undefined, 'openai'), durationMs, errorType, ...end });
  }

  #handoff(spanData: unknown): void {
    const to = readText(spanData, 'to_agent');
    const from = readText(spanData, 'from_agent') ?? 'other';
    // Where a model asks for several, one is made, and the span has an error all the same.
    this.#framework.agents.recordHandoff(from, to ?? 'other', to === undefined ? 'error' : 'success');
  }

  #guardrail(spanData: unknown): ReportStep {
    return (durationMs, error) => {
      const decision = read(spanData, 'triggered') === true ? 'block' : 'pass';
      const name = readText(spanData, 'name') ?? 'other';
      this.#framework.llm?.recordGuardrail(name, 'other', error === undefined ? decision : 'error', durationMs);
    };
  }
}
