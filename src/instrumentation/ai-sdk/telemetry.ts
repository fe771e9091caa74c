/**
 * Listens to the telemetry events of the package `ai`, and passes each to the request or agent run that it belongs to.
 */
import { setTimeout } from 'node:timers';
import type { AgentMetricsCollector } from '../../collectors/agent/agent-collector';
import { abortTypeOf } from '../../collectors/error-type';
import type { LlmMetricsCollector } from '../../collectors/llm/llm-collector';
import type { LlmTarget } from '../../collectors/llm/request';
import type { LlmOperation } from '../../collectors/words';
import { quietly, warnOnce } from '../../warnings';
import { AgentRun } from './agent-run';
import { readTokens, resolveProvider } from './answer';
import { classifyError } from './failure';
import { ModelRequest } from './model-request';
import { Operations } from './operations';
import { EmbedRequests, ObjectRequest, PlainRequest } from './other-requests';
import type {
  AbortEventLike,
  EmbedEventLike,
  EndEventLike,
  EventLike,
  FailureEventLike,
  ModelAnswerLike,
  ModelCallLike,
  ObjectStepEndLike,
  StartEventLike,
  StepEndLike,
  ToolRunLike,
  UsageLike,
} from './shapes';

/** How agents' runs are recorded. */
export interface AgentsTelemetry {
  readonly collector: AgentMetricsCollector;
  readonly finalTools: ReadonlySet<string>;
}

/** What the listener records with. */
export interface TelemetryOptions {
  readonly collector: LlmMetricsCollector;
  readonly providers: Readonly<Record<string, string>>;
  readonly agents: AgentsTelemetry | undefined;
}

/** A running call of one of the SDK's functions. */
interface Operation {
  readonly id: string;
  readonly start: StartEventLike;
  readonly run: AgentRun | undefined;
  /** The newest request; earlier ones have ended. */
  model?: ModelRequest;
  plain?: PlainRequest;
  object?: ObjectRequest;
  /** How many tools are running. */
  tools: number;
  readonly embeds: EmbedRequests;
}

const AGENTS = new Set(['ai.generateText', 'ai.streamText']);

/** Operations that make exactly one request, and its kind. */
const PLAIN: Readonly<Record<string, LlmOperation>> = {
  'ai.rerank': 'rerank',
  'ai.generateSpeech': 'speech',
  'ai.transcribe': 'transcription',
};

/** How long the SDK has to go on after a stream: to its next step, and to the report of a failure. */
const READ_MS = 10_000;
const FAILED_MS = 1000;

/** Version 6 of the SDK has the same list of integrations, with other events. */
const NO_REQUESTS =
  'Expected ai 7: version 6 reports no requests to its telemetry. Wrap its models with createAiSdkMiddleware() to measure them';

/** Successful operations that are remembered, because the SDK may still reject the answer as an invalid object. */
const ENDED_MAX = 1000;

/** A telemetry integration, as `registerTelemetry()` expects it. */
export class AiSdkTelemetry {
  readonly #collector: LlmMetricsCollector;
  readonly #providers: Readonly<Record<string, string>>;
  readonly #agents: AgentsTelemetry | undefined;
  readonly #operations = new Operations<Operation>();
  readonly #ended = new Map<string, LlmTarget>();

  constructor({ collector, providers, agents }: TelemetryOptions) {
    this.#collector = collector;
    this.#providers = providers;
    this.#agents = agents;
  }

  /** A function of its own object, like `onStepStart`, because version 6 of the SDK calls them without the object. */
  readonly onStart = (start: StartEventLike): void => {
    quietly(() => {
      if (start.callId === undefined) return warnOnce(NO_REQUESTS);
      const operation = this.#open(start);
      const kind = PLAIN[start.operationId ?? ''];
      if (kind !== undefined) operation.plain = new PlainRequest(this.#collector, this.#makeTarget(start, kind));
    });
  };

  executeLanguageModelCall<T>(asked: ModelCallLike<T>): PromiseLike<T> {
    const attempt = quietly(() => this.#attempt(asked));
    if (attempt === undefined) return asked.execute();
    const { operation, request } = attempt;
    return asked.execute().then(
      (answer) => {
        quietly(() => this.#answered(operation, request, answer as ModelAnswerLike));
        return answer;
      },
      (error: unknown) => {
        quietly(() => request.attemptFailed(error));
        throw error;
      },
    );
  }

  executeTool<T>(asked: ToolRunLike<T>): PromiseLike<T> {
    const operation = this.#operations.get(asked.callId);
    if (operation?.run === undefined) return asked.execute();
    operation.tools++;
    const done = () => {
      operation.tools--;
    };
    const result = operation.run.tool(asked);
    result.then(done, done);
    return result;
  }

  readonly onStepStart = ({ callId }: EventLike): void => {
    quietly(() => this.#operations.get(callId)?.run?.stepStarted());
  };

  onStepEnd(step: StepEndLike): void {
    quietly(() => this.#operations.get(step.callId)?.run?.stepEnded(step));
  }

  onStepError({ callId, error }: FailureEventLike): void {
    quietly(() => {
      const operation = this.#operations.get(callId);
      operation?.run?.stepFailed();
      operation?.model?.failed(error);
    });
  }

  onObjectStepStart(start: StartEventLike): void {
    quietly(() => {
      const operation = this.#operations.get(start.callId) ?? this.#open(start);
      const isStreamed = operation.start.operationId === 'ai.streamObject';
      operation.object = new ObjectRequest(this.#collector, this.#makeTarget(start, 'chat'), isStreamed);
    });
  }

  onObjectStepEnd(step: ObjectStepEndLike): void {
    quietly(() => this.#operations.get(step.callId)?.object?.answered(step));
  }

  onEmbedStart(start: EmbedEventLike): void {
    quietly(() => {
      const operation = this.#operations.get(start.callId) ?? this.#open(start);
      const target = this.#makeTarget(start, 'embeddings');
      operation.embeds.started(start, () => new PlainRequest(this.#collector, target));
    });
  }

  onEmbedEnd(end: EmbedEventLike): void {
    quietly(() => this.#operations.get(end.callId)?.embeds.ended(end));
  }

  onEnd(end: EndEventLike): void {
    quietly(() => {
      const operation = this.#close(end.callId);
      if (operation === undefined) return;
      operation.run?.ended(end);
      operation.object?.ended(end.error);
      operation.plain?.ended(readTokens(end.usage as UsageLike | undefined));
      if (operation.object === undefined) this.#remember(operation);
    });
  }

  onAbort({ callId, reason }: AbortEventLike): void {
    this.onError({ callId, error: abortTypeOf(reason) });
  }

  onError({ callId, error }: FailureEventLike): void {
    quietly(() => {
      const operation = this.#close(callId);
      if (operation === undefined) return this.#failedAfterwards(callId, error);
      operation.model?.failed(error);
      operation.object?.failed(error);
      operation.plain?.failed(error);
      operation.embeds.failed(error);
      operation.run?.failed(error);
    });
  }

  #open(start: StartEventLike): Operation {
    const { callId: id, functionId, operationId = '' } = start;
    const agents = AGENTS.has(operationId) && functionId !== undefined ? this.#agents : undefined;
    const run = agents && new AgentRun(agents.collector, String(functionId), agents.finalTools);
    return this.#operations.open(id, { id, start, run, tools: 0, embeds: new EmbedRequests() });
  }

  #close(id: string): Operation | undefined {
    const operation = this.#operations.get(id);
    this.#operations.close(id);
    return operation;
  }

  #attempt(asked: StartEventLike): { operation: Operation; request: ModelRequest } {
    const operation = this.#operations.get(asked.callId) ?? this.#open(asked);
    if (operation.model?.hasFailed) {
      operation.model.retried();
      return { operation, request: operation.model };
    }
    const begin = () => new ModelRequest(this.#collector, this.#makeTarget(asked, 'chat'));
    const request = operation.run === undefined ? begin() : operation.run.within(begin);
    operation.model = request;
    return { operation, request };
  }

  #answered(operation: Operation, request: ModelRequest, answer: ModelAnswerLike): void {
    const { id } = operation;
    const isStream = request.answered(answer, () => this.#streamEnded(operation, request));
    if (isStream) this.#operations.leave(id, operation);
  }

  #streamEnded(operation: Operation, request: ModelRequest): void {
    this.#operations.resume(operation.id, operation);
    const { errorType } = request;
    const wait = errorType === undefined ? READ_MS : FAILED_MS;
    setTimeout(() => quietly(() => this.#unread(operation, request, errorType)), wait).unref();
  }

  /** The SDK goes on only while a reader asks for more. It reports nothing if the reader has left. */
  #unread(operation: Operation, request: ModelRequest, errorType: string | undefined): void {
    const { id, run, model, tools } = operation;
    if (this.#operations.get(id) !== operation || model !== request || tools > 0) return;
    if (errorType === undefined) {
      this.#operations.leave(id, operation);
    } else {
      this.#operations.close(id);
      run?.failed(errorType);
    }
  }

  #remember(operation: Operation): void {
    const [oldest] = this.#ended.keys();
    if (this.#ended.size >= ENDED_MAX && oldest !== undefined) this.#ended.delete(oldest);
    this.#ended.set(operation.id, this.#makeTarget(operation.start, 'chat'));
  }

  /** The request was recorded as a success. An answer that turns out to be invalid is counted as a separate error. */
  #failedAfterwards(id: string, error: unknown): void {
    const target = this.#ended.get(id);
    this.#ended.delete(id);
    if (target !== undefined) this.#collector.recordError(target, classifyError(error));
  }

  #makeTarget({ provider, modelId }: StartEventLike, operation: LlmOperation): LlmTarget {
    return { model: String(modelId ?? ''), provider: resolveProvider(provider, this.#providers), operation };
  }
}
