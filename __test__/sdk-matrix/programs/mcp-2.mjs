import { instrumentMcpClient, instrumentMcpServer } from '@llm-devops/prometheus-metrics/mcp';
import { Client } from '@modelcontextprotocol/client';
import { InMemoryTransport, McpServer } from '@modelcontextprotocol/server';
import { fails, measured } from './measured.mjs';

await measured(async ({ agents }) => {
  const server = new McpServer({ name: 'tools', version: '1' });
  server.registerTool('add', {}, () => ({ content: [{ type: 'text', text: '3' }] }));
  server.registerTool('fail', {}, () => ({ content: [{ type: 'text', text: 'no luck' }], isError: true }));
  const client = new Client({ name: 'tester', version: '1' });
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
