/**
 * Instruments a client of the Model Context Protocol: counts and times its tool calls as an agent's, by `callTool` and
 * `listTools`, and all of its requests as operations, by the messages of its transports.
 */
import type { AgentMetricsCollector } from '../../collectors/agent/agent-collector';
import { settled } from '../../collectors/agent/execution';
import { refuseOption } from '../../errors';
import { checkOptionNames, optionNames } from '../../options';
import { read, readText } from '../../read';
import { quietly, warnOnce } from '../../warnings';
import { type InstrumentAgentsOptions, resolveAgentCollector } from '../agent-options';
import { agentByName, ToolCall } from '../agents/tool-call';
import type { Uninstall } from '../options';
import { type Original, Patches } from '../patches';
import { measureConnections } from './connections';
import { classifyError, classifyResult } from './failure';

/** The part of the SDK's `Client` that is used. */
export interface McpClientLike {
  callTool(...args: never[]): Promise<unknown>;
  listTools?(...args: never[]): Promise<unknown>;
}

/** Options of `instrumentMcpClient()`. */
export interface InstrumentMcpClientOptions extends InstrumentAgentsOptions {
  /**
   * The `agent_type` of calls that are made outside of an execution.
   *
   * @default the server's name, or the client's if the server has none
   */
  agentType?: string | undefined;
}

const OPTIONS = optionNames<InstrumentMcpClientOptions>('instrumentMcpClient', { collector: true, agentType: true });

/** Tool names of a server that are remembered. */
const LISTED_MAX = 10_000;

/**
 * Counts and times the tool calls of a client. A call counts for the execution in which it is made, or else for the agent
 * that `agentType` names.
 *
 * @returns a function that ends the measuring and restores the client's methods
 * @throws {ConfigurationError} `INVALID_CONFIG` for an invalid option, or if `client` is not an object
 *
 * @example
 * const client = new Client({ name: 'researcher', version: '1.0.0' });
 * const uninstall = instrumentMcpClient(client);
 */
export function instrumentMcpClient(client: McpClientLike, options: InstrumentMcpClientOptions = {}): Uninstall {
  checkOptionNames(options, OPTIONS);
  const collector = resolveAgentCollector(options);
  const { agentType } = options;
  if (agentType !== undefined && typeof agentType !== 'string') refuseOption('a name', 'agentType', agentType);
  if (typeof client !== 'object' || client === null) refuseOption('an MCP client', 'client', client);
  const calls = new Calls(collector, agentType);
  const patches = new Patches(collector);
  if (!patches.wrap(client, 'callTool', (original, args, self) => calls.call(original, args, self))) {
    warnOnce('Expected the MCP client to have callTool(); its calls are not measured');
    return patches.uninstall;
  }
  patches.wrap(client, 'listTools', (original) => {
    return settled(original, (_, list) => calls.listed(read(list, 'tools')));
  });
  const uninstallOperations = measureConnections(client, {
    side: 'client',
    collector,
    serverName: () => readText(readServer(client), 'name'),
    hasTarget: () => false,
  });
  return () => {
    uninstallOperations?.();
    patches.uninstall();
  };
}

/** The tool calls of one client. */
class Calls {
  readonly #collector: AgentMetricsCollector;
  readonly #agentType: string | undefined;
  /** Tools that the server has listed. A failed call of any other name may be an invention of the model. */
  readonly #listed = new Set<string>();

  constructor(collector: AgentMetricsCollector, agentType: string | undefined) {
    this.#collector = collector;
    this.#agentType = agentType;
  }

  listed(tools: unknown): void {
    if (!Array.isArray(tools)) return;
    for (const tool of tools) {
      if (this.#listed.size < LISTED_MAX) this.#listed.add(String(read(tool, 'name')));
    }
  }

  call(original: Original, [params, , options]: readonly unknown[], client: unknown): unknown {
    const call = quietly(() => this.#begin(params, client));
    if (call === undefined) return original();
    return settled(original, (failure, result) => {
      const error =
        failure === undefined ? classifyResult(result) : classifyError(failure.error, read(options, 'signal'));
      if (error === undefined) call.end();
      else call.fail(error);
    });
  }

  #begin(params: unknown, client: unknown): ToolCall {
    const name = String(read(params, 'name'));
    // A tool is registered when it is called, not when it is listed: a server may list more tools than the label allows.
    if (this.#listed.has(name)) this.#collector.registerTool(name);
    const user = this.#collector.current() ?? agentByName(this.#collector, this.#agentType ?? readServerName(client));
    return new ToolCall(user, name, () => read(params, 'arguments') ?? null);
  }
}

/** The server's name, which is known after the client has connected; before that, the client's name. */
function readServerName(client: unknown): string {
  return readText(readServer(client), 'name') ?? readText(read(client, '_clientInfo'), 'name') ?? 'mcp';
}

function readServer(client: unknown): unknown {
  return (client as { getServerVersion?(): unknown }).getServerVersion?.();
}
