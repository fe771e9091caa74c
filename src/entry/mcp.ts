/**
 * What measures clients of the Model Context Protocol, and nothing else.
 */
export {
  type InstrumentMcpClientOptions,
  instrumentMcpClient,
  type McpClientLike,
} from '../instrumentation/mcp/client';
export type { Uninstall } from '../instrumentation/options';
