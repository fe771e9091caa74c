// Tests the operations that MCP clients and servers record, with the SDK's version 1 and 2, each over several transports.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { PassThrough } from 'node:stream';
import { ConfigurationError } from '@llm-devops/prometheus-metrics';
import { instrumentMcpClient, instrumentMcpServer } from '@llm-devops/prometheus-metrics/mcp';
import * as client2 from '@modelcontextprotocol/client';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as HttpClient1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { InMemoryTransport as InMemory1 } from '@modelcontextprotocol/sdk/inMemory.js';
import { Server as Server1 } from '@modelcontextprotocol/sdk/server/index.js';
import { McpServer as McpServer1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport as Stdio1 } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport as Http1 } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import * as server2 from '@modelcontextprotocol/server';
import { StdioServerTransport as Stdio2 } from '@modelcontextprotocol/server/stdio';
import test from 'ava';
import fc from 'fast-check';
import { z } from 'zod';
import { collectors, recorded, sameLines } from './support/recorded.mjs';
import { timedOutIn } from './support/signals.mjs';

const VERSIONS = [
  {
    version: 1,
    Client: Client1,
    McpServer: McpServer1,
    Server: Server1,
    InMemory: InMemory1,
    HttpClient: HttpClient1,
    Http: Http1,
    Stdio: Stdio1,
    schema: (fields) => fields,
    call: (client, name, args = {}, options) => client.callTool({ name, arguments: args }, undefined, options),
    handle: (server, method, run) =>
      server.setRequestHandler(method === 'tools/call' ? CallToolRequestSchema : ListToolsRequestSchema, run),
  },
  {
    version: 2,
    Client: client2.Client,
    McpServer: server2.McpServer,
    Server: server2.Server,
    InMemory: server2.InMemoryTransport,
    HttpClient: client2.StreamableHTTPClientTransport,
    Http: NodeStreamableHTTPServerTransport,
    Stdio: Stdio2,
    schema: (fields) => z.object(fields),
    call: (client, name, args = {}, options) => client.callTool({ name, arguments: args }, options),
    handle: (server, method, run) => server.setRequestHandler(method, run),
  },
];

const said = (text) => ({ content: [{ type: 'text', text }] });

/** A server with tools that succeed, fail and hang, a prompt and a resource. */
function weather({ McpServer, schema }) {
  const server = new McpServer({ name: 'weather', version: '1.0.0' });
  server.registerTool('add', { inputSchema: schema({ a: z.number() }) }, ({ a }) => said(String(a)));
  server.registerTool('fail', { inputSchema: schema({}) }, () => {
    throw new Error('no luck');
  });
  server.registerTool('hang', { inputSchema: schema({}) }, () => new Promise(() => {}));
  const message = (text) => ({ messages: [{ role: 'user', content: { type: 'text', text } }] });
  server.registerPrompt('greet', { argsSchema: schema({ name: z.string() }) }, ({ name }) => message(name));
  server.registerResource('map', 'file:///map', {}, async () => ({ contents: [{ uri: 'file:///map', text: 'x' }] }));
  return server;
}

/** A client and a server, both instrumented, connected within the process. */
async function connected(t, sdk, server = weather(sdk)) {
  const made = collectors();
  const [near, far] = sdk.InMemory.createLinkedPair();
  const client = new sdk.Client({ name: 'tester', version: '1.0.0' });
  const options = { collector: made.agents };
  const uninstall = { client: instrumentMcpClient(client, options), server: instrumentMcpServer(server, options) };
  await Promise.all([server.connect(far), client.connect(near)]);
  t.teardown(() => client.close());
  return { ...made, client, server, near, far, uninstall, lines: () => operations(made.registry) };
}

/** The operations as `side method target error count`. */
async function operations(registry) {
  const shape =
    /^mcp_(client|server)_operation_duration_seconds_count\{server="(\w*)",method="([^"]*)",target="(\w*)",error_type="(\w*)"\} (\d+)$/;
  return (await recorded(registry))
    .filter((line) => line.startsWith('mcp_'))
    .map((line) => {
      const [, side, server, method, target, error, count] = shape.exec(line);
      return [side, server, method, target || '-', error || 'ok', count].join(' ');
    });
}

/** Lines that both sides record alike. */
const both = (...lines) => ['client', 'server'].flatMap((side) => lines.map((line) => `${side} weather ${line}`));
const ignored = (promise) => promise.catch(() => {});
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

for (const sdk of VERSIONS) {
  const { version, call } = sdk;

  test(`SDK ${version}: tools, prompts, resources, and their failures`, async (t) => {
    const { client, lines } = await connected(t, sdk);
    t.deepEqual((await call(client, 'add', { a: 1 })).content, said('1').content);
    await ignored(call(client, 'fail'));
    await ignored(call(client, 'made_up'));
    await ignored(call(client, 'add', { a: 'x' }));
    await client.getPrompt({ name: 'greet', arguments: { name: 'you' } });
    await ignored(client.getPrompt({ name: 'made_up' }));
    await client.readResource({ uri: 'file:///map' });
    await ignored(client.readResource({ uri: 'file:///made/up' }));
    await client.listTools();
    await client.ping();
    sameLines(t, await lines(), [
      both(
        'initialize - ok 1',
        'tools/call add ok 1',
        'tools/call add tool_error 1',
        'tools/call fail tool_error 1',
        'tools/call other unknown_tool 1',
        'prompts/get greet ok 1',
        'prompts/get other invalid_request 1',
        'resources/read - ok 1',
        'resources/read - invalid_request 1',
        'tools/list - ok 1',
        'ping - ok 1',
      ),
    ]);
  });

  test(`SDK ${version}: requests that are cancelled, time out, or end with the connection`, async (t) => {
    const { client, lines } = await connected(t, sdk);
    await client.listTools();
    const abort = new AbortController();
    const aborted = ignored(call(client, 'hang', {}, { signal: abort.signal }));
    await sleep(10);
    abort.abort();
    await aborted;
    await ignored(call(client, 'hang', {}, { timeout: 5 }));
    await ignored(call(client, 'hang', {}, { signal: timedOutIn(5) }));
    const open = ignored(call(client, 'hang'));
    await sleep(10);
    await client.close();
    await open;
    sameLines(t, await lines(), [
      both('initialize - ok 1', 'tools/list - ok 1', 'tools/call hang timeout 2'),
      'client weather tools/call hang cancelled 1',
      'client weather tools/call hang connection 1',
      'server weather tools/call hang cancelled 2',
    ]);
  });

  test(`SDK ${version}: a low-level server, and a client that sends any method and tool`, async (t) => {
    const server = new sdk.Server({ name: 'weather', version: '1' }, { capabilities: { tools: {} } });
    sdk.handle(server, 'tools/call', async ({ params }) => {
      if (params.name === 'add') return said('1');
      throw Object.assign(new Error(`Unknown tool: ${params.name}`), { code: -32602 });
    });
    const { client, far, lines } = await connected(t, sdk, server);
    await call(client, 'add');
    for (let tool = 0; tool < 300; tool++) await ignored(call(client, `made_up_${tool}`));
    // Requests that no client of the SDK would send.
    for (let id = 0; id < 300; id++) far.onmessage({ jsonrpc: '2.0', id: `x${id}`, method: `any/${id}` });
    far.onmessage({ jsonrpc: '2.0', id: 'y', method: 'tools/call' });
    await sleep(20);
    sameLines(
      t,
      (await lines()).filter((line) => !line.startsWith('client')),
      [
        'server weather initialize - ok 1',
        'server weather tools/call add ok 1',
        'server weather tools/call other unknown_tool 300',
        'server weather other - not_found 300',
        ...(await lines()).filter((line) => line.startsWith('server weather tools/call - ')),
      ],
    );
  });

  test(`SDK ${version}: uninstalling restores both sides, also while they are connected`, async (t) => {
    const { client, server, near, far, uninstall, lines } = await connected(t, sdk);
    uninstall.server();
    uninstall.client();
    uninstall.client();
    await call(client, 'add', { a: 1 });
    sameLines(t, await lines(), [both('initialize - ok 1')]);
    for (const each of [client, server.server]) t.false(Object.hasOwn(each, 'connect'));
    for (const each of [near, far]) {
      t.false(Object.hasOwn(each, 'send'));
      t.is(typeof Object.getOwnPropertyDescriptor(each, 'onmessage').value, 'function');
    }
  });

  test(`SDK ${version}: a server and a client that are connected already, and instrumented twice`, async (t) => {
    const { client, server, uninstall, agents, lines } = await connected(t, sdk);
    uninstall.server();
    uninstall.client();
    for (let time = 0; time < 2; time++) {
      instrumentMcpServer(server, { collector: agents, name: 'mine' });
      instrumentMcpClient(client, { collector: agents });
    }
    await call(client, 'add', { a: 1 });
    sameLines(t, await lines(), [
      both('initialize - ok 1'),
      'client weather tools/call add ok 1',
      'server mine tools/call add ok 1',
    ]);
  });

  test(`SDK ${version}: HTTP, one server for each request`, async (t) => {
    const { registry, agents } = collectors();
    const http = createServer(async (request, response) => {
      const server = weather(sdk);
      instrumentMcpServer(server, { collector: agents });
      const transport = new sdk.Http({ sessionIdGenerator: undefined });
      response.on('close', () => server.close());
      await server.connect(transport);
      await transport.handleRequest(request, response);
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    t.teardown(() => http.close(http.closeAllConnections()));
    const client = new sdk.Client({ name: 'tester', version: '1.0.0' });
    await client.connect(new sdk.HttpClient(new URL(`http://127.0.0.1:${http.address().port}/mcp`)));
    await call(client, 'add', { a: 1 });
    await ignored(call(client, 'fail'));
    await ignored(call(client, 'hang', {}, { timeout: 20 }));
    await client.close();
    // The abort of the request's connection ends it at the server: the notice of it goes to another server.
    for (let round = 0; round < 50 && !(await operations(registry)).some((line) => line.includes('hang')); round++)
      await sleep(10);
    sameLines(t, await operations(registry), [
      'server weather initialize - ok 1',
      'server weather tools/call add ok 1',
      'server weather tools/call fail tool_error 1',
      'server weather tools/call hang cancelled 1',
    ]);
  });

  test(`SDK ${version}: stdio, whose end cancels what is open`, async (t) => {
    const { registry, agents } = collectors();
    const [input, output] = [new PassThrough(), new PassThrough()];
    const server = weather(sdk);
    instrumentMcpServer(server, { collector: agents });
    await server.connect(new sdk.Stdio(input, output));
    const ask = (id, name, args) =>
      input.write(
        `${JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } })}\n`,
      );
    ask(1, 'add', { a: 1 });
    ask(2, 'hang', {});
    await once(output, 'data');
    await server.close();
    t.deepEqual(await operations(registry), [
      'server weather tools/call add ok 1',
      'server weather tools/call hang cancelled 1',
    ]);
  });

  test(`SDK ${version}: any mix of ends leaves no request open and no rejection`, async (t) => {
    const rejections = [];
    const listen = (reason) => rejections.push(reason);
    process.on('unhandledRejection', listen);
    const END = fc.constantFrom('add', 'fail', 'made_up', 'abort', 'timeout', 'hang');
    await fc.assert(
      fc.asyncProperty(fc.array(END, { maxLength: 12 }), async (ends) => {
        const { client, lines } = await connected(t, sdk);
        const calls = Promise.allSettled(
          ends.map((end) => {
            if (end === 'abort') return call(client, 'hang', {}, { signal: AbortSignal.abort() });
            if (end === 'timeout') return call(client, 'hang', {}, { timeout: 1 });
            return call(client, end, { a: 1 });
          }),
        );
        await sleep(5);
        await client.close();
        await calls;
        const counts = { client: 0, server: 0 };
        for (const line of await lines()) {
          const [side, , method, , , count] = line.split(' ');
          if (method === 'tools/call') counts[side] += Number(count);
        }
        // A request that was aborted before it began is not sent.
        const sent = ends.filter((end) => end !== 'abort').length;
        return counts.client === sent && counts.server === sent;
      }),
      { numRuns: 40 },
    );
    await sleep(10);
    process.off('unhandledRejection', listen);
    t.deepEqual(rejections, []);
  });
}

test('SDK 2: the handler for HTTP, which makes a server for each request', async (t) => {
  const { registry, agents } = collectors();
  const handler = server2.createMcpHandler(() => {
    const server = weather(VERSIONS[1]);
    instrumentMcpServer(server, { collector: agents });
    return server;
  });
  const fetch = (url, init) => handler.fetch(new Request(url, init));
  const transport = new client2.StreamableHTTPClientTransport(new URL('http://127.0.0.1/mcp'), { fetch });
  const client = new client2.Client({ name: 'tester', version: '1.0.0' });
  await client.connect(transport);
  await client.callTool({ name: 'add', arguments: { a: 1 } });
  await client.close();
  const lines = await operations(registry);
  t.true(lines.includes('server weather tools/call add ok 1'), lines.join('\n'));
});

test('the outcome and errors of sending stay what they are', async (t) => {
  const { Client, InMemory } = VERSIONS[0];
  const { registry, agents } = collectors();
  const [near] = InMemory.createLinkedPair();
  near.send = async () => {
    throw Object.assign(new Error('refused'), { code: 401 });
  };
  const client = new Client({ name: 'tester', version: '1.0.0' });
  instrumentMcpClient(client, { collector: agents });
  await t.throwsAsync(client.connect(near), { message: 'refused' });
  t.deepEqual(await operations(registry), ['client other initialize - authentication 1']);
});

test('invalid arguments are refused, and a server without connect() is left alone', (t) => {
  const { agents } = collectors();
  const refused = (run) => t.throws(run, { instanceOf: ConfigurationError, code: 'INVALID_CONFIG' });
  refused(() => instrumentMcpServer());
  refused(() => instrumentMcpServer({}, { collector: {} }));
  refused(() => instrumentMcpServer({ connect() {} }, { collector: agents, name: 1 }));
  refused(() => instrumentMcpServer({ connect() {} }, { colector: agents }));
  t.notThrows(instrumentMcpServer({}, { collector: agents }));
});
