/**
 * Instruments a server of the Model Context Protocol: counts and times the requests of its clients.
 */
import { refuseOption } from '../../errors';
import { checkOptionNames, optionNames } from '../../options';
import { read, readText } from '../../read';
import { warnOnce } from '../../warnings';
import { type InstrumentAgentsOptions, resolveAgentCollector } from '../agent-options';
import type { Uninstall } from '../options';
import { measureConnections } from './connections';

/** The part of the SDK's `McpServer` and `Server` that is used. */
export interface McpServerLike {
  connect(...args: never[]): Promise<unknown>;
}

/** Options of `instrumentMcpServer()`. */
export interface InstrumentMcpServerOptions extends InstrumentAgentsOptions {
  /** The value of the label `server`. @default the server's name */
  name?: string | undefined;
}

const OPTIONS = optionNames<InstrumentMcpServerOptions>('instrumentMcpServer', { collector: true, name: true });

/**
 * Counts and times the requests that a server answers, over each transport that it is connected to.
 *
 * @returns a function that ends the measuring and restores the server
 * @throws {ConfigurationError} `INVALID_CONFIG` for an invalid option, or if `server` is not an object
 *
 * @example
 * const server = new McpServer({ name: 'weather', version: '1.0.0' });
 * const uninstall = instrumentMcpServer(server);
 */
export function instrumentMcpServer(server: McpServerLike, options: InstrumentMcpServerOptions = {}): Uninstall {
  checkOptionNames(options, OPTIONS);
  const collector = resolveAgentCollector(options);
  const { name } = options;
  if (name !== undefined && typeof name !== 'string') refuseOption('a name', 'name', name);
  if (typeof server !== 'object' || server === null) refuseOption('an MCP server', 'server', server);
  const within = read(server, 'server');
  const peer = typeof read(within, 'connect') === 'function' ? (within as object) : server;
  const uninstall = measureConnections(peer, {
    side: 'server',
    collector,
    serverName: () => name ?? readText(read(peer, '_serverInfo'), 'name'),
    hasTarget: (method, target) => {
      const registered = read(server, method === 'tools/call' ? '_registeredTools' : '_registeredPrompts');
      return typeof registered === 'object' && registered !== null && Object.hasOwn(registered, target);
    },
  });
  if (uninstall !== undefined) return uninstall;
  warnOnce('Expected the MCP server to have connect(); its operations are not measured');
  return () => {};
}
