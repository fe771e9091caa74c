// A cluster whose primary and workers each load the library that the scenario names. Runs the scenario's steps, and prints
// what each of them came to, as JSON.

const cluster = require('node:cluster');
const { once } = require('node:events');
const { rmSync } = require('node:fs');
const { setTimeout: sleep } = require('node:timers/promises');
const { record } = require('./metrics.cjs');

const scenario = JSON.parse(process.argv[2]);

/** What workers do besides counting. */
const BEHAVIOURS = {
  ordinary: () => {},
  /** Never answers: a callback of its registry does not end. */
  hanging: ({ Gauge }) => new Gauge({ name: 'hanging', help: 'x', collect: () => new Promise(() => {}) }),
  /** Answers, but after some time. */
  late: ({ Gauge }) => new Gauge({ name: 'late', help: 'x', collect: () => sleep(scenario.lateMs) }),
  /** Has numbers that JSON does not have. */
  unusual: ({ Gauge }) => {
    const gauge = new Gauge({ name: 'g', help: 'g', labelNames: ['a'] });
    for (const value of [Number.NaN, Infinity, -Infinity, 0]) gauge.set({ a: String(value) }, value);
  },
  /** Ends with values that cannot be read. */
  strange: () => {
    const metrics = [[null, { name: 'm', type: 'counter', values: [null] }]];
    process.send({ type: '@prometheus-io/client:goodbye', requestId: 0, metrics });
  },
  failing: ({ register }) => {
    register.getMetricsAsJSON = () => Promise.reject(new Error('no metrics today'));
  },
  talkative: () => {
    for (const message of [null, 'text', 7, [], {}, { type: null }, { type: 'else', requestId: 0 }])
      process.send(message);
    for (const type of ['prom-client:getMetricsRes', '@prometheus-io/client:getMetricsRes']) {
      for (const metrics of [undefined, null, 'x', [null], [[{}]]]) process.send({ type, requestId: 99, metrics });
    }
    // Answers to requests that were never sent, with invalid metrics.
    process.on('message', ({ type, requestId }) => {
      const wrong = [null, 7, {}, { name: 'm' }, { name: 'm', values: 7 }, { name: 'm', slots: [], labels: 7 }];
      if (type?.endsWith('Req'))
        process.send({ type: type.replace('Req', 'Res'), requestId: requestId + 50, metrics: [wrong] });
    });
  },
};

function work() {
  const { library, registry = 'AggregatorRegistry', seed, behaviour = 'ordinary' } = JSON.parse(process.env.WORKER);
  const client = require(library);
  record(client, seed);
  BEHAVIOURS[behaviour](client);
  const aggregator = registry === null ? undefined : new client[registry]();
  process.on('message', async (message) => {
    if (message === 'goodbye') {
      await aggregator.shutdown();
      process.send('gone');
    }
    if (message === 'impatient goodbye') {
      const error = await aggregator.shutdown(50).catch((error) => error);
      process.send(error.message === 'Timeout' && error.code === 'CLUSTER_FAILED' ? 'not gone' : String(error));
    }
    if (message === 'count') client.register.getSingleMetric('requests_total').inc({ path: '/new' });
    if (message === 'count') process.send('counted');
  });
  process.send('ready');
}

/** Waits for a message of a worker that is not about metrics. */
function said(worker, word) {
  return new Promise((resolve) => {
    worker.on('message', function receive(message) {
      if (message !== word) return;
      worker.off('message', receive);
      resolve();
    });
  });
}

async function fork(each) {
  const worker = cluster.fork({ WORKER: JSON.stringify(each) });
  await said(worker, 'ready');
  return worker;
}

async function lead() {
  const { library, registry = 'AggregatorRegistry', isLate = false, seed } = scenario.primary;
  const client = require(library);
  if (seed !== undefined) record(client, seed);
  // A registry that the program has chosen is asked by message.
  if (!scenario.shares) client[registry].setRegistries(client.register);
  let aggregator = isLate ? undefined : new client[registry](...(scenario.arguments ?? []));
  const workers = [];
  for (const each of scenario.workers) workers.push(await fork(each));
  aggregator ??= new client[registry](...(scenario.arguments ?? []));
  const scrape = () =>
    aggregator.clusterMetrics().then(
      (text) => ({ text }),
      ({ message }) => ({ error: message }),
    );
  const STEPS = {
    scrape,
    scrapeTwice: async () => Promise.all([scrape(), scrape()]),
    scrapeAndKill: async (index) => {
      const scraped = scrape();
      await sleep(200);
      workers[index].process.kill('SIGKILL');
      return scraped;
    },
    kill: async (index) => {
      workers[index].process.kill('SIGKILL');
      if (!workers[index].isDead()) await once(workers[index], 'exit');
    },
    goodbye: async (index) => {
      workers[index].send('goodbye');
      await said(workers[index], 'gone');
    },
    impatientGoodbye: async (index) => {
      workers[index].send('impatient goodbye');
      await said(workers[index], 'not gone');
    },
    count: async (index) => {
      workers[index].send('count');
      await said(workers[index], 'counted');
    },
    fork: async (each) => {
      workers.push(await fork(each));
    },
    sleep: (ms) => sleep(ms),
  };
  const results = [];
  for (const [name, argument] of scenario.steps) {
    const result = await STEPS[name](argument);
    if (result !== undefined) results.push(result);
  }
  const [, , folder] = process.env.PROMETHEUS_METRICS_RUN?.split(':') ?? [];
  for (const worker of workers) worker.process.kill('SIGKILL');
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  process.stdout.write(JSON.stringify(results), () => process.exit(0));
}

process.on('unhandledRejection', (error) => {
  console.error(error);
  process.exit(1);
});
if (cluster.isPrimary) lead();
else work();
