// A service that records the LLM metrics which are off by default, again and again, and meets its objectives.

import { LlmMetricsCollector, startExporter } from '@llm-devops/prometheus-metrics';

const llm = new LlmMetricsCollector({
  prices: { steady: { input: 1, output: 2 } },
  objectives: { timeToFirstTokenMs: 500, durationMs: 5000 },
  stallMs: 1000,
  optional: { attemptDuration: true },
});
const target = { model: 'steady', provider: 'own' };
setInterval(() => {
  const stream = { chunks: 20, timeToFirstTokenMs: 100, longestGapMs: 50, stalls: 0 };
  llm.recordRequest({ ...target, ...stream, durationMs: 1000, inputTokens: 10, outputTokens: 20 });
  llm.recordAttempt(target, 1000);
}, 100);

const exporter = await startExporter({ host: '127.0.0.1', port: 0, cacheTtlMs: 100 });
process.stdout.write(`Metrics  ${exporter.url}/metrics\n`);
process.on('SIGTERM', () => process.exit(0));
