// The services of push.mjs: each has counters with values and pushes them when it is asked. It notes how long the turns of
// its event loop took meanwhile.

import { createRequire } from 'node:module';
import { performance } from 'node:perf_hooks';

const require = createRequire(import.meta.url);

/** All pushers, in the order of the report. */
export const PUSHERS = [
  { id: 'write', title: 'ours, remote write 2.0', isOurs: true, open: (url) => ours(url, 'remote-write') },
  { id: 'write-1', title: 'ours, remote write 1.0', isOurs: true, open: (url) => ours(url, 'remote-write-1') },
  { id: 'otlp', title: 'ours, OTLP', isOurs: true, open: (url) => ours(url, 'otlp') },
  { id: 'otel', title: 'OpenTelemetry, OTLP', open: openTelemetry },
  { id: 'prw', title: 'prometheus-remote-write', open: remoteWriteClient },
];

/** The calls that push.mjs makes to a service. */
export function service({ push: id, url, series }) {
  let pusher;
  return {
    async start() {
      pusher = await PUSHERS.find((each) => each.id === id).open(url);
      for (let i = 0; i < series; i++) pusher.inc(i);
    },

    /** Pushes once. Every turn records a value, as a service does. */
    async push() {
      const cpu = process.cpuUsage();
      const began = performance.now();
      let [last, stallMs, isPushing, turns] = [began, 0, true, 0];
      const turn = () => {
        const now = performance.now();
        stallMs = Math.max(stallMs, now - last);
        last = now;
        pusher.inc(turns++ % series);
        if (isPushing) setTimeout(turn, 0);
      };
      turn();
      await pusher.push();
      const ms = performance.now() - began;
      isPushing = false;
      const { user, system } = process.cpuUsage(cpu);
      // A timer waits for a millisecond even if nothing else happens.
      return { ms, stallMs: Math.max(0, stallMs - 1), cpuMs: (user + system) / 1000 };
    },
  };
}

const labelsOf = (i) => ({ method: i % 2 === 0 ? 'GET' : 'POST', route: `/route/${i % 100}`, user: `user-${i}` });

async function ours(url, protocol) {
  const { Counter, Registry, startPusher } = require('../dist/entry/index.js');
  const registry = new Registry({ cardinality: { maxSeries: 1_000_000, maxTotal: 2_000_000 } });
  const labelNames = ['method', 'route', 'user'];
  const counter = new Counter({ name: 'requests_total', help: 'Requests', labelNames, registers: [registry] });
  const pusher = await startPusher({ registry, url, protocol, job: 'bench', intervalMs: 3_600_000 });
  return { inc: (i) => counter.inc(labelsOf(i)), push: () => pusher.flush(60_000) };
}

async function openTelemetry(url) {
  const { MeterProvider, PeriodicExportingMetricReader } = require('@opentelemetry/sdk-metrics');
  const { OTLPMetricExporter } = require('@opentelemetry/exporter-metrics-otlp-proto');
  const exporter = new OTLPMetricExporter({ url, compression: 'gzip', timeoutMillis: 60_000 });
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: 3_600_000,
    exportTimeoutMillis: 3_000_000,
    cardinalityLimits: { counter: 1_000_000, default: 1_000_000 },
  });
  const provider = new MeterProvider({ readers: [reader] });
  const counter = provider.getMeter('bench').createCounter('requests_total');
  return { inc: (i) => counter.add(1, labelsOf(i)), push: () => provider.forceFlush() };
}

async function remoteWriteClient(url) {
  const { Counter, Registry } = require('prom-client');
  const { pushTimeseries } = require('prometheus-remote-write');
  const registry = new Registry();
  const labelNames = ['method', 'route', 'user'];
  const counter = new Counter({ name: 'requests_total', help: 'Requests', labelNames, registers: [registry] });
  return {
    inc: (i) => counter.inc(labelsOf(i)),
    async push() {
      const timestamp = Date.now();
      const series = (await registry.getMetricsAsJSON()).flatMap(({ name, values }) =>
        values.map(({ labels, value }) => ({
          labels: { __name__: name, job: 'bench', ...labels },
          samples: [{ value, timestamp }],
        })),
      );
      await pushTimeseries(series, { url });
    },
  };
}
