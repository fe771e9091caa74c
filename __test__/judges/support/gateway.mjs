// The example gateway as a judge meets it: a process of its own, known by its URLs and by the log of its calls.

import { fileURLToPath } from 'node:url';
import { Process, poll } from './processes.mjs';

export const GATEWAY_MAIN = fileURLToPath(new URL('../../../examples/llm-gateway/main.mjs', import.meta.url));

/** Longer than any answer takes on a busy machine, and short enough to wait for some thirty times. */
export const GATEWAY_TIMEOUT_MS = 2000;

/** @returns the gateway without load of its own; it ends with the test, and must end cleanly. */
export async function startGateway(t) {
  const urls = {};
  const calls = new Map();
  const order = [];
  const child = new Process(process.execPath, [GATEWAY_MAIN, '--no-load', '--log-calls'], {
    env: { PORT: '0', METRICS_ENDPOINT_PORT: '0', GATEWAY_TIMEOUT_MS: String(GATEWAY_TIMEOUT_MS) },
    onLine(line) {
      if (line.startsWith('{')) {
        const call = JSON.parse(line);
        if (calls.has(call.id)) throw new Error(`The gateway ended call ${call.id} twice`);
        calls.set(call.id, call);
        order.push(call);
      }
      const [, name, url] = /^(Gateway|Metrics) +(http:\S+)/.exec(line) ?? [];
      if (name !== undefined) urls[name] = url;
    },
  });
  t.teardown(async () => {
    const { code, stderr, error } = await child.stop();
    if (code !== 0) throw error ?? new Error(`The gateway ended with ${code}:\n${stderr}`);
  });
  await child.until(() => (urls.Gateway && urls.Metrics ? true : undefined), 'it printed its URLs');

  return {
    chatUrl: urls.Gateway,
    metricsUrl: urls.Metrics,
    /** All calls in the order in which they ended, which is the order in which they were recorded. */
    calls: order,
    /** The log's line about one call; waits for it, as a call may end after its client has gone. */
    callOf: (id) => poll(() => calls.get(id), `the log of call ${id}`, { timeoutMs: 10_000, pauseMs: 10 }),
  };
}
