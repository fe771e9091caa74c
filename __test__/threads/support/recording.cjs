// Shared by the test files of the runner fixtures: records the same names in the default registry, also in a worker.

const { once } = require('node:events');
const { isMainThread, Worker } = require('node:worker_threads');

/** Records, and answers with the exposition. */
exports.record = async ({ Counter, Gauge, Histogram, register }, value) => {
  const counter = new Counter({ name: 'files_total', help: 'Files', labelNames: ['kind'] });
  counter.inc({ kind: 'own' }, value);
  new Gauge({ name: 'value', help: 'Value' }).set(value);
  new Histogram({ name: 'values', help: 'Values', buckets: [1, 2, 3] }).observe(value);
  const work = `
    const { Counter } = require(${JSON.stringify(require.resolve('@llm-devops/prometheus-metrics'))});
    new Counter({ name: 'files_total', help: 'Files', labelNames: ['kind'] }).inc({ kind: 'thread' }, ${value});`;
  await once(new Worker(work, { eval: true }), 'exit');
  return register.metrics();
};

/** The expected exposition, independent of other files: a thread's own, or a main thread's with its worker. */
exports.exposition = (value) => `# HELP files_total Files
# TYPE files_total counter
files_total{kind="own"} ${value}
${isMainThread ? `files_total{kind="thread"} ${value}\n` : ''}
# HELP value Value
# TYPE value gauge
value ${value}

# HELP values Values
# TYPE values histogram
values_bucket{le="1"} ${Number(value <= 1)}
values_bucket{le="2"} ${Number(value <= 2)}
values_bucket{le="3"} ${Number(value <= 3)}
values_bucket{le="+Inf"} 1
values_sum ${value}
values_count 1
`;

/** Where this file runs: a runner that quietly chose another way than it was told would prove nothing. */
exports.place = () => {
  if (!isMainThread) return 'thread';
  return process.ppid === Number(process.env.RUNNER_PARENT) ? 'runner' : 'process';
};
