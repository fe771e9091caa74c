/**
 * A callback handler for LangChain and LangGraph that turns their events into runs. A root chain is an agent's execution;
 * the runs within it belong to that execution. Has the shape of a handler and depends on no LangChain package.
 */
import { classifyErrorText, errorTypeOf } from '../../collectors/error-type';
import type { LlmTarget } from '../../collectors/llm/request';
import type { Outcome } from '../../collectors/words';
import { refuseOption } from '../../errors';
import { checkOptionNames, optionNames } from '../../options';
import { read, readText } from '../../read';
import { quietly } from '../../warnings';
import {
  type CheckedFrameworkOptions,
  checkFrameworkOptions,
  type InstrumentFrameworkOptions,
} from '../agents/options';
import { agentRun, modelRun, partRun, type Run, stepRun, toolRun } from '../agents/run';
import { getRuns, type RunPlace, type Runs } from '../agents/runs';
import { ModelAnswer } from './answer';
import { type ModelStart, readTarget } from './model';
import { type Following, isWrapper, Wrappers } from './wrappers';

/** Options of `createLangChainHandler()`. */
export interface LangChainHandlerOptions extends InstrumentFrameworkOptions {
  /** Names of nested runs that are agents of their own, such as a graph used as another graph's node. @default [] */
  agents?: readonly string[] | undefined;
}

const OPTIONS = optionNames<LangChainHandlerOptions>('createLangChainHandler', {
  collector: true,
  provider: true,
  providers: true,
  llm: true,
  agentType: true,
  agents: true,
});

/**
 * Makes a callback handler that measures agents, requests to models, tool calls and retrievals of LangChain and LangGraph.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` for an invalid option
 *
 * @example
 * const handler = createLangChainHandler();
 * await graph.invoke({ messages }, { callbacks: [handler], runName: 'researcher' });
 */
export function createLangChainHandler(options: LangChainHandlerOptions = {}): LangChainHandler {
  checkOptionNames(options, OPTIONS);
  const framework = checkFrameworkOptions(options);
  const { agents = [] } = options;
  if (!Array.isArray(agents)) refuseOption('a list of names', 'agents', agents);
  return new LangChainHandler(framework, new Set(agents));
}

/** An open request to a model. */
interface Request {
  readonly target: LlmTarget;
  /** The failed request that it follows. */
  readonly follows: Following | undefined;
  readonly answer: ModelAnswer;
}

/** A callback handler, as LangChain expects it. */
export class LangChainHandler {
  readonly name = 'llmdevops_prometheus_metrics';
  /** If false, LangChain calls handlers later from a queue, outside of the execution's async context. */
  readonly awaitHandlers = true;
  readonly raiseError = false;
  readonly ignoreLLM = false;
  readonly ignoreChain = false;
  readonly ignoreAgent = false;
  readonly ignoreRetriever = false;
  readonly ignoreCustomEvent = true;
  readonly #framework: CheckedFrameworkOptions;
  readonly #nested: ReadonlySet<string>;
  readonly #runs: Runs;
  readonly #wrappers = new Wrappers();
  readonly #requests = new WeakMap<Run, Request>();

  /** @internal */
  constructor(framework: CheckedFrameworkOptions, nested: ReadonlySet<string>) {
    this.#framework = framework;
    this.#nested = nested;
    this.#runs = getRuns(framework.agents, 'langchain');
  }

  /** Returns the same handler, because it holds no state of a single run. */
  copy(): this {
    return this;
  }

  handleChainStart(
    chain: unknown,
    _inputs: unknown,
    runId: string,
    parentRunId?: string,
    _tags?: unknown,
    metadata?: unknown,
    _runType?: string,
    runName?: string,
  ): void {
    quietly(() => {
      const place = { id: runId, parentId: parentRunId, witness: metadata };
      this.#runs.begin(place, () => {
        const className = readClassName(chain);
        const run = this.#chain(place, className, runName, metadata);
        this.#wrappers.began(run, this.#runs.get(parentRunId), className, runName);
        return run;
      });
    });
  }

  /**
   * A root chain starts an execution, unless it runs within an execution that was started elsewhere. A root that only repeats
   * or replaces a runnable leaves that to the chain it contains: around a model, there is no agent.
   */
  #chain({ parentId }: RunPlace, className: string, runName: string | undefined, metadata: unknown): Run {
    const { agents, agentType } = this.#framework;
    const running = this.#runs.executionAt(parentId, agents);
    const parent = this.#runs.get(parentId);
    const around = parent?.execution === undefined ? this.#wrappers.of(parent) : undefined;
    const isRoot = parent === undefined || around !== undefined;
    const named = isRoot ? readText(metadata, 'agent_type') : undefined;
    if (isWrapper(className) && named === undefined) return partRun(running);
    const given = named ?? (isRoot ? agentType : undefined);
    const name = around?.name ?? runName ?? className;
    const isAgent = isRoot
      ? running === undefined || (given ?? running.agentType) !== running.agentType
      : this.#nested.has(name);
    return isAgent ? agentRun(agents.startExecution(given ?? name)) : partRun(running);
  }

  handleChainEnd(_outputs: unknown, runId: string): void {
    quietly(() => this.#runs.end(runId));
  }

  handleChainError(error: unknown, runId: string, parentRunId?: string): void {
    quietly(() => {
      // A graph that waits for a human, or hands control to its parent, throws an error but has not failed.
      if (isBubble(error)) return this.#runs.end(runId);
      this.#runs.fail(runId, isUnparsed(error) ? 'invalid_response' : error);
      this.#wrappers.failed(this.#runs.get(parentRunId));
    });
  }

  handleChatModelStart(
    model: unknown,
    _messages: unknown,
    runId: string,
    parentRunId?: string,
    extra?: unknown,
    _tags?: unknown,
    metadata?: unknown,
  ): void {
    quietly(() => this.#model({ model, extra, metadata }, true, runId, parentRunId));
  }

  handleLLMStart(
    model: unknown,
    _prompts: unknown,
    runId: string,
    parentRunId?: string,
    extra?: unknown,
    _tags?: unknown,
    metadata?: unknown,
  ): void {
    quietly(() => this.#model({ model, extra, metadata }, false, runId, parentRunId));
  }

  #model(start: ModelStart, isChat: boolean, runId: string, parentRunId: string | undefined): void {
    const { agents, llm, resolveProvider } = this.#framework;
    this.#runs.begin({ id: runId, parentId: parentRunId, witness: start.metadata }, () => {
      const execution = this.#runs.executionAt(parentRunId, agents);
      const target = readTarget(start, isChat, resolveProvider);
      const begin = () => llm?.startRequest(target);
      const run = modelRun(execution, execution === undefined ? begin() : execution.within(begin));
      // A client that is instrumented too counts the request instead.
      run.call?.enclose();
      const parent = this.#runs.get(parentRunId);
      this.#wrappers.began(run, parent);
      const follows = this.#wrappers.follow(parent);
      if (follows?.kind === 'retry') llm?.recordRetry(target, follows.type);
      this.#requests.set(run, { target, follows, answer: new ModelAnswer(run.call, start.metadata) });
      return run;
    });
  }

  #request(runId: string): Request | undefined {
    const run = this.#runs.get(runId);
    return run && this.#requests.get(run);
  }

  handleLLMNewToken(
    token: unknown,
    _index: unknown,
    runId: string,
    _parentRunId?: string,
    _tags?: unknown,
    fields?: unknown,
  ): void {
    quietly(() => this.#request(runId)?.answer.token(token, read(fields, 'chunk')));
  }

  handleChatModelStreamEvent(event: unknown, runId: string): void {
    quietly(() => this.#runs.get(runId)?.call?.chunk(read(event, 'event') === 'content-block-delta'));
  }

  handleLLMEnd(result: unknown, runId: string, _parentRunId?: string, _tags?: unknown, extra?: unknown): void {
    quietly(() => {
      const request = this.#request(runId);
      if (read(extra, 'cached') === true) return this.#runs.drop(runId);
      const failure = request?.answer.readFailure(result);
      if (failure === undefined) this.#runs.end(runId, request?.answer.readEnd(result));
      else this.#runs.fail(runId, failure, request?.answer.readEnd(result));
      this.#replaced(request, failure === undefined ? 'success' : 'error');
    });
  }

  handleLLMError(error: unknown, runId: string, parentRunId?: string): void {
    quietly(() => {
      const run = this.#runs.get(runId);
      const request = this.#request(runId);
      this.#runs.fail(runId, classifyModelError(error));
      if (run === undefined || request === undefined) return;
      this.#replaced(request, 'error');
      this.#wrappers.requestFailed(run, request.target, run.call?.outcome?.errorType ?? 'other');
      this.#wrappers.failed(this.#runs.get(parentRunId));
    });
  }

  /** Records that a request went to another model because the first one failed. */
  #replaced(request: Request | undefined, status: Outcome): void {
    if (request?.follows?.kind !== 'fallbacks') return;
    this.#framework.llm?.recordFallback(request.follows.target.model, request.target.model, status);
  }

  handleToolStart(
    tool: unknown,
    input: unknown,
    runId: string,
    parentRunId?: string,
    _tags?: unknown,
    metadata?: unknown,
    runName?: string,
  ): void {
    quietly(() => {
      const { agents } = this.#framework;
      const name = runName ?? readClassName(tool);
      this.#runs.begin({ id: runId, parentId: parentRunId, witness: metadata }, () => {
        // The tool exists: the graph answers calls of unknown tools itself, without starting a tool run.
        agents.registerTool(name);
        return toolRun(this.#runs.executionAt(parentRunId, agents), name, () => input);
      });
    });
  }

  handleToolEnd(output: unknown, runId: string): void {
    quietly(() => {
      if (read(output, 'status') === 'error') this.#runs.fail(runId, 'tool_error');
      else this.#runs.end(runId);
    });
  }

  handleToolError(error: unknown, runId: string): void {
    // A tool that waits for a human is called again when the graph resumes.
    quietly(() => (isBubble(error) ? this.#runs.drop(runId) : this.#runs.fail(runId, error)));
  }

  handleRetrieverStart(
    _retriever: unknown,
    _query: unknown,
    runId: string,
    parentRunId?: string,
    _tags?: unknown,
    metadata?: unknown,
  ): void {
    quietly(() => {
      this.#runs.begin({ id: runId, parentId: parentRunId, witness: metadata }, () =>
        stepRun(this.#runs.executionAt(parentRunId, this.#framework.agents), 'retrieval'),
      );
    });
  }

  handleRetrieverEnd(_documents: unknown, runId: string): void {
    quietly(() => this.#runs.end(runId));
  }

  handleRetrieverError(error: unknown, runId: string): void {
    quietly(() => this.#runs.fail(runId, error));
  }
}

/** Some provider packages keep only the text of the error beneath. */
function classifyModelError(error: unknown): string {
  const type = errorTypeOf(error);
  return type === 'other' ? (classifyErrorText(readText(error, 'message') ?? '') ?? type) : type;
}

/** True for an answer that a parser of structured output rejects. */
function isUnparsed(error: unknown): boolean {
  return read(error, 'lc_error_code') === 'OUTPUT_PARSING_FAILURE';
}

/** The class name of an object that LangChain serialized: the last part of its `id` path. */
function readClassName(serialized: unknown): string {
  const path = read(serialized, 'id');
  return Array.isArray(path) && path.length > 0 ? String(path.at(-1)) : 'other';
}

/** True for an error that only passes control up to the parent graph. */
function isBubble(error: unknown): boolean {
  return read(error, 'is_bubble_up') === true;
}
