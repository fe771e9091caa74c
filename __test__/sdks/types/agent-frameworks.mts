// The real frameworks accept what the instrumentations make, and the instrumentations accept the frameworks' clients.

import type { Callbacks } from '@langchain/core/callbacks/manager';
import { RunnableLambda } from '@langchain/core/runnables';
import { AgentMetricsCollector, LlmMetricsCollector } from '@llm-devops/prometheus-metrics';
import { createLangChainHandler } from '@llm-devops/prometheus-metrics/langchain';
import { createMastraExporter } from '@llm-devops/prometheus-metrics/mastra';
import { instrumentMcpClient, instrumentMcpServer, type Uninstall } from '@llm-devops/prometheus-metrics/mcp';
import { createTraceProcessor } from '@llm-devops/prometheus-metrics/openai-agents';
import type { ObservabilityExporter } from '@mastra/core/observability';
import { Observability } from '@mastra/observability';
import { Client as ClientOfVersion2 } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { McpServer as McpServerOfVersion2 } from '@modelcontextprotocol/server';
import { addTraceProcessor, type TracingProcessor } from '@openai/agents';

const collector = new AgentMetricsCollector();
const llm = new LlmMetricsCollector();

const callbacks: Callbacks = [createLangChainHandler()];
await RunnableLambda.from((x: number) => x).invoke(1, { callbacks });
createLangChainHandler({
  collector,
  llm: false,
  agentType: 'x',
  agents: ['writer'],
  provider: 'openai',
  providers: {},
});

const processor: TracingProcessor = createTraceProcessor({ collector, llm });
addTraceProcessor(processor);

const exporter: ObservabilityExporter = createMastraExporter({ finalTools: ['answer'] });
new Observability({ configs: { default: { serviceName: 'x', exporters: [exporter] } } });

const client = new Client({ name: 'x', version: '1' });
const uninstall: Uninstall = instrumentMcpClient(client, { collector, agentType: 'x' });
uninstall();
instrumentMcpClient(new ClientOfVersion2({ name: 'x', version: '1' }));
instrumentMcpServer(new McpServer({ name: 'x', version: '1' }), { collector, name: 'x' });
instrumentMcpServer(new McpServer({ name: 'x', version: '1' }).server);
instrumentMcpServer(new McpServerOfVersion2({ name: 'x', version: '1' }));

// @ts-expect-error A client is needed.
instrumentMcpClient();
// @ts-expect-error There is no such option.
createTraceProcessor({ agents: [] });
// @ts-expect-error `true` is not a collector.
createMastraExporter({ llm: true });
