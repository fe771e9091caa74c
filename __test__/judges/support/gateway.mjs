// Starts the example gateway in its own process. Judges know it only by its URLs and its log of calls.

import { fileURLToPath } from 'node:url';
import { Process, poll } from './processes.mjs';

export const GATEWAY_MAIN = fileURLToPath(new URL('../../../examples/llm-gateway/main.mjs', import.meta.url));

/** Longer than any answer takes on a busy machine, and short enough to wait for about thirty times. */
export const GATEWAY_TIMEOUT_MS = 2000;

/** @returns the gateway, without its own load unless requested. It is stopped with the test, and must stop cleanly. */
export async function startGateway(t, { load = false } = {}) {
  const urls = {};
  const calls = [];
  const byRequest = new Map();
  const child = new Process(process.execPath, [GATEWAY_MAIN, '--log-calls', ...(load ? [] : ['--no-load'])], {
    env: { PORT: '0', METRICS_ENDPOINT_PORT: '0', GATEWAY_TIMEOUT_MS: String(GATEWAY_TIMEOUT_MS) },
    onLine(line) {
      if (line.startsWith('{')) {
        const call = JSON.parse(line);
        calls.push(call);
        byRequest.set(call.id, [...(byRequest.get(call.id) ?? []), call]);
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
    url: new URL(urls.Gateway).origin,
    metricsUrl: urls.Metrics,
    /** All ended calls. */
    calls,
    /**
     * The log's lines about a request's calls, in order. Waits for them, because a call may end after its client has
     * left.
     */
    callsOf: (id, count) =>
      poll(
        () => (byRequest.get(id)?.length >= count ? byRequest.get(id) : undefined),
        `the log of ${count} calls of ${id}`,
        { timeoutMs: 10_000, pauseMs: 10 },
      ),
  };
}
