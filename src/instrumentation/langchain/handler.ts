/**
 * A callback handler of LangChain and LangGraph: turns their events into runs. A root chain is an agent's execution, what it
 * begins is part of it. Has the handlers' shape and depends on none of their packages.
 */
import { refuseOption } from '../../errors';
import { quietly } from '../../quietly';
import { read, readText } from '../../read';
import {
  type CheckedFrameworkOptions,
  checkFrameworkOptions,
  type InstrumentFrameworkOptions,
} from '../agents/options';
import { agentRun, modelRun, partRun, type Run, stepRun, toolRun } from '../agents/run';
import { getRuns, type RunPlace, type Runs } from '../agents/runs';
import { hasContent, type ModelStart, readEnd, readTarget } from './model';

export interface LangChainHandlerOptions extends InstrumentFrameworkOptions {
  /** Names of runs within others that are agents themselves: a graph that is another's node. @default none */
  agents?: readonly string[] | undefined;
}

/**
 * A callback handler that measures what LangChain and LangGraph do.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG`
 *
 * @example
 * const handler = createLangChainHandler();
 * await graph.invoke({ messages }, { callbacks: [handler], runName: 'researcher' });
 */
export function createLangChainHandler(options: LangChainHandlerOptions = {}): LangChainHandler {
  const framework = checkFrameworkOptions(options);
  const { agents = [] } = options;
  if (!Array.isArray(agents)) refuseOption('a list of names', 'agents', agents);
  return new LangChainHandler(framework, new Set(agents));
}

/** What LangChain takes for a callback handler. */
export class LangChainHandler {
  readonly name = 'llmdevops_prometheus_metrics';
  /** Awaited, handlers are called at once and where it happens; else from a queue, late, and knowing of no execution. */
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

  /** Handlers hold no state of one run: a copy is the same. */
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

  /** A root chain is an agent's, unless it runs within an execution that has begun outside. */
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
    // A graph that waits for a human, or hands over to its parent, throws without having failed.
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
      return modelRun(execution, execution === undefined ? begin() : execution.within(begin));
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
        // What is called exists: a name that the model made up is answered by the graph, and begins nothing.
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

/** The name of a class that LangChain has serialised: the last part of where it stands. */
function readClassName(serialized: unknown): string {
  const path = read(serialized, 'id');
  return Array.isArray(path) && path.length > 0 ? String(path.at(-1)) : 'other';
}

/** Whether what was thrown only carries a graph's control upwards. */
function isBubble(error: unknown): boolean {
  return read(error, 'is_bubble_up') === true;
}
