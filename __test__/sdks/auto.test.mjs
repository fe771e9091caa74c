// The zero-code mode with the real SDKs, as ES modules and CommonJS: programs without a line about metrics, except the last one,
// which prints them. A server of our own stands for all providers.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';

const server = http.createServer(async (request, response) => {
  for await (const _ of request);
  response.setHeader('content-type', 'application/json');
  const { url } = request;
  const answer = url.includes('/messages')
    ? {
        id: 'm',
        type: 'message',
        role: 'assistant',
        model: 'claude-sonnet-4-5',
        content: [{ type: 'text', text: 'hello' }],
        stop_reason: 'end_turn',
        usage: { input_tokens: 7, output_tokens: 3 },
      }
    : url.includes('generateContent')
      ? {
          candidates: [{ content: { role: 'model', parts: [{ text: 'hello' }] }, finishReason: 'STOP' }],
          usageMetadata: { promptTokenCount: 7, candidatesTokenCount: 3, totalTokenCount: 10 },
        }
      : url.includes('/responses')
        ? {
            id: 'r',
            object: 'response',
            created_at: 1,
            status: 'completed',
            model: 'gpt-4o-mini',
            output: [
              {
                id: 'o',
                type: 'message',
                role: 'assistant',
                status: 'completed',
                content: [{ type: 'output_text', text: 'hello', annotations: [] }],
              },
            ],
            usage: { input_tokens: 7, output_tokens: 3, total_tokens: 10 },
          }
        : {
            id: 'c',
            object: 'chat.completion',
            created: 1,
            model: 'gpt-4o-mini',
            choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'hello' } }],
            usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
          };
  response.end(JSON.stringify(answer));
});

test.before(async () => {
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
});
test.after.always(() => server.close());

const PRINT = `
  .split('\\n').filter((line) => /^llmdevops_(llm_(requests|tokens|cost_usd)_total|agent_executions_total|agent_tool_calls_total|mcp\\w*_count)/.test(line) && !/ 0$/.test(line)).sort().join('\\n'));`;

async function run(t, module, source, { flags = '--import', node = process.execPath } = {}) {
  const folder = mkdtempSync(join(import.meta.dirname, '.run-auto-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const isModule = module === 'module';
  const main = join(folder, isModule ? 'main.mjs' : 'main.cjs');
  const base = `http://127.0.0.1:${server.address().port}`;
  const text = isModule
    ? `${source}\nconst { register } = await import('@llm-devops/prometheus-metrics');console.log((await register.metrics())${PRINT}`
    : `(async () => {${source}\nconst { register } = require('@llm-devops/prometheus-metrics');console.log((await register.metrics())${PRINT}})();`;
  writeFileSync(main, text.replaceAll('BASE', base));
  const { stdout } = await promisify(execFile)(node, [flags, '@llm-devops/prometheus-metrics/auto', main], {
    cwd: folder,
    env: {
      ...process.env,
      METRICS_ENDPOINT_PORT: '0',
      OPENAI_API_KEY: 'key',
      OPENAI_AGENTS_DISABLE_TRACING: '',
      NODE_ENV: '',
    },
  });
  return stdout.trim().split('\n');
}

const requests = (model, provider, count = 1) => [
  `llmdevops_llm_requests_total{model="${model}",provider="${provider}",operation="chat",status="success"} ${count}`,
  `llmdevops_llm_tokens_total{model="${model}",provider="${provider}",type="input"} ${7 * count}`,
  `llmdevops_llm_tokens_total{model="${model}",provider="${provider}",type="output"} ${3 * count}`,
];

const load = {
  module: (names, from) => `import ${names} from '${from}';\n`,
  commonjs: (names, from) =>
    `const ${names.replaceAll(' as ', ': ')} = ${names.startsWith('{') ? '' : '(m => m.default ?? m)'}(require('${from}'));\n`,
};

const OPENAI = `const client = new OpenAI({ baseURL: 'BASE/v1', apiKey: 'key' });
await client.chat.completions.create({ model: 'gpt-4o-mini', messages: [] });
await client.chat.completions.create({ model: 'gpt-4o-mini', messages: [] });`;

for (const module of ['module', 'commonjs']) {
  for (const flags of ['--import', '--require']) {
    test(`openai, ${module}, ${flags}: all requests, the first one too`, async (t) => {
      // An ES module is loaded while the main file is: only --import waits.
      const early = module === 'module' && flags === '--require' ? 'await new Promise(setImmediate);\n' : '';
      const source = load[module]('OpenAI', 'openai') + early + OPENAI;
      t.deepEqual(await run(t, module, source, { flags }), requests('gpt-4o-mini', 'other', 2));
    });
  }

  test(`anthropic, ${module}`, async (t) => {
    const source = `${load[module]('Anthropic', '@anthropic-ai/sdk')}
const client = new Anthropic({ baseURL: 'BASE', apiKey: 'key' });
for (let left = 2; left > 0; left--) await client.messages.create({ model: 'claude-sonnet-4-5', max_tokens: 9, messages: [{ role: 'user', content: 'x' }] });`;
    t.deepEqual(await run(t, module, source), requests('claude-sonnet-4-5', 'other', 2));
  });

  test(`google-genai, ${module}: each client`, async (t) => {
    const source = `${load[module]('{ GoogleGenAI }', '@google/genai')}
for (let left = 2; left > 0; left--) {
  const ai = new GoogleGenAI({ apiKey: 'key', httpOptions: { baseUrl: 'BASE' } });
  await ai.models.generateContent({ model: 'gemini-2.5-flash', contents: 'x' });
  await ai.models.generateContent({ model: 'gemini-2.5-flash', contents: 'x' });
}`;
    t.deepEqual(await run(t, module, source), requests('gemini-2.5-flash', 'google', 4));
  });
}

test('a collector that the program makes records with its prices, also if it instruments by hand', async (t) => {
  for (const byHand of ['', 'instrumentOpenAI(OpenAI);']) {
    const source = `import OpenAI from 'openai';
import { LlmMetricsCollector } from '@llm-devops/prometheus-metrics';
import { instrumentOpenAI } from '@llm-devops/prometheus-metrics/openai';
new LlmMetricsCollector({ prices: { 'gpt-4o-mini': { input: 1, output: 1 } } });
${byHand}
${OPENAI}`;
    t.deepEqual(await run(t, 'module', source), [
      'llmdevops_llm_cost_usd_total{model="gpt-4o-mini",provider="other"} 0.00002',
      ...requests('gpt-4o-mini', 'other', 2),
    ]);
  }
});

test('the AI SDK: requests and agents', async (t) => {
  const source = `import { generateText } from 'ai';
import { createOpenAI } from '@ai-sdk/openai';
const openai = createOpenAI({ baseURL: 'BASE/v1', apiKey: 'key' });
await generateText({ model: openai.chat('gpt-4o-mini'), prompt: 'x', telemetry: { functionId: 'researcher' } });`;
  t.deepEqual(await run(t, 'module', source), [
    'llmdevops_agent_executions_total{agent_type="researcher",status="success"} 1',
    ...requests('gpt-4o-mini', 'openai'),
  ]);
});

test('LangChain: requests count once, though its client is measured too', async (t) => {
  const source = `import { ChatOpenAI } from '@langchain/openai';
const model = new ChatOpenAI({ model: 'gpt-4o-mini', apiKey: 'key', configuration: { baseURL: 'BASE/v1' } });
await model.invoke('x');`;
  t.deepEqual(await run(t, 'module', source), requests('gpt-4o-mini', 'other'));
});

test('OpenAI Agents: requests and agents', async (t) => {
  const source = `import { Agent, run, setDefaultOpenAIClient } from '@openai/agents';
import OpenAI from 'openai';
setDefaultOpenAIClient(new OpenAI({ baseURL: 'BASE/v1', apiKey: 'key' }));
await run(new Agent({ name: 'researcher', model: 'gpt-4o-mini' }), 'x');`;
  t.deepEqual(await run(t, 'module', source), [
    'llmdevops_agent_executions_total{agent_type="researcher",status="success"} 1',
    ...requests('gpt-4o-mini', 'other'),
  ]);
});

test('MCP: clients and servers', async (t) => {
  const source = `import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
const server = new McpServer({ name: 'weather', version: '1.0.0' });
server.registerTool('today', {}, async () => ({ content: [] }));
const client = new Client({ name: 'researcher', version: '1.0.0' });
const [one, two] = InMemoryTransport.createLinkedPair();
await Promise.all([server.connect(one), client.connect(two)]);
await client.callTool({ name: 'today' });`;
  const lines = await run(t, 'module', source);
  t.true(
    lines.includes('llmdevops_agent_tool_calls_total{agent_type="weather",tool_name="today",status="success"} 1'),
    lines.join('\n'),
  );
});
