import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { callTools, RESULTS } from './mcp-calls.mjs';

await callTools(() => {
  const server = new Server({ name: 'tools', version: '1' }, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, async () => ({
    tools: Object.keys(RESULTS).map((name) => ({ name, inputSchema: { type: 'object' } })),
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params: { name } }) => {
    if (Object.hasOwn(RESULTS, name)) return RESULTS[name];
    throw Object.assign(new Error(`Unknown tool: ${name}`), { code: -32602 });
  });
  const client = new Client({ name: 'tester', version: '1' }, { capabilities: {} });
  const [near, far] = InMemoryTransport.createLinkedPair();
  return { client, server, near, far };
});
