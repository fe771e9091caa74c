// Tests metrics of the program that have the names of the endpoint's own metrics: each exposition stays valid.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { createMetricsHandler, Registry, startExporter } from '@llm-devops/prometheus-metrics';
import { parseExposition } from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';

/** Metrics of the program, each with the name of the endpoint's family that has to give way. */
const clashes = [
  ['counter', 'llmdevops_metrics_rejected_total', 'llmdevops_metrics_rejected_total'],
  ['gauge', 'llmdevops_metrics_series_count', 'llmdevops_metrics_series_count'],
  ['gauge', 'llmdevops_metrics_scrape_size_bytes_count', 'llmdevops_metrics_scrape_size_bytes'],
  ['gauge', 'llmdevops_metrics_scrape_duration_seconds_bucket', 'llmdevops_metrics_scrape_duration_seconds'],
  ['histogram', 'llmdevops_metrics_series', 'llmdevops_metrics_series_count'],
  ['histogram', 'llmdevops_metrics_scrape_duration_seconds', 'llmdevops_metrics_scrape_duration_seconds'],
  ['counter', 'llmdevops_metrics_collector_errors_total', 'llmdevops_metrics_collector_errors_total'],
];

async function serve(t, options) {
  const server = createServer(createMetricsHandler(options)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const exporter = await startExporter({ ...options, host: '127.0.0.1', port: 0 });
  t.teardown(async () => {
    server.closeAllConnections();
    server.close();
    await exporter.close({ timeoutMs: 0 });
  });
  return [`http://127.0.0.1:${server.address().port}`, exporter.url];
}

for (const [type, name, own] of clashes) {
  test(`a ${type} ${name}`, async (t) => {
    const warnings = [];
    const registry = new Registry({ logger: { warn: (message) => warnings.push(message) } });
    const metric = registry[type]({ name, help: 'The program’s own' });
    if (type === 'histogram') metric.observe(1);
    else metric.inc(7);
    for (const url of await serve(t, { registry })) {
      for (const accept of ['text/plain', 'application/openmetrics-text; version=1.0.0']) {
        const text = await (await fetch(`${url}/metrics`, { headers: { accept } })).text();
        t.notThrows(() => parseExposition(text, accept.startsWith('text') ? {} : { format: 'openmetrics' }), text);
        t.is(text.split('\n').filter((line) => line.startsWith('# HELP') && line.includes('The program')).length, 1);
        t.false(new RegExp(`^# HELP ${own} (?!The program)`, 'm').test(text), text);
        t.true(text.includes('llmdevops_metrics_cache_hits'), 'its other metrics are shown');
      }
    }
    t.true(warnings.some((warning) => warning.includes(`"${own}"`)));
  });
}

test('a metric of another library whose samples have the names', async (t) => {
  const registry = new Registry({ logger: { warn() {} } });
  const values = [{ metricName: 'llmdevops_metrics_body_bytes', labels: {}, value: 3 }];
  registry.registerMetric({ name: 'f', get: async () => ({ name: 'f', help: 'h', type: 'gauge', values }) });
  for (const url of await serve(t, { registry })) {
    const lines = (await (await fetch(`${url}/metrics`)).text()).split('\n');
    t.deepEqual(
      lines.filter((line) => line.startsWith('llmdevops_metrics_body_bytes')),
      ['llmdevops_metrics_body_bytes 3'],
    );
  }
});
