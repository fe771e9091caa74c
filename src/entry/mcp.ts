/**
 * Exports the instrumentation of clients and servers of the Model Context Protocol.
 */
export {
  type InstrumentMcpClientOptions,
  instrumentMcpClient,
  type McpClientLike,
} from '../instrumentation/mcp/client';
export {
  type InstrumentMcpServerOptions,
  instrumentMcpServer,
  type McpServerLike,
} from '../instrumentation/mcp/server';
export type { Uninstall } from '../instrumentation/options';
