// Lets an instrumented client call the tools of an instrumented server: `add`, `fail`, and one that the server does not have.

import { instrumentMcpClient, instrumentMcpServer } from '@llm-devops/prometheus-metrics/mcp';
import { fails, measured } from './measured.mjs';

/** @param connect makes a client, a server with both tools, and transports: the near one for the client */
export const callTools = (connect) =>
  measured(async ({ agents }) => {
    const { client, server, near, far } = connect();
    const uninstall = [
      instrumentMcpServer(server, { collector: agents }),
      instrumentMcpClient(client, { collector: agents }),
    ];
    await Promise.all([server.connect(far), client.connect(near)]);
    await client.listTools();
    await client.callTool({ name: 'add', arguments: {} });
    await client.callTool({ name: 'fail', arguments: {} });
    await fails(client.callTool({ name: 'made_up', arguments: {} }));
    for (const end of uninstall) end();
    await client.callTool({ name: 'add', arguments: {} });
    await client.close();
  });

/** What the tools return. */
export const RESULTS = {
  add: { content: [{ type: 'text', text: '3' }] },
  fail: { content: [{ type: 'text', text: 'no luck' }], isError: true },
};
