import { instrumentMcpClient, instrumentMcpServer } from '@llm-devops/prometheus-metrics/mcp';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { fails, measured } from './measured.mjs';

await measured(async ({ agents }) => {
  const server = new Server({ name: 'tools', version: '1' }, { capabilities: { tools: {} } });
  const inputSchema = { type: 'object' };
  server.setRequestHandler(ListToolsRequestSchema, async () => ({
    tools: [
      { name: 'add', inputSchema },
      { name: 'fail', inputSchema },
    ],
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params: { name } }) => {
    if (name === 'add') return { content: [{ type: 'text', text: '3' }] };
    if (name === 'fail') return { content: [{ type: 'text', text: 'no luck' }], isError: true };
    throw Object.assign(new Error(`Unknown tool: ${name}`), { code: -32602 });
  });
  const client = new Client({ name: 'tester', version: '1' }, { capabilities: {} });
  const uninstall = [
    instrumentMcpServer(server, { collector: agents }),
    instrumentMcpClient(client, { collector: agents }),
  ];
  const [near, far] = InMemoryTransport.createLinkedPair();
  await Promise.all([server.connect(far), client.connect(near)]);
  await client.listTools();
  await client.callTool({ name: 'add', arguments: {} });
  await client.callTool({ name: 'fail', arguments: {} });
  await fails(client.callTool({ name: 'made_up', arguments: {} }));
  for (const end of uninstall) end();
  await client.callTool({ name: 'add', arguments: {} });
  await client.close();
});
