/**
 * A callback handler for LangChain and LangGraph that turns their events into runs. A root chain is an agent's execution;
 * the runs within it belong to that execution. Has the shape of a handler and depends on no LangChain package.
 */
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
import { hasContent, type ModelStart, readEnd, readTarget } from './model';

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
      this.#runs.begin(place, () => this.#chain(place, runName ?? readClassName(chain), metadata));
    });
  }

  /** A root chain starts an execution, unless it runs within an execution that was started elsewhere. */
  #chain({ parentId }: RunPlace, name: string, metadata: unknown): Run {
    const { agents, agentType } = this.#framework;
    const running = this.#runs.executionAt(parentId, agents);
    const isRoot = this.#runs.get(parentId) === undefined;
    const given = isRoot ? (readText(metadata, 'agent_type') ?? agentType) : undefined;
    const isAgent = isRoot
      ? running === undefined || (given ?? running.agentType) !== running.agentType
      : this.#nested.has(name);
    return isAgent ? agentRun(agents.startExecution(given ?? name)) : partRun(running);
  }

  handleChainEnd(_outputs: unknown, runId: string): void {
    quietly(() => this.#runs.end(runId));
  }

  handleChainError(error: unknown, runId: string): void {
    // A graph that waits for a human, or hands control to its parent, throws an error but has not failed.
    quietly(() => (isBubble(error) ? this.#runs.end(runId) : this.#runs.fail(runId, error)));
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
      const begin = () => llm?.startRequest(readTarget(start, isChat, resolveProvider));
      const call = execution === undefined ? begin() : execution.within(begin);
      // A client that is instrumented too counts the request instead.
      call?.enclose();
      return modelRun(execution, call);
    });
  }

  handleLLMNewToken(
    token: unknown,
    _index: unknown,
    runId: string,
    _parentRunId?: string,
    _tags?: unknown,
    fields?: unknown,
  ): void {
    quietly(() => this.#runs.get(runId)?.call?.chunk(hasContent(token, read(fields, 'chunk'))));
  }

  handleChatModelStreamEvent(event: unknown, runId: string): void {
    quietly(() => this.#runs.get(runId)?.call?.chunk(read(event, 'event') === 'content-block-delta'));
  }

  handleLLMEnd(result: unknown, runId: string, _parentRunId?: string, _tags?: unknown, extra?: unknown): void {
    quietly(() => {
      if (read(extra, 'cached') === true) this.#runs.drop(runId);
      else this.#runs.end(runId, readEnd(result));
    });
  }

  handleLLMError(error: unknown, runId: string): void {
    quietly(() => this.#runs.fail(runId, error));
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

/** The class name of an object that LangChain serialized: the last part of its `id` path. */
function readClassName(serialized: unknown): string {
  const path = read(serialized, 'id');
  return Array.isArray(path) && path.length > 0 ? String(path.at(-1)) : 'other';
}

/** True for an error that only passes control up to the parent graph. */
function isBubble(error: unknown): boolean {
  return read(error, 'is_bubble_up') === true;
}
