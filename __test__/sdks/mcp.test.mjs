// Tests tool calls over the Model Context Protocol with a real client and a real server, in one process, over HTTP and
// over stdio.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { AgentMetricsCollector } from '@llm-devops/prometheus-metrics';
import { instrumentMcpClient } from '@llm-devops/prometheus-metrics/mcp';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import test from 'ava';
import { toolServer } from './support/mcp-server.mjs';
import { collectors, recorded as recordedLines } from './support/recorded.mjs';
import { timedOutIn } from './support/signals.mjs';

/** The recorded lines of agents. `mcp-operations.test.mjs` tests those of operations. */
const recorded = async (registry) => (await recordedLines(registry)).filter((line) => !line.startsWith('mcp_'));

async function connected(t, options = {}, server = toolServer()) {
  const [near, far] = InMemoryTransport.createLinkedPair();
  const client = new Client({ name: 'tester', version: '1.0.0' });
  const { registry, agents } = collectors(options.agents ? { agents: options.agents } : {});
  const uninstall = instrumentMcpClient(client, { collector: agents, ...options.instrument });
  await Promise.all([server.connect(far), client.connect(near)]);
  t.teardown(() => client.close());
  return { client, server, registry, agents, uninstall };
}

const call = (client, name, args = {}, options) => client.callTool({ name, arguments: args }, undefined, options);

test('a call outside of an execution counts for the server', async (t) => {
  const { client, registry } = await connected(t);
  const result = await call(client, 'add', { a: 1, b: 2 });
  t.deepEqual(result.content, [{ type: 'text', text: '3' }]);
  t.deepEqual(await recorded(registry), [
    'agent_tool_calls_total{agent_type="tools",tool_name="add",status="success"} 1',
    'agent_tool_call_duration_seconds_count{agent_type="tools",tool_name="add"} 1',
  ]);
});

test('a call outside of an execution counts for the named agent', async (t) => {
  const { client, registry } = await connected(t, { instrument: { agentType: 'bot' } });
  await call(client, 'add', { a: 1, b: 2 });
  t.deepEqual(await recorded(registry), [
    'agent_tool_calls_total{agent_type="bot",tool_name="add",status="success"} 1',
    'agent_tool_call_duration_seconds_count{agent_type="bot",tool_name="add"} 1',
  ]);
});

test('a call within an execution counts for it; parallel and nested calls for the innermost; repeats are counted', async (t) => {
  const { client, registry, agents } = await connected(t);
  await agents.run('outer', async () => {
    await Promise.all([
      call(client, 'add', { a: 1, b: 1 }),
      agents.run('inner', () => call(client, 'add', { a: 2, b: 2 })),
      call(client, 'add', { a: 3, b: 3 }),
    ]);
    await call(client, 'echo', { text: 'x' });
    await call(client, 'echo', { text: 'x' });
  });
  t.deepEqual(await recorded(registry), [
    'agent_executions_total{agent_type="outer",status="success"} 1',
    'agent_executions_total{agent_type="inner",status="success"} 1',
    'agent_execution_duration_seconds_count{agent_type="inner"} 1',
    'agent_execution_duration_seconds_count{agent_type="outer"} 1',
    'agent_steps_per_execution_count{agent_type="inner"} 1',
    'agent_steps_per_execution_count{agent_type="outer"} 1',
    'agent_model_calls_per_execution_count{agent_type="inner"} 1',
    'agent_model_calls_per_execution_count{agent_type="outer"} 1',
    'agent_tool_calls_per_execution_sum{agent_type="inner"} 1',
    'agent_tool_calls_per_execution_count{agent_type="inner"} 1',
    'agent_tool_calls_per_execution_sum{agent_type="outer"} 4',
    'agent_tool_calls_per_execution_count{agent_type="outer"} 1',
    'agent_tool_calls_total{agent_type="outer",tool_name="add",status="success"} 2',
    'agent_tool_calls_total{agent_type="inner",tool_name="add",status="success"} 1',
    'agent_tool_calls_total{agent_type="outer",tool_name="echo",status="success"} 2',
    'agent_tool_call_duration_seconds_count{agent_type="outer",tool_name="add"} 2',
    'agent_tool_call_duration_seconds_count{agent_type="inner",tool_name="add"} 1',
    'agent_tool_call_duration_seconds_count{agent_type="outer",tool_name="echo"} 2',
    'agent_repeated_tool_calls_total{agent_type="outer"} 1',
  ]);
});

/** The samples of one failed call for the server `tools`. */
function failed(tool, status, error) {
  return [
    `agent_tool_calls_total{agent_type="tools",tool_name="${tool}",status="${status}"} 1`,
    `agent_tool_call_duration_seconds_count{agent_type="tools",tool_name="${tool}"} 1`,
    `agent_errors_total{agent_type="tools",error_type="${error}"} 1`,
  ];
}

test('a tool that fails answers, and counts under its name after it was listed', async (t) => {
  const { client, registry } = await connected(t);
  await client.listTools();
  const result = await call(client, 'fail', { message: 'no luck' });
  t.true(result.isError);
  t.deepEqual(await recorded(registry), failed('fail', 'error', 'tool_error'));
});

test('an unknown tool that fails counts as other', async (t) => {
  const { client, registry } = await connected(t);
  await call(client, 'fail', { message: 'no luck' });
  t.deepEqual(await recorded(registry), failed('other', 'error', 'tool_error'));
});

test('a tool that does not exist', async (t) => {
  const { client, registry } = await connected(t);
  await client.listTools();
  t.true((await call(client, 'made_up')).isError);
  t.deepEqual(await recorded(registry), failed('other', 'error', 'unknown_tool'));
});

test('a call that is aborted before it and during it', async (t) => {
  const { client, registry } = await connected(t, { agents: { tools: ['hang'] } });
  const abort = new AbortController();
  const pending = call(client, 'hang', {}, { signal: abort.signal });
  abort.abort();
  const error = await t.throwsAsync(pending);
  t.is(error.code, -32001);
  await t.throwsAsync(call(client, 'hang', {}, { signal: abort.signal }));
  t.deepEqual(await recorded(registry), [
    'agent_tool_calls_total{agent_type="tools",tool_name="hang",status="cancelled"} 2',
    'agent_tool_call_duration_seconds_count{agent_type="tools",tool_name="hang"} 2',
    'agent_errors_total{agent_type="tools",error_type="cancelled"} 2',
  ]);
});

test('a call that takes too long, by the SDK and by a signal', async (t) => {
  const { client, registry } = await connected(t, { agents: { tools: ['hang'] } });
  t.is((await t.throwsAsync(call(client, 'hang', {}, { timeout: 5 }))).code, -32001);
  await t.throwsAsync(call(client, 'hang', {}, { signal: timedOutIn(5) }));
  t.deepEqual(await recorded(registry), [
    'agent_tool_calls_total{agent_type="tools",tool_name="hang",status="timeout"} 2',
    'agent_tool_call_duration_seconds_count{agent_type="tools",tool_name="hang"} 2',
    'agent_errors_total{agent_type="tools",error_type="timeout"} 2',
  ]);
});

test('a connection that closes, and one that is closed', async (t) => {
  const { client, server, registry } = await connected(t, { agents: { tools: ['hang'] } });
  const pending = call(client, 'hang');
  await server.close();
  t.is((await t.throwsAsync(pending)).code, -32000);
  await t.throwsAsync(call(client, 'hang'), { message: 'Not connected' });
  t.deepEqual(await recorded(registry), [
    'agent_tool_calls_total{agent_type="tools",tool_name="hang",status="error"} 2',
    'agent_tool_call_duration_seconds_count{agent_type="tools",tool_name="hang"} 2',
    'agent_errors_total{agent_type="tools",error_type="connection"} 2',
  ]);
});

const CODES = [
  [-32700, 'bad', 'invalid_response'],
  [-32603, 'bad', 'server_error'],
  [-32602, 'bad', 'invalid_request'],
  [-32602, 'Unknown tool: strict', 'unknown_tool'],
  [-32601, 'bad', 'not_found'],
  [-32600, 'bad', 'invalid_request'],
  [-32042, 'bad', 'tool_error'],
];

for (const [code, message, type] of CODES) {
  test(`an error of the protocol: ${code} ${message}`, async (t) => {
    const server = new Server({ name: 'tools', version: '1.0.0' }, { capabilities: { tools: {} } });
    server.setRequestHandler(CallToolRequestSchema, () => {
      throw Object.assign(new Error(message), { code });
    });
    const { client, registry } = await connected(t, {}, server);
    t.is((await t.throwsAsync(call(client, 'strict'))).code, code);
    t.deepEqual(await recorded(registry), failed('other', 'error', type));
  });
}

test('an answer that does not match the schema', async (t) => {
  const server = new Server({ name: 'tools', version: '1.0.0' }, { capabilities: { tools: {} } });
  const outputSchema = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] };
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: [{ name: 'strict', inputSchema: { type: 'object' }, outputSchema }],
  }));
  server.setRequestHandler(CallToolRequestSchema, () => ({ content: [], structuredContent: { n: 'x' } }));
  const { client, registry } = await connected(t, {}, server);
  await client.listTools();
  await t.throwsAsync(call(client, 'strict'));
  t.deepEqual(await recorded(registry), failed('strict', 'error', 'invalid_response'));
});

test('over stdio, in another process', async (t) => {
  const client = new Client({ name: 'tester', version: '1.0.0' });
  const { registry, agents } = collectors({ agents: { tools: ['die'] } });
  instrumentMcpClient(client, { collector: agents });
  const args = [fileURLToPath(new URL('support/mcp-server.mjs', import.meta.url)), 'serve'];
  await client.connect(new StdioClientTransport({ command: process.execPath, args }));
  t.teardown(() => client.close());
  const result = await call(client, 'echo', { text: 'é€😀' });
  t.deepEqual(result.content, [{ type: 'text', text: 'é€😀' }]);
  t.is((await t.throwsAsync(call(client, 'die'))).code, -32000);
  t.deepEqual(await recorded(registry), [
    'agent_tool_calls_total{agent_type="tools",tool_name="echo",status="success"} 1',
    'agent_tool_calls_total{agent_type="tools",tool_name="die",status="error"} 1',
    'agent_tool_call_duration_seconds_count{agent_type="tools",tool_name="echo"} 1',
    'agent_tool_call_duration_seconds_count{agent_type="tools",tool_name="die"} 1',
    'agent_errors_total{agent_type="tools",error_type="connection"} 1',
  ]);
});

test('over HTTP: answers, statuses, and a server that is gone', async (t) => {
  let status;
  const http = createServer(async (request, response) => {
    if (status !== undefined) return response.writeHead(status).end();
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
    await toolServer().connect(transport);
    return transport.handleRequest(request, response);
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const close = () => {
    http.closeAllConnections();
    http.close();
  };
  t.teardown(close);
  const client = new Client({ name: 'tester', version: '1.0.0' });
  const { registry, agents } = collectors();
  instrumentMcpClient(client, { collector: agents });
  const url = new URL(`http://127.0.0.1:${http.address().port}/mcp`);
  await client.connect(new StreamableHTTPClientTransport(url));
  t.teardown(() => client.close());
  await call(client, 'add', { a: 1, b: 2 });
  for (status of [401, 403, 404, 429, 500, 503]) await t.throwsAsync(call(client, 'add'));
  close();
  await t.throwsAsync(call(client, 'add'));
  t.deepEqual(await recorded(registry), [
    'agent_tool_calls_total{agent_type="tools",tool_name="add",status="success"} 1',
    'agent_tool_calls_total{agent_type="tools",tool_name="add",status="error"} 6',
    'agent_tool_calls_total{agent_type="tools",tool_name="add",status="denied"} 1',
    'agent_tool_call_duration_seconds_count{agent_type="tools",tool_name="add"} 8',
    'agent_errors_total{agent_type="tools",error_type="authentication"} 1',
    'agent_errors_total{agent_type="tools",error_type="permission"} 1',
    'agent_errors_total{agent_type="tools",error_type="not_found"} 1',
    'agent_errors_total{agent_type="tools",error_type="rate_limit"} 1',
    'agent_errors_total{agent_type="tools",error_type="server_error"} 1',
    'agent_errors_total{agent_type="tools",error_type="overloaded"} 1',
    'agent_errors_total{agent_type="tools",error_type="connection"} 1',
  ]);
});

test('instrumented twice, it counts once and is restored afterwards', async (t) => {
  const { client, registry, agents, uninstall } = await connected(t);
  const again = instrumentMcpClient(client, { collector: agents });
  await call(client, 'add', { a: 1, b: 2 });
  again();
  await call(client, 'add', { a: 1, b: 2 });
  uninstall();
  uninstall();
  t.false(Object.hasOwn(client, 'callTool') || Object.hasOwn(client, 'listTools'));
  await call(client, 'add', { a: 1, b: 2 });
  const [calls] = await recorded(registry);
  t.is(calls, 'agent_tool_calls_total{agent_type="tools",tool_name="add",status="success"} 2');
});

test('invalid options throw, and other objects are not changed', (t) => {
  const client = new Client({ name: 'x', version: '1' });
  for (const options of [null, 1, { collector: {} }, { agentType: 1 }]) {
    t.throws(() => instrumentMcpClient(client, options), { code: 'INVALID_CONFIG' });
  }
  t.throws(() => instrumentMcpClient(null), { code: 'INVALID_CONFIG' });
  const stranger = { callTool: 1 };
  instrumentMcpClient(stranger, { collector: collectors().agents })();
  t.deepEqual(stranger, { callTool: 1 });
});

test('a collector that fails does no harm', async (t) => {
  const { client, agents } = await connected(t);
  t.true(agents instanceof AgentMetricsCollector);
  agents.recordToolCall = () => {
    throw new Error('broken');
  };
  t.deepEqual((await call(client, 'add', { a: 1, b: 2 })).content, [{ type: 'text', text: '3' }]);
});
