// Recipes of docs/integrations: each block instruments the real SDK, which then makes one call to a stand-in for its
// provider.

import { chat, response } from '../../sdks/support/chat-answers.mjs';
import { json } from '../../sdks/support/wire-server.mjs';

const page = (name) => `docs/integrations/${name}.md`;

/** Prints what was counted: requests to models, executions of agents, calls of tools. */
const COUNTED = `
  import { register as shown } from '@llm-devops/prometheus-metrics';
  await new Promise((resolve) => setTimeout(resolve, 100));
  const counted = /^llmdevops_(llm_requests|agent_executions|agent_tool_calls)_total\\{.* [1-9]\\d*$/;
  console.log((await shown.metrics()).split('\\n').filter((line) => counted.test(line)).sort().join('\\n'));
  process.exit();`;

// In the order of the alphabet: agents first.
const requests = (labels) => `llmdevops_llm_requests_total{${labels},operation="chat",status="success"} 1\n`;
const executions = (agent) => `llmdevops_agent_executions_total{agent_type="${agent}",status="success"} 1\n`;

const ANTHROPIC = {
  id: 'm',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-5',
  content: [{ type: 'text', text: 'hi' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 10, output_tokens: 5 },
};
const GEMINI = {
  candidates: [{ content: { role: 'model', parts: [{ text: 'hi' }] }, finishReason: 'STOP' }],
  usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 },
};

/** What both blocks of LangChain's page invoke. */
const GRAPH = `
  import { createReactAgent } from '@langchain/langgraph/prebuilt';
  import { ChatOpenAI } from '@langchain/openai';
  const messages = [{ role: 'user', content: 'hello' }];
  const model = new ChatOpenAI({ model: 'gpt-4o-mini', configuration: { baseURL: process.env.OPENAI_BASE_URL } });
  const graph = createReactAgent({ llm: model, tools: [], name: 'helper' });`;

export default [
  {
    page: page('openai'),
    title: 'a client is measured',
    sdks: true,
    blocks: ['instrumentOpenAI(OpenAI'],
    answers: () => [chat('hi')],
    after: `
      const client = new OpenAI();
      await client.chat.completions.create({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'hello' }] });
      uninstall();${COUNTED}`,
    prints: requests('model="gpt-4o-mini",provider="other"'),
  },
  {
    page: page('openai'),
    title: 'both copies of the class are measured',
    sdks: true,
    blocks: ['RequiredOpenAI'],
    answers: () => [chat('hi'), chat('hi')],
    after: `
      for (const Class of [OpenAI, RequiredOpenAI]) {
        await new Class().chat.completions.create({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'hello' }] });
      }${COUNTED}`,
    prints: requests('model="gpt-4o-mini",provider="other"').replace(' 1', ' 2'),
  },
  {
    page: page('anthropic'),
    title: 'clients for other platforms are measured',
    sdks: true,
    blocks: ['AnthropicBedrock'],
    answers: () => [json(ANTHROPIC), json(ANTHROPIC)],
    after: `
      const messages = [{ role: 'user', content: 'hello' }];
      const baseURL = process.env.ANTHROPIC_BASE_URL;
      const googleAuth = { getClient: async () => ({ projectId: 'p', getRequestHeaders: async () => new Headers() }) };
      for (const client of [
        new AnthropicBedrock({ apiKey: 'k', baseURL }),
        new AnthropicVertex({ region: 'global', projectId: 'p', googleAuth, baseURL }),
      ]) {
        await client.messages.create({ model: 'claude-sonnet-4-5', max_tokens: 10, messages });
      }${COUNTED}`,
    prints: ['bedrock', 'vertex'].map((name) => requests(`model="claude-sonnet-4-5",provider="${name}"`)).join(''),
  },
  {
    page: page('anthropic'),
    title: 'a client is measured',
    sdks: true,
    blocks: ['instrumentAnthropic(Anthropic)'],
    answers: () => [json(ANTHROPIC)],
    after: `
      const messages = [{ role: 'user', content: 'hello' }];
      await new Anthropic().messages.create({ model: 'claude-sonnet-4-5', max_tokens: 10, messages });
      uninstall();${COUNTED}`,
    prints: requests('model="claude-sonnet-4-5",provider="other"'),
  },
  {
    page: page('google-genai'),
    title: 'a client is measured',
    sdks: true,
    blocks: ['instrumentGoogleGenAI(ai)'],
    answers: () => [json(GEMINI)],
    after: `
      await ai.models.generateContent({ model: 'gemini-2.5-flash', contents: 'hello' });
      uninstall();${COUNTED}`,
    prints: requests('model="gemini-2.5-flash",provider="google"'),
  },
  {
    page: page('ai-sdk'),
    title: 'a generated text is measured',
    sdks: true,
    blocks: ['instrumentAiSdk()'],
    answers: () => [response('hi')],
    after: `
      import { openai } from '@ai-sdk/openai';
      import { generateText } from 'ai';
      await generateText({ model: openai('gpt-4o-mini'), prompt: 'hello' });
      uninstall();${COUNTED}`,
    prints: requests('model="gpt-4o-mini",provider="openai"'),
  },
  {
    page: page('ai-sdk'),
    title: 'a model with a middleware is measured',
    sdks: true,
    blocks: ['createAiSdkMiddleware()'],
    answers: () => [response('hi')],
    after: COUNTED,
    prints: requests('model="gpt-4o-mini",provider="openai"'),
  },
  {
    page: page('vercel-agents'),
    title: 'an agent is measured',
    sdks: true,
    blocks: ['new ToolLoopAgent('],
    answers: () => [response('hi')],
    before: `
      const tools = {};
      const prompt = 'hello';`,
    after: COUNTED,
    prints: executions('researcher') + requests('model="gpt-4o-mini",provider="openai"'),
  },
  {
    page: page('langchain'),
    title: 'a graph is measured',
    sdks: true,
    blocks: ["runName: 'researcher'"],
    answers: () => [chat('hi')],
    before: GRAPH,
    after: COUNTED,
    prints: executions('researcher') + requests('model="gpt-4o-mini",provider="other"'),
  },
  {
    page: page('langchain'),
    title: 'a graph runs inside an execution',
    sdks: true,
    blocks: ['createLangChainHandler({ llm: false })'],
    answers: () => [chat('hi')],
    before: `${GRAPH}
      import { AgentMetricsCollector } from '@llm-devops/prometheus-metrics';
      import { createLangChainHandler } from '@llm-devops/prometheus-metrics/langchain';
      const agents = new AgentMetricsCollector();`,
    after: COUNTED,
    prints: executions('researcher'),
  },
  {
    page: page('mastra'),
    title: 'an agent is measured',
    sdks: true,
    blocks: ['createMastraExporter()'],
    answers: () => [response('hi')],
    before: `
      import { openai } from '@ai-sdk/openai';
      import { Agent } from '@mastra/core/agent';
      const helper = new Agent({ id: 'helper', name: 'Helper', instructions: 'x', model: openai('gpt-4o-mini') });
      const agents = { helper };`,
    after: `
      await mastra.getAgent('helper').generate('hello');
      await mastra.observability.getDefaultInstance()?.flush?.();${COUNTED}`,
    prints: executions('helper') + requests('model="gpt-4o-mini",provider="openai"'),
  },
  {
    page: page('openai-agents'),
    title: 'an agent is measured',
    sdks: true,
    blocks: ['addTraceProcessor(createTraceProcessor());'],
    answers: () => [response('hi')],
    after: `
      import { Agent, run, setTracingDisabled } from '@openai/agents';
      setTracingDisabled(false);
      await run(new Agent({ name: 'helper', model: 'gpt-4o-mini' }), 'hello');${COUNTED}`,
    prints: executions('helper') + requests('model="gpt-4o-mini",provider="openai"'),
  },
  {
    page: page('openai-agents'),
    title: 'requests are measured by the client, inside an execution',
    sdks: true,
    blocks: ['setDefaultOpenAIClient(client);'],
    answers: () => [response('hi')],
    before: `
      import { AgentMetricsCollector } from '@llm-devops/prometheus-metrics';
      import { instrumentOpenAI } from '@llm-devops/prometheus-metrics/openai';
      import { createTraceProcessor } from '@llm-devops/prometheus-metrics/openai-agents';
      import { Agent, addTraceProcessor, run, setDefaultOpenAIClient, setTracingDisabled } from '@openai/agents';
      import OpenAI from 'openai';
      setTracingDisabled(false);
      const agents = new AgentMetricsCollector();
      const agent = new Agent({ name: 'helper', model: 'gpt-4o-mini' });`,
    after: COUNTED,
    prints: executions('support') + requests('model="gpt-4o-mini",provider="other"'),
  },
  {
    page: page('mcp'),
    title: 'the requests to a server are measured',
    sdks: true,
    blocks: ['instrumentMcpServer(server)'],
    after: `
      import { register } from '@llm-devops/prometheus-metrics';
      import { Client } from '@modelcontextprotocol/sdk/client/index.js';
      import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
      const [near, far] = InMemoryTransport.createLinkedPair();
      const client = new Client({ name: 'c', version: '1' });
      await Promise.all([server.connect(far), client.connect(near)]);
      await client.ping();
      const lines = (await register.metrics()).match(/^.*_count\\{.*"ping".*$/gm);
      console.log(lines.join('\\n'));`,
    prints:
      'llmdevops_mcp_server_operation_duration_seconds_count{server="weather",method="ping",target="",error_type=""} 1\n',
  },
  {
    page: page('mcp'),
    title: 'a call of a tool is measured',
    sdks: true,
    blocks: ['instrumentMcpClient(client)'],
    after: `
      import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
      import { toolServer } from './support/mcp-server.mjs';
      const [near, far] = InMemoryTransport.createLinkedPair();
      await Promise.all([toolServer().connect(far), client.connect(near)]);
      await client.callTool({ name: 'add', arguments: { a: 1, b: 2 } });
      uninstall();${COUNTED}`,
    prints: 'llmdevops_agent_tool_calls_total{agent_type="tools",tool_name="add",status="success"} 1\n',
  },
];
