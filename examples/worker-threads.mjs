// Worker threads: each thread makes the same metrics and records. A scrape of the main thread shows the sum, also after
// the threads have ended; no messages, no aggregator. This is JavaScript because Node.js 20 starts threads from it alone.
//
//   node examples/worker-threads.mjs

import { once } from 'node:events';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { Counter, Histogram, register } from '@llm-devops/prometheus-metrics';

const jobs = new Counter({ name: 'jobs_total', help: 'Jobs done', labelNames: ['queue'] });
jobs.init({ queue: ['mail', 'images'] }); // both begin at 0
const sizes = new Histogram({ name: 'job_size_bytes', help: 'Sizes of jobs', buckets: [100, 1000] });

async function main() {
  const workers = ['mail', 'mail', 'images'].map(
    (queue) => new Worker(new URL(import.meta.url), { workerData: { queue } }),
  );
  jobs.inc({ queue: 'main' });
  await Promise.all(workers.map((worker) => once(worker, 'exit')));
  console.log(await register.metrics());
}

function work(queue) {
  for (let job = 0; job < 1000; job++) {
    jobs.inc({ queue });
    sizes.observe(job < 400 ? 80 : 640);
  }
}

if (isMainThread) await main();
else work(workerData.queue);
