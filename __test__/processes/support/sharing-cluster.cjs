// A cluster that shares its metrics. Prints what its registries and its exporter show, before and after a worker is killed.

const cluster = require('node:cluster');
const { once } = require('node:events');
const { mkdirSync, rmdirSync, rmSync } = require('node:fs');
const { join, relative } = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const metrics = require(process.env.WORKER_LIBRARY ?? '@llm-devops/prometheus-metrics');
const { how, dir, workers } = JSON.parse(process.argv[2]);

async function primary() {
  const { AggregatorRegistry, ClusterRegistry, Counter, register, shareProcesses, startExporter } = metrics;
  process.env.METRICS_PROCESSES_DIR = dir;
  let run;
  const exporter = how === 'exporter' ? await startExporter({ host: '127.0.0.1', port: 0 }) : undefined;
  if (exporter === undefined) {
    delete process.env.METRICS_PROCESSES_DIR;
    if (how === 'cwd') cluster.setupPrimary({ cwd: '/' });
    const folder = how === 'cwd' ? relative(process.cwd(), dir) : dir;
    if (how !== 'workers') run = shareProcesses({ dir: folder, ...(how === 'label' ? { workerLabel: true } : {}) });
  }
  // A lock that no process can take.
  const lock = how === 'locked' ? join(run.dir, 'lock') : undefined;
  if (lock !== undefined) {
    rmSync(lock);
    mkdirSync(lock);
  }
  new Counter({ name: 'jobs_total', help: 'Jobs' }).inc(1000);
  const registries = { AggregatorRegistry: new AggregatorRegistry(), ClusterRegistry: new ClusterRegistry() };
  const forked = [];
  for (const library of workers) {
    const worker = cluster.fork({ WORKER_LIBRARY: library });
    await new Promise((resolve) => worker.on('message', (message) => message === 'counted' && resolve()));
    forked.push(worker);
  }
  const shown = [];
  const show = async () => {
    const texts = { default: await register.metrics() };
    for (const [name, registry] of Object.entries(registries)) texts[name] = await registry.clusterMetrics();
    if (exporter !== undefined) texts.exporter = await (await fetch(`${exporter.url}/metrics`)).text();
    shown.push(texts);
  };
  await show();
  if (lock === undefined) {
    forked[0].process.kill('SIGKILL');
    await once(forked[0], 'exit');
  } else {
    rmdirSync(lock);
    for (const end = Date.now() + 20_000; Date.now() < end; await sleep(50)) {
      if ((await register.metrics()).includes('jobs_total 1001')) break;
    }
  }
  await show();
  for (const worker of forked) worker.kill();
  process.stdout.write(JSON.stringify(shown), () => process.exit(0));
}

function work() {
  if (how === 'workers') metrics.shareProcesses({ dir });
  new metrics.AggregatorRegistry();
  if (how === 'chosen') {
    const chosen = new metrics.Registry();
    new metrics.Counter({ name: 'chosen_total', help: 'Chosen', registers: [chosen] }).inc(10 * cluster.worker.id);
    metrics.ClusterRegistry.setRegistries(chosen);
  }
  new metrics.Counter({ name: 'jobs_total', help: 'Jobs' }).inc(cluster.worker.id);
  // Only after the registry has said that it is there.
  setTimeout(() => process.send('counted'), 50);
}

if (cluster.isPrimary) primary();
else work();
