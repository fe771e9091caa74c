import { createMastraExporter } from '@llm-devops/prometheus-metrics/mastra';
import { Mastra } from '@mastra/core';
import { Agent } from '@mastra/core/agent';
import { Observability } from '@mastra/observability';
import { measured } from './measured.mjs';
import { chat } from './support/chat-answers.mjs';

await measured(async ({ wire, llm, agents }) => {
  const exporter = createMastraExporter({ collector: agents, llm });
  const observability = new Observability({ configs: { default: { serviceName: 's', exporters: [exporter] } } });
  const model = { providerId: 'openai', modelId: 'gpt-4o-mini', url: `${wire.url}/v1`, apiKey: 'k' };
  const helper = new Agent({ id: 'helper', name: 'Helper', instructions: 'x', model });
  const mastra = new Mastra({ agents: { helper }, observability, logger: false });
  wire.always(chat('hi'));
  await mastra.getAgent('helper').generate('hello');
  await observability.getDefaultInstance()?.flush?.();
});
