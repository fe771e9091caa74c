// Recipes of docs/troubleshooting.md.

const page = 'docs/troubleshooting.md';
const SHOWN = "import { register as shown } from '@llm-devops/prometheus-metrics';";

export default [
  {
    page,
    title: 'the exporter alone answers while something keeps the process alive',
    blocks: ['setInterval(() => {}, 60_000)'],
    replace: [
      ['port: 9464', 'port: 0'],
      ['console.log(', 'const shown = String('],
    ],
    after: 'console.log((await fetch(shown)).status); process.exit();',
    prints: '200\n',
  },
  {
    page,
    title: 'a request to a model with a price has a cost',
    blocks: ['new LlmMetricsCollector({ prices:'],
    after: `${SHOWN}
      llm.recordRequest({
        ...{ model: 'gpt-4o-mini', provider: 'openai', operation: 'chat', status: 'success' },
        ...{ inputTokens: 1_000_000, outputTokens: 1_000_000 },
      });
      console.log((await shown.metrics()).match(/^llmdevops_llm_cost_usd_total.*/m)[0]);`,
    prints: 'llmdevops_llm_cost_usd_total{model="gpt-4o-mini",provider="openai"} 0.75\n',
  },
  {
    page,
    title: 'the option for usage of streams is accepted',
    blocks: ['includeUsage: true'],
    sdks: true,
  },
  {
    page,
    title: 'a second registration returns the metric',
    blocks: ['register.counter('],
    after: `
      register.counter({ name: 'jobs_total', help: 'Jobs done', labelNames: ['queue'] }).inc({ queue: 'mail' });
      console.log(jobs.value({ queue: 'mail' }));`,
    prints: '2\n',
  },
];
