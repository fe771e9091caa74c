// Leaves an exporter open: the handle that Jest must report, or the other file would prove nothing.
const { startExporter } = require('@llm-devops/prometheus-metrics');

test('an exporter that is left open', async () => {
  await startExporter({ host: '127.0.0.1', port: 0 });
});
