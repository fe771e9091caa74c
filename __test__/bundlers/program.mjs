/**
 * The program that is bundled, and how its bundle is tried: it is built in one folder, moved to another, and run there
 * after the first folder is gone.
 */
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { copyAddon, install, NAME } from './packed.mjs';
import { run, work, write } from './shell.mjs';

/**
 * Records in this thread and in a worker, which runs the same file; records an agent; prints what a scrape shows; pushes, for
 * which the library starts a worker of its own.
 */
const PROGRAM = `import { once } from 'node:events';
import { createServer } from 'node:http';
import { isMainThread, Worker } from 'node:worker_threads';
import { AgentMetricsCollector, Counter, Histogram, Registry, register, startPusher } from '${NAME}';

const jobs = new Counter({ name: 'jobs_total', help: 'Jobs', labelNames: ['queue'] });
const seconds = new Histogram({ name: 'job_seconds', help: 'Duration', labelNames: ['queue'], buckets: [1, 2] });

async function main() {
  jobs.inc({ queue: 'mail' }, 2);
  seconds.observe({ queue: 'mail' }, 1.5);
  const registry = new Registry();
  const agents = new AgentMetricsCollector({ registry });
  await agents.run('writer', async () => undefined);
  if (process.env.WITHOUT_WORKER === undefined) {
    await once(new Worker(process.argv[1]), 'exit');
  } else {
    jobs.inc({ queue: 'mail' }, 40);
  }
  process.stdout.write(await register.metrics());
  const { values } = await registry.getSingleMetric('llmdevops_agent_executions_total').get();
  console.log(values.filter(({ value }) => value > 0).map(({ labels, value }) => [labels.status, value].join(' ')).join());
  await push(registry);
}

async function push(registry) {
  const receiver = createServer((request, response) => request.resume().on('end', () => response.end()));
  await once(receiver.listen(0, '127.0.0.1'), 'listening');
  const url = 'http://127.0.0.1:' + receiver.address().port;
  const pusher = await startPusher({ registry, url, protocol: 'pushgateway' });
  await pusher.flush();
  await pusher.close();
  receiver.close();
  console.log('pushed', pusher.stats().pushes > 0);
}

if (isMainThread) main();
else jobs.inc({ queue: 'mail' }, 40);
`;

const EXPECTED = `# HELP jobs_total Jobs
# TYPE jobs_total counter
jobs_total{queue="mail"} 42

# HELP job_seconds Duration
# TYPE job_seconds histogram
job_seconds_bucket{le="1",queue="mail"} 0
job_seconds_bucket{le="2",queue="mail"} 1
job_seconds_bucket{le="+Inf",queue="mail"} 1
job_seconds_sum{queue="mail"} 1.5
job_seconds_count{queue="mail"} 1
success 1
pushed true
`;

let made = 0;

/** Makes a folder with the program in `app.mjs`, the package in `node_modules`, and further files. */
export function application(files = {}) {
  made += 1;
  const folder = join(work, `application-${made}`);
  mkdirSync(folder);
  install(folder);
  return write(folder, {
    'package.json': { name: 'application', version: '1.0.0', private: true },
    'app.mjs': PROGRAM,
    ...files,
  });
}

/** Moves what a build made in the folder of an application to another place, and deletes the application. */
export function move(folder, output) {
  const place = join(work, `moved-${made}`, 'deeper', 'place');
  mkdirSync(dirname(place), { recursive: true });
  renameSync(join(folder, output), place);
  rmSync(folder, { recursive: true, force: true });
  return place;
}

/** Compares the whole output of a program that runs in another folder. */
export async function expectOutput(folder, command, env = {}) {
  const received = await run(folder, command, { env });
  if (received !== EXPECTED) throw new Error(`expected\n${EXPECTED}\nreceived\n${received}`);
}

/** Moves a build that has the package outside, installs the package beside it, and runs it. */
export async function runExternal(folder, output, file, { runtime = process.execPath } = {}) {
  const place = move(folder, output);
  install(place);
  await expectOutput(place, [runtime, file]);
}

/**
 * Moves a build that has the package inside, and runs it with the addon's file beside it. Without the file it must fail
 * and say what to do.
 */
export async function runBundled(folder, output, file, { runtime = process.execPath } = {}) {
  const place = move(folder, output);
  await expectAdvice(place, [runtime, file]);
  await expectOutput(place, [runtime, file], { METRICS_ADDON_PATH: copyAddon(place) });
}

/** A bundle without the addon must fail, and name the two ways out. */
export async function expectAdvice(place, command, env = {}) {
  const error = await run(place, command, { env }).then(
    () => new Error('expected it to fail without the addon, but it ran'),
    (thrown) => thrown,
  );
  if (!/runs from a bundle without the addon\. [^\n]*METRICS_ADDON_PATH/.test(error.message)) throw error;
}

/** Moves a build that contains the addon, and runs it. */
export async function runWhole(folder, output, file) {
  await expectOutput(move(folder, output), [process.execPath, file]);
}
