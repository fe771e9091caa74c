// A cluster whose primary has not called `shareProcesses()`. Prints what each step came to.

const cluster = require('node:cluster');
const { once } = require('node:events');
const { existsSync, rmSync, writeFileSync } = require('node:fs');
const { setTimeout: sleep } = require('node:timers/promises');

const OURS = '@llm-devops/prometheus-metrics';
const { how, registry = 'AggregatorRegistry', options, port, gate, output } = JSON.parse(process.argv[2]);
const folderOf = () => process.env.PROMETHEUS_METRICS_RUN?.split(':')[2];

/** Waits for a message of a worker that is not about metrics. */
const said = (worker, word) =>
  new Promise((resolve) => worker.on('message', (message) => message === word && resolve()));

async function fork() {
  const worker = cluster.fork();
  await said(worker, how === 'slow' ? 'loading' : 'counted');
  return worker;
}

async function primary() {
  const { Counter, register, shareProcesses, startExporter, ...client } = require(OURS);
  new Counter({ name: 'jobs_total', help: 'Jobs' }).inc(1000);
  const results = { said: [] };
  process.on('warning', ({ message }) => results.said.push(message));
  if (how === 'shared before') results.dir = shareProcesses(options).dir;
  const workers = how === 'forked before' ? [await fork()] : [];
  const exporter = how === 'exporter' ? await startExporter({ host: '127.0.0.1', port }) : undefined;
  const cluster_ = exporter === undefined ? new client[registry]() : undefined;
  const read = () => (cluster_ ? cluster_.clusterMetrics() : fetch(`${exporter.url}/metrics`).then((it) => it.text()));
  results.folder = folderOf();
  results.existed = existsSync(results.folder ?? '/nowhere');
  if (how === 'shared between') results.dir = shareProcesses(options).dir;
  if (how === 'orphaned') {
    const parent = process.ppid;
    writeFileSync(gate, '');
    while (process.ppid === parent) await sleep(10);
  }
  if (how !== 'alone') workers.push(await fork());
  results.exists = existsSync(results.folder ?? '/nowhere');
  if (how === 'shared after') results.dir = shareProcesses(options).dir;
  const counted = how === 'slow' ? said(workers[0], 'counted') : undefined;
  results.texts = [await read()];
  await counted;
  for (const worker of workers) {
    worker.process.kill('SIGKILL');
    await once(worker, 'exit');
  }
  results.texts.push(await read(), (await register.scrape()).body.toString());
  results.own = [await register.metrics(), JSON.stringify(await register.getMetricsAsJSON())];
  // Warnings come later.
  await sleep(50);
  for (const folder of [results.folder, folderOf()]) if (folder) rmSync(folder, { recursive: true, force: true });
  if (output !== undefined) writeFileSync(output, JSON.stringify(results));
  process.stdout.write(JSON.stringify(results), () => process.exit(0));
}

async function work() {
  process.channel.ref();
  // A request that arrives meanwhile waits.
  if (how === 'slow') {
    process.send('loading');
    await sleep(500);
  }
  const { Counter, startExporter, ...client } = require(OURS);
  if (how !== 'without registry' && how !== 'exporter') new client[registry]();
  new Counter({ name: 'jobs_total', help: 'Jobs' }).inc(1);
  if (how === 'exporter') await startExporter({ host: '127.0.0.1', port });
  process.send('counted');
}

if (cluster.isPrimary) primary();
else work();
