/**
 * Exports the instrumentation of clients of the Model Context Protocol.
 */
export {
  type InstrumentMcpClientOptions,
  instrumentMcpClient,
  type McpClientLike,
} from '../instrumentation/mcp/client';
export type { Uninstall } from '../instrumentation/options';
