/**
 * A trace processor for the OpenAI Agents SDK that turns its spans into runs. An agent's span is an execution; the spans
 * within it belong to that execution. Has the shape of a trace processor and does not depend on the SDK.
 */
import type { AgentExecution } from '../../collectors/agent/execution';
import { reportedType } from '../../collectors/error-type';
import type { LlmErrorType } from '../../collectors/words';
import { checkOptionNames, optionNames } from '../../options';
import { read, readText } from '../../read';
import { quietly } from '../../warnings';
import {
  type CheckedFrameworkOptions,
  checkFrameworkOptions,
  type InstrumentFrameworkOptions,
} from '../agents/options';
import { agentRun, partRun, type ReportStep, type Run, stepRun, toolRun } from '../agents/run';
import { getRuns, type Runs } from '../agents/runs';
import { compareAnswers, isRemembered } from '../answers';
import { classifySpanError, readAnswer, wasLeft } from './span';

/** Options of `createTraceProcessor()`. */
export type TraceProcessorOptions = InstrumentFrameworkOptions;

const OPTIONS = optionNames<TraceProcessorOptions>('createTraceProcessor', {
  collector: true,
  provider: true,
  providers: true,
  llm: true,
  agentType: true,
});

/** The part of a span that is used. */
export interface AgentSpanLike {
  readonly spanId: string;
  readonly parentId: string | null;
  readonly spanData: { readonly type: string };
  readonly error: { readonly message: string } | null;
}

/** A trace processor, as the SDK expects it. */
export interface TraceProcessor {
  onTraceStart(trace: unknown): Promise<void>;
  onTraceEnd(trace: unknown): Promise<void>;
  onSpanStart(span: AgentSpanLike): Promise<void>;
  onSpanEnd(span: AgentSpanLike): Promise<void>;
  shutdown(timeout?: number): Promise<void>;
  forceFlush(): Promise<void>;
}

/** Agents whose last model is remembered. */
const AGENTS_MAX = 1000;

/** The model of a request whose span does not name one. */
const UNKNOWN_MODEL = 'other';

/**
 * Makes a trace processor that measures agents, requests to models, tool calls, handoffs and guardrails.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` for an invalid option
 *
 * @example
 * addTraceProcessor(createTraceProcessor());
 */
export function createTraceProcessor(options: TraceProcessorOptions = {}): TraceProcessor {
  checkOptionNames(options, OPTIONS);
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

/** What is remembered of an answered request. */
interface Answered {
  readonly model: string | undefined;
  readonly isCountedByClient: boolean;
}

/** Turns spans into runs. */
class Spans {
  readonly #framework: CheckedFrameworkOptions;
  readonly #runs: Runs;
  /** The last answered request of each agent, because the span of a failed one names no model and no answer. */
  readonly #last = new Map<string, Answered>();
  /** Executions whose last request was left: the SDK stops such a run without an error. */
  readonly #left = new WeakSet<AgentExecution>();

  constructor(framework: CheckedFrameworkOptions) {
    this.#framework = framework;
    this.#runs = getRuns(framework.agents, 'openai-agents');
    // The SDK waits for one processor after the other. A processor behind another one learns of a request outside of the
    // request's asynchronous context, so the context cannot tell that the client counts the same request.
    if (framework.llm !== undefined) compareAnswers(framework.llm);
  }

  start(span: AgentSpanLike): void {
    this.#runs.begin({ id: span.spanId, parentId: span.parentId, witness: span }, () => this.#run(span));
  }

  end(span: AgentSpanLike): void {
    const { spanId, error } = span;
    if (error === null || error === undefined) this.#endWithoutError(span);
    else this.#runs.fail(spanId, classifySpanError(error, read(span.spanData, 'type') === 'function'));
  }

  #endWithoutError({ spanId, spanData }: AgentSpanLike): void {
    const execution = this.#runs.get(spanId)?.execution;
    const isLeft = wasLeft(spanData);
    if (isLeft && execution !== undefined) this.#left.add(execution);
    const isCut = read(spanData, 'type') === 'agent' && execution !== undefined && this.#left.has(execution);
    if (isLeft || isCut) this.#runs.fail(spanId, 'cancelled');
    else this.#runs.end(spanId);
  }

  #run(span: AgentSpanLike): Run {
    const { agents } = this.#framework;
    const execution = this.#runs.executionAt(span.parentId, agents);
    const { spanData } = span;
    switch (read(spanData, 'type')) {
      case 'agent':
        return this.#agent(readText(spanData, 'name') ?? 'other');
      case 'response':
      case 'generation': {
        if (execution !== undefined) this.#left.delete(execution);
        const request = this.#framework.llm?.encloseRequest(execution);
        return stepRun(execution, 'llm', (durationMs, error) => {
          request?.end();
          // A client that is instrumented too has counted the request.
          if (request?.taken === true) return;
          const record = () => this.#request(spanData, execution?.agentType ?? 'other', durationMs, error);
          if (execution === undefined) record();
          else execution.within(record);
        });
      }
      case 'function': {
        const name = readText(spanData, 'name') ?? 'other';
        // The tool exists: a call of an unknown tool ends the run without a span.
        agents.registerTool(name);
        // The arguments arrive while the span is open. They are empty if tracing excludes sensitive data.
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

  /** An agent within an execution that was started elsewhere belongs to that execution. */
  #agent(name: string): Run {
    const { agents, agentType = name } = this.#framework;
    const running = agents.current();
    const isPart = running !== undefined && (this.#framework.agentType ?? running.agentType) === running.agentType;
    return isPart ? partRun(running) : agentRun(agents.startExecution(agentType));
  }

  /** Records a request when it has ended, because only the answer names the model. */
  #request(spanData: unknown, agent: string, durationMs: number, error: unknown): void {
    const { llm, resolveProvider } = this.#framework;
    if (llm === undefined) return;
    const { model: reported, end, id, failure } = readAnswer(spanData);
    const last = this.#last.get(agent);
    const isCountedByClient =
      id === undefined ? last?.isCountedByClient === true && error !== undefined : isRemembered(llm, id);
    const model = reported ?? last?.model;
    if ((id ?? reported) !== undefined && (last !== undefined || this.#last.size < AGENTS_MAX))
      this.#last.set(agent, { model, isCountedByClient });
    if (isCountedByClient) return;
    const type = error ?? failure;
    const errorType = type === undefined ? undefined : (reportedType(type) as LlmErrorType);
    const provider = resolveProvider(undefined, 'openai');
    llm.recordRequest({ model: model ?? UNKNOWN_MODEL, provider, durationMs, errorType, ...end });
  }

  #handoff(spanData: unknown): void {
    const to = readText(spanData, 'to_agent');
    const from = readText(spanData, 'from_agent') ?? 'other';
    // If a model requests several handoffs, the SDK makes one of them and still sets an error on the span.
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
