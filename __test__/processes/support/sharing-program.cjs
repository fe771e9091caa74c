// A process of a service that shares its metrics. Does what its parent asks, and answers each question on one line.

const { createInterface } = require('node:readline');
const { readdirSync, writeSync } = require('node:fs');
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');
const { Worker, isMainThread, workerData } = require('node:worker_threads');

const {
  Counter,
  Gauge,
  Histogram,
  Summary,
  register,
  shareProcesses,
  startExporter,
} = require('@llm-devops/prometheus-metrics');

const count = new Counter({ name: 'jobs_total', help: 'Jobs', labelNames: ['kind'] });
const times = new Histogram({ name: 'job_seconds', help: 'Times', labelNames: ['kind'], buckets: [1, 2, 3] });
const sizes = new Summary({ name: 'job_bytes', help: 'Sizes', percentiles: [0.5] });
const waits = new Histogram({ name: 'wait_seconds', help: 'Waits', nativeHistogramBucketFactor: 1.1 });
const gauges = ['sum', 'min', 'max', 'average', 'first', 'latest', 'omit'].map(
  (aggregator) => new Gauge({ name: `state_${aggregator}`, help: 'State', aggregator }),
);
setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');
let series = 0;
/** By port. */
const exporters = new Map();

/** What the parent may ask for. */
const commands = {
  share: (options) => shareProcesses(options).dir,
  count: ({ kind = 'a', times: number = 1 }) => {
    for (let done = 0; done < number; done += 1) count.inc({ kind });
    return number;
  },
  observe: ({ kind = 'a', value }) => {
    times.observe({ kind }, value);
    sizes.observe(value);
  },
  wait: ({ values }) => {
    for (const value of values) waits.observe(value);
  },
  gauge: ({ value }) => {
    for (const gauge of gauges) gauge.set(value);
  },
  remove: ({ kind }) => count.remove({ kind }),
  /** Makes series and removes them again, until the process is killed. */
  churn: () => {
    const churned = new Counter({ name: 'churn_total', help: 'Churn', labelNames: ['n', 'pad'] });
    // The totals keep the series of ended processes, so all have the same ones.
    const labelsOf = (number) => ({ n: number % 3000, pad: 'x'.repeat((number % 3000) % 300) });
    setInterval(() => {
      for (let done = 0; done < 200; done += 1) {
        series += 1;
        churned.inc(labelsOf(series));
        times.observe({ kind: `k${series % 50}` }, series % 4);
        if (series % 3 === 0) churned.remove(labelsOf(series - 1));
        if (series % 5000 === 0) churned.reset();
      }
    }, 0);
  },
  /** Makes series and removes them again. */
  spin: ({ series: number }) => {
    for (let n = 0; n < number; n += 1) count.inc({ kind: `spun ${n}` });
    for (let n = 0; n < number; n += 1) count.remove({ kind: `spun ${n}` });
  },
  fill: ({ series: number }) => {
    const limits = { cardinality: { maxSeries: number + 1 } };
    const filled = new Counter({ name: 'fill_total', help: 'Fill', labelNames: ['n'], ...limits });
    for (let n = 0; n < number; n += 1) filled.inc({ n });
  },
  /** Removes what `fill` has made, and makes other series. */
  replace: ({ series: number }) => {
    register.removeSingleMetric('fill_total');
    const limits = { cardinality: { maxSeries: number + 1 } };
    const other = new Counter({ name: 'other_total', help: 'Other', labelNames: ['n'], ...limits });
    for (let n = 0; n < number; n += 1) other.inc({ n }, 7);
  },
  metrics: () => register.metrics(),
  scrape: async (options) => {
    const { body } = await register.scrape(options);
    return body.toString();
  },
  exporter: async (options) => {
    const exporter = await startExporter({ host: '127.0.0.1', ...options });
    exporters.set(options.port, exporter);
    return exporter.url;
  },
  ready: ({ port, ready }) => exporters.get(port).setReady(ready),
  close: ({ port }) => exporters.get(port).close(),
  /** What the workers of this process would join. */
  run: () => process.env.PROMETHEUS_METRICS_RUN,
  /** Counts each value once, in a metric with a limit of its own. */
  limited: ({ values, maxSeries }) => {
    const limited = new Counter({
      name: 'limited_total',
      help: 'Limited',
      labelNames: ['n'],
      cardinality: { maxSeries },
    });
    for (const n of values) limited.inc({ n });
  },
  processes: () => shareProcesses().processes(),
  /** What this process holds. */
  resources: () => {
    gc();
    return { descriptors: readdirSync('/proc/self/fd').length, bytes: process.memoryUsage.rss() };
  },
  chdir: ({ dir }) => process.chdir(dir),
  /** Counts in a worker thread; ends it if asked. */
  thread: async ({ times: number, end }) => {
    const worker = new Worker(__filename, { workerData: { number } });
    await new Promise((resolve) => worker.once('message', resolve));
    if (end) await worker.terminate();
  },
};

if (isMainThread) {
  createInterface({ input: process.stdin }).on('line', async (line) => {
    const { command, options } = JSON.parse(line);
    let answer;
    try {
      answer = { value: await commands[command](options ?? {}) };
    } catch (error) {
      answer = { error: `${error.code}: ${error.message}` };
    }
    writeSync(1, `${JSON.stringify(answer)}\n`);
  });
} else {
  commands.count({ kind: 'thread', times: workerData.number });
  require('node:worker_threads').parentPort.postMessage('counted');
  setInterval(() => {}, 1000);
}
