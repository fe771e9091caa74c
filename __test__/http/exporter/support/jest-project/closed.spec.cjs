// Opens everything of the library that holds a handle, and closes what can be closed. Jest must find nothing.
const { Counter, Gauge, LlmMetricsCollector, Registry, startExporter } = require('@llm-devops/prometheus-metrics');

const OWN = { host: '127.0.0.1', port: 0 };
const scrape = async ({ url }) => (await fetch(`${url}/metrics`)).status;

test('a closed exporter', async () => {
  const exporter = await startExporter(OWN);
  expect(await scrape(exporter)).toBe(200);
  await exporter.close();
});

test('exporters that ask JavaScript, closed twice', async () => {
  const registry = new Registry();
  registry.gauge({
    name: 'g',
    help: 'h',
    collect() {
      this.set(1);
    },
  });
  const options = { ...OWN, registry, authenticate: () => true, checks: { fine: () => true } };
  const exporters = await Promise.all([startExporter(options), startExporter(options)]);
  for (const exporter of exporters) expect(await scrape(exporter)).toBe(200);
  await Promise.all(exporters.flatMap((exporter) => [exporter.close(), exporter.close({ timeoutMs: 0 })]));
});

test('an exporter that cannot listen', async () => {
  await expect(startExporter({ host: '256.1.1.1' })).rejects.toMatchObject({ code: 'BIND_FAILED' });
});

test('series that expire, and collectors', () => {
  new Counter({ name: 'c', help: 'h', registers: [], ttlSeconds: 60 });
  new Gauge({ name: 'e', help: 'h', registers: [new Registry({ ttlSeconds: 60 })] });
  new LlmMetricsCollector();
});
