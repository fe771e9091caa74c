// The services of push.mjs: each has counters with values and pushes them when it is asked. It notes how long the turns of
// its event loop took meanwhile.

import { createRequire } from 'node:module';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

const require = createRequire(import.meta.url);

/** All pushers, in the order of the report. */
export const PUSHERS = [
  { id: 'none', title: 'none: for 300 ms', open: idle },
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

    /** Pushes once. Every turn of the event loop records a value, as a service does; `turnsMs` has how late the turns were. */
    async push() {
      const turnsMs = [];
      const [all, own] = [process.cpuUsage(), mainThreadCpu()];
      const began = performance.now();
      let [last, isPushing] = [began, true];
      const turn = () => {
        const now = performance.now();
        // A timer waits for a millisecond even if nothing else happens.
        turnsMs.push(Math.max(0, now - last - 1));
        last = now;
        pusher.inc(turnsMs.length % series);
        if (isPushing) setTimeout(turn, 0);
      };
      turn();
      await pusher.push();
      const ms = performance.now() - began;
      isPushing = false;
      const mainCpuMs = milliseconds(mainThreadCpu(own));
      return { ms, turnsMs, mainCpuMs, otherCpuMs: Math.max(0, milliseconds(process.cpuUsage(all)) - mainCpuMs) };
    },
  };
}

const milliseconds = ({ user, system }) => (user + system) / 1000;

/** The processor time of the main thread; of the whole process where Node.js cannot tell. */
function mainThreadCpu(since) {
  return (process.threadCpuUsage ?? process.cpuUsage).call(process, since);
}

const labelsOf = (i) => ({ method: i % 2 === 0 ? 'GET' : 'POST', route: `/route/${i % 100}`, user: `user-${i}` });

/** Only records: what the event loop does without a push. */
async function idle() {
  const { Counter, Registry } = require('prom-client');
  const labelNames = ['method', 'route', 'user'];
  const counter = new Counter({ name: 'requests_total', help: 'Requests', labelNames, registers: [new Registry()] });
  return { inc: (i) => counter.inc(labelsOf(i)), push: () => sleep(300) };
}

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
