// Serves a registry of the test's own process, for servers that scrape it.

import { startExporter } from '@llm-devops/prometheus-metrics';

/** @returns {Promise<string>} the URL of its metrics, until the test ends. */
export async function served(t, registry) {
  const exporter = await startExporter({ registry, port: 0, host: '127.0.0.1' });
  t.teardown(() => exporter.close());
  return `${exporter.url}/metrics`;
}
