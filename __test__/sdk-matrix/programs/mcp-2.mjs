import { Client } from '@modelcontextprotocol/client';
import { InMemoryTransport, McpServer } from '@modelcontextprotocol/server';
import { callTools, RESULTS } from './mcp-calls.mjs';

await callTools(() => {
  const server = new McpServer({ name: 'tools', version: '1' });
  for (const [name, result] of Object.entries(RESULTS)) server.registerTool(name, {}, () => result);
  const client = new Client({ name: 'tester', version: '1' });
  const [near, far] = InMemoryTransport.createLinkedPair();
  return { client, server, near, far };
});
