// The main thread and three workers count; a fourth worker collects them, as a program may ask for in the successor. Prints
// its exposition. The first argument is the library.

const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

const library = process.argv[2] ?? workerData.library;
const { Counter, Gauge, WorkerRegistry } = require(library);

const isCollector = workerData?.isCollector === true;
const registry = new WorkerRegistry(WorkerRegistry.PROMETHEUS_CONTENT_TYPE, isCollector);

if (!isCollector) {
  const value = isMainThread ? 100 : 1;
  new Counter({ name: 'jobs_total', help: 'Jobs' }).inc(value);
  new Gauge({ name: 'queue', help: 'Queue' }).set(value);
}

if (isMainThread) {
  const start = (more) => new Worker(__filename, { argv: [], workerData: { library, ...more } });
  const collector = start({ isCollector: true });
  for (let index = 0; index < 3; index++) start({});
  collector.on('message', (text) => {
    process.stdout.write(text, () => process.exit());
  });
} else if (isCollector) {
  const scrape = async () => {
    // The threads announce themselves in any order.
    if (WorkerRegistry.workerCount() < 4) return setTimeout(scrape, 20);
    return parentPort.postMessage(await registry.workerMetrics());
  };
  scrape();
} else {
  parentPort.on('message', () => {});
}
