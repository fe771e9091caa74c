// Worker threads whose main thread and workers each load the library that the scenario names. Runs the scenario's steps,
// and prints what each of them came to, as JSON.

const { once } = require('node:events');
const { setTimeout: sleep } = require('node:timers/promises');
const { BroadcastChannel, isMainThread, parentPort, Worker, workerData } = require('node:worker_threads');
const { record } = require('./metrics.cjs');

const BEHAVIOURS = {
  ordinary: () => {},
  hanging: ({ Gauge }) => new Gauge({ name: 'hanging', help: 'x', collect: () => new Promise(() => {}) }),
  failing: ({ register }) => {
    register.getMetricsAsJSON = () => Promise.reject(new Error('no metrics today'));
  },
  talkative: () => {
    const channel = new BroadcastChannel('@prometheus-io/client:announce');
    for (const message of [null, 'text', [], {}, { type: '@prometheus-io/client:announcement' }, { type: 'else' }]) {
      channel.postMessage(message);
    }
    channel.unref();
  },
};

function work() {
  const { library, seed, behaviour = 'ordinary' } = workerData;
  const client = require(library);
  record(client, seed);
  BEHAVIOURS[behaviour](client);
  const registry = new client.WorkerRegistry();
  parentPort.on('message', async (message) => {
    if (message !== 'goodbye') return;
    await registry.shutdown();
    parentPort.postMessage('gone');
  });
  parentPort.postMessage('ready');
}

async function lead() {
  const scenario = JSON.parse(process.argv[2]);
  const { library, isLate = false } = scenario.primary;
  const client = require(library);
  let registry = isLate ? undefined : new client.WorkerRegistry();
  const workers = [];
  for (const each of scenario.workers) {
    const worker = new Worker(__filename, { workerData: each });
    workers.push(worker);
    await once(worker, 'message');
  }
  registry ??= new client.WorkerRegistry();
  // Announcements travel by themselves.
  while (client.WorkerRegistry.workerCount() < workers.length) await sleep(10);
  const scrape = () =>
    registry.workerMetrics().then(
      (text) => ({ text }),
      ({ message }) => ({ error: message }),
    );
  const STEPS = {
    scrape,
    scrapeTwice: () => Promise.all([scrape(), scrape()]),
    scrapeAndEnd: async (index) => {
      const scraped = scrape();
      await sleep(100);
      await workers[index].terminate();
      return scraped;
    },
    end: async (index) => {
      await workers[index].terminate();
    },
    goodbye: async (index) => {
      workers[index].postMessage('goodbye');
      await once(workers[index], 'message');
    },
    count: () => client.WorkerRegistry.workerCount(),
  };
  const results = [];
  for (const [name, argument] of scenario.steps) {
    const result = await STEPS[name](argument);
    if (result !== undefined) results.push(result);
  }
  process.stdout.write(JSON.stringify(results), () => process.exit(0));
}

if (isMainThread) lead();
else work();
