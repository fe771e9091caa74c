// Starts pushers against a receiver that the test plays.

import { setTimeout as sleep } from 'node:timers/promises';
import { Counter, Gauge, Histogram, Registry, startPusher } from '@llm-devops/prometheus-metrics';
import { startGateway } from './gateway.mjs';

export const WRITTEN = { 'X-Prometheus-Remote-Write-Samples-Written': '1000000' };

/** Answers with these statuses, one after the other; the last one stays. An entry may be [status, headers, body]. */
export function answers(...script) {
  let at = 0;
  return (_, response) => {
    const [status, headers = {}, body = ''] = [script[Math.min(at++, script.length - 1)]].flat();
    response.writeHead(status, headers).end(body);
  };
}

/**
 * A pusher, closed with the test, and its receiver. Pushes only when the test says so, unless an interval is given.
 *
 * @param options options of the pusher, or a function of the receiver that returns them
 */
export async function pushing(t, answer, options, secure = undefined) {
  const receiver = await startGateway(t, answer, secure);
  const pusher = await startPusher({
    url: `${receiver.url}/api/v1/write`,
    protocol: 'remote-write-1',
    intervalMs: 3_600_000,
    job: 'test',
    ...(typeof options === 'function' ? options(receiver) : options),
  });
  t.teardown(() => pusher.close(0));
  return { ...receiver, pusher };
}

/** A registry with a counter, a gauge and a histogram, and its logger's warnings. */
export function shop() {
  const warnings = [];
  const registry = new Registry({ logger: { warn: (message) => warnings.push(message) } });
  const registers = [registry];
  const sales = new Counter({ name: 'sales_total', help: 'Sales', labelNames: ['shop', 'Area'], registers });
  sales.inc({ shop: 'a "b"\n\\', Area: 'x' }, 3);
  new Gauge({ name: 'open', help: 'Open', registers }).set(1);
  const wait = new Histogram({ name: 'wait_seconds', help: 'Waiting', unit: 'seconds', buckets: [1, 5], registers });
  wait.observe(2);
  return { registry, warnings, sales, wait };
}

/** What `shop()` shows, by series. */
export const SHOP = {
  'open{job="test"}': 1,
  [`sales_total{Area="x",job="test",shop=${JSON.stringify('a "b"\n\\')}}`]: 3,
  'wait_seconds_bucket{job="test",le="+Inf"}': 1,
  'wait_seconds_bucket{job="test",le="1.0"}': 0,
  'wait_seconds_bucket{job="test",le="5.0"}': 1,
  'wait_seconds_count{job="test"}': 1,
  'wait_seconds_sum{job="test"}': 2,
};

/** Waits until a condition holds. */
export async function until(holds) {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const result = await holds();
    if (result) return result;
    await sleep(10);
  }
  throw new Error('It did not come about within ten seconds');
}
