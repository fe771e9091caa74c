/**
 * Calls of tools by a client of the Model Context Protocol. Knows of its SDK only two methods and two look-ups; transports,
 * resources and prompts are none of its business.
 */
import type { AgentMetricsCollector } from '../../collectors/agent/agent-collector';
import { settled } from '../../collectors/agent/execution';
import { refuseOption } from '../../errors';
import { quietly, warnOnce } from '../../quietly';
import { read } from '../../read';
import { type InstrumentAgentsOptions, resolveAgentCollector } from '../agent-options';
import { agentByName, ToolCall } from '../agents/tool-call';
import type { Uninstall } from '../options';
import { isWrapped, type Original, Patches } from '../patches';
import { classifyError, classifyResult } from './failure';

/** What is used of the SDK's `Client`. */
export interface McpClientLike {
  callTool(...args: never[]): Promise<unknown>;
  listTools?(...args: never[]): Promise<unknown>;
}

export interface InstrumentMcpClientOptions extends InstrumentAgentsOptions {
  /** Which agent calls outside of a running execution count for. @default the server's name, else the client's */
  agentType?: string | undefined;
}

/** Tools of a server that are remembered. */
const LISTED_MAX = 10_000;

/**
 * Counts and times the calls of tools that a client makes: for the execution that is running where one is made, or else for
 * an agent by name.
 *
 * @returns puts the client back as it was
 * @throws {ConfigurationError} `INVALID_CONFIG`
 *
 * @example
 * const client = new Client({ name: 'researcher', version: '1.0.0' });
 * const uninstall = instrumentMcpClient(client);
 */
export function instrumentMcpClient(client: McpClientLike, options: InstrumentMcpClientOptions = {}): Uninstall {
  const collector = resolveAgentCollector(options);
  const { agentType } = options;
  if (agentType !== undefined && typeof agentType !== 'string') refuseOption('a name', 'agentType', agentType);
  if (typeof client !== 'object' || client === null) refuseOption('a client', 'client', client);
  const calls = new Calls(collector, agentType);
  const patches = new Patches();
  if (!patches.wrap(client, 'callTool', (original, args, self) => calls.call(original, args, self))) {
    if (!isWrapped(client.callTool)) warnOnce('The MCP client has no callTool(): its calls are not measured');
    return patches.uninstall;
  }
  patches.wrap(client, 'listTools', (original) => {
    return settled(original, (_, list) => calls.listed(read(list, 'tools')));
  });
  return patches.uninstall;
}

/** What is counted of one client. */
class Calls {
  readonly #collector: AgentMetricsCollector;
  readonly #agentType: string | undefined;
  /** The names that the server says exist: others that fail may be the model's invention. */
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
    // Only tools that are called take a place among the names: a server may list more than there are places.
    if (this.#listed.has(name)) this.#collector.registerTool(name);
    const user = this.#collector.current() ?? agentByName(this.#collector, this.#agentType ?? readServerName(client));
    return new ToolCall(user, name, () => read(params, 'arguments') ?? null);
  }
}

/** The server's name, which is known once the client is connected, or the client's. */
function readServerName(client: unknown): string {
  const { getServerVersion } = client as { getServerVersion?(): unknown };
  const server = read(getServerVersion?.call(client), 'name') ?? read(read(client, '_clientInfo'), 'name');
  return typeof server === 'string' ? server : 'mcp';
}
