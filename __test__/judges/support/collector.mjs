// Starts the OpenTelemetry collector that `.ci/judges.sh` builds. It prints what it has decoded.

import { fileURLToPath } from 'node:url';
import { freePort } from '../../support/ports.mjs';
import { Process, poll } from './processes.mjs';

const PROGRAM = fileURLToPath(new URL('../../../target/judges-servers/collector', import.meta.url));

/** @returns the URL to push to, and a function that waits for the next request and returns it as OTLP's JSON has it. */
export async function startCollector(t) {
  const endpoint = `127.0.0.1:${await freePort()}`;
  const config = {
    receivers: { otlp: { protocols: { http: { endpoint } } } },
    exporters: { lines: {} },
    service: { pipelines: { metrics: { receivers: ['otlp'], exporters: ['lines'] } } },
  };
  const received = [];
  // JSON is YAML.
  const child = new Process(PROGRAM, [`--config=yaml:${JSON.stringify(config)}`], {
    onLine: (line) => received.push(JSON.parse(line)),
  });
  t.teardown(async () => {
    const { code, stderr } = await child.stop();
    if (code !== 0) t.log(`The collector ended with ${code}:\n${stderr}`);
  });
  const url = `http://${endpoint}/v1/metrics`;
  // Any answer will do: GET is refused.
  await child.until(async () => (await fetch(url)).status, 'it listened');
  return { url, next: () => poll(() => received.shift(), 'a request that the collector received', { pauseMs: 10 }) };
}
