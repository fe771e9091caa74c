// Tests several instrumentations of one MCP client or server: each collector counts an operation and a tool call once, and goes
// on until its last instrumentation is removed.

import { instrumentMcpClient, instrumentMcpServer } from '@llm-devops/prometheus-metrics/mcp';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import test from 'ava';
import { toolServer } from './support/mcp-server.mjs';
import { collectors, recorded } from './support/recorded.mjs';

async function connected(t) {
  const [client, server] = [new Client({ name: 'c', version: '1' }), toolServer()];
  t.teardown(() => client.close());
  const connect = async () => {
    const [ofClient, ofServer] = InMemoryTransport.createLinkedPair();
    await server.connect(ofServer);
    await client.connect(ofClient);
  };
  const call = () => client.callTool({ name: 'echo', arguments: { text: 'x' } });
  return { client, server, connect, call };
}

/** How many calls of the tool were counted, as an agent's and as operations of one side. */
async function counts(registry, side) {
  const lines = (await recorded(registry)).filter((line) => line.includes('echo'));
  const total = (pattern) =>
    lines
      .filter((line) => pattern.test(line))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  const operations = total(new RegExp(`^mcp_${side}_operation\\w*_total\\{|^mcp_${side}_operation\\w*_count\\{`));
  return { calls: total(/^agent_tool_calls_total/), operations };
}

for (const [side, instrument] of [
  ['client', instrumentMcpClient],
  ['server', instrumentMcpServer],
]) {
  for (const late of [false, true]) {
    test(`a ${side} that is instrumented ${late ? 'after' : 'before'} it connects, twice and for two collectors`, async (t) => {
      const peers = await connected(t);
      if (late) await peers.connect();
      const [first, second] = [collectors(), collectors()];
      const install = ({ agents }) => instrument(peers[side], { collector: agents });
      const uninstalls = [install(first), install(second), install(first)];
      if (!late) await peers.connect();
      const expected = [0, 0];
      const step = async (...counted) => {
        await peers.call();
        for (const [index, { registry }] of [first, second].entries()) {
          if (counted.includes(index)) expected[index]++;
          const { calls, operations } = await counts(registry, side);
          if (side === 'client') t.is(calls, expected[index]);
          t.true(operations >= expected[index] && operations % Math.max(1, expected[index]) === 0, `${operations}`);
          t.is(operations > 0, expected[index] > 0);
        }
        return Promise.all([first, second].map(async ({ registry }) => (await counts(registry, side)).operations));
      };
      await step(0, 1);
      uninstalls[0]();
      await step(0, 1);
      uninstalls[1]();
      const before = await step(0);
      uninstalls[2]();
      t.deepEqual(await step(), before);
    });
  }
}
