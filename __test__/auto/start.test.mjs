// The zero-code mode as a guest: what it prints, and that the program runs as it would without it.

import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { count } from '../support/count.mjs';
import { folder, IMPORT, print, REQUIRE, run } from './support/programs.mjs';

const NAMES = `import { register } from '@llm-devops/prometheus-metrics';\n`;
const LINE =
  /^prometheus-metrics: http:\/\/127\.0\.0\.1:\d+\/metrics shows process, Node\.js, HTTP servers and clients\n$/;

for (const [how, flags] of Object.entries({ import: IMPORT, require: REQUIRE, both: [...REQUIRE, ...IMPORT] })) {
  test(`--${how}: one line on stderr, default metrics, and the program ends by itself`, async (t) => {
    const path = folder(t, {
      'main.mjs': `${NAMES}${print('/^(process_cpu_user|nodejs_version)/')}\nsetTimeout(() => {}, 300);`,
    });
    const { code, stdout, stderr } = await run(path, 'main.mjs', { flags });
    t.is(code, 0);
    t.regex(stderr, LINE);
    if (how !== 'require') t.regex(stdout, /^process_cpu_user_seconds_total .*\nnodejs_version_info/);
  });
}

test('a CommonJS program with an empty main file ends with code 0', async (t) => {
  const path = folder(t, { 'main.cjs': '' });
  for (const flags of [IMPORT, REQUIRE]) t.is((await run(path, 'main.cjs', { flags })).code, 0);
});

test('a taken port: one line, and the program runs on', async (t) => {
  const taken = net.createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const path = folder(t, { 'main.mjs': `console.log('runs');` });
  const env = { METRICS_ENDPOINT_PORT: String(taken.address().port) };
  const { code, stdout, stderr } = await run(path, 'main.mjs', { env });
  t.deepEqual([code, stdout], [0, 'runs\n']);
  t.is(stderr.split('\n').length, 2);
  t.regex(stderr, /in use.*; the program runs on without an endpoint\n$/);
});

for (const [how, flags] of Object.entries({ import: IMPORT, require: REQUIRE })) {
  test(`--${how}: a closed stderr does not end the program`, async (t) => {
    const path = folder(t, { 'main.mjs': `setTimeout(() => console.log('runs'), 300);` });
    const { code, stdout } = await run(path, 'main.mjs', { flags, hasStderr: false });
    t.deepEqual([code, stdout], [0, 'runs\n']);
  });

  for (const addon of ['missing.node', 'broken.node']) {
    test(`--${how}: a ${addon.replace('.', ' ')}: one line, and the program runs on`, async (t) => {
      const path = folder(t, { 'main.mjs': `console.log('runs');`, 'broken.node': 'not an addon' });
      const env = { METRICS_ADDON_PATH: join(path, addon) };
      const { code, stdout, stderr } = await run(path, 'main.mjs', { flags, env });
      t.deepEqual([code, stdout], [0, 'runs\n'], stderr);
      t.regex(stderr, /^prometheus-metrics: does not measure this process: .*METRICS_ADDON_PATH.*\n$/);
    });
  }
}

test('an invalid setting: one line, and the program runs on', async (t) => {
  const path = folder(t, { 'main.mjs': `console.log('runs');` });
  const { code, stdout, stderr } = await run(path, 'main.mjs', { env: { METRICS_ENDPOINT_PORT: 'many' } });
  t.deepEqual([code, stdout], [0, 'runs\n']);
  t.regex(stderr, /^prometheus-metrics: .*METRICS_ENDPOINT_PORT.*\n$/);
});

test('METRICS_ENABLED=false: nothing is printed or measured', async (t) => {
  const path = folder(t, { 'main.mjs': `${NAMES}console.log(register.getMetricsAsArray().length);` });
  const { code, stdout, stderr } = await run(path, 'main.mjs', { env: { METRICS_ENABLED: 'false' } });
  t.deepEqual([code, stdout, stderr], [0, '0\n', '']);
});

const MANAGERS = [
  'node_modules/npm/bin/npm-cli.js',
  'node_modules/.bin/pnpm',
  '.yarn/releases/yarn-4.5.0.cjs',
  'corepack/v1/yarn/4.5.0/yarn.js',
  'corepack/v1/pnpm/9.0.0/bin/pnpm.cjs',
  'opt/yarn-v1.22.22/bin/yarn.js',
];

for (const file of count(MANAGERS.slice(0, 2), MANAGERS)) {
  test(`a package manager, which inherits NODE_OPTIONS, is left alone: ${file}`, async (t) => {
    const path = folder(t, { [file]: `console.log('manages');` });
    const { code, stdout, stderr } = await run(path, file);
    t.deepEqual([code, stdout, stderr], [0, 'manages\n', '']);
  });
}

for (const file of ['yarn.js', 'npm.mjs', 'src/npx.cjs', 'yarn/pnpm.js']) {
  test(`an application with the name of a package manager is measured: ${file}`, async (t) => {
    t.regex((await run(folder(t, { [file]: '' }), file)).stderr, LINE);
  });
}

test('programs below a measured one take the ports above', async (t) => {
  const path = folder(t, {
    'main.mjs': `import { execFileSync } from 'node:child_process';
const left = Number(process.argv[2] ?? 2);
const flags = ['--import', '@llm-devops/prometheus-metrics/auto', 'main.mjs', left - 1];
if (left > 0) execFileSync(process.execPath, flags.map(String), { stdio: 'inherit' });`,
  });
  const { code, stderr } = await run(path, 'main.mjs', { env: { METRICS_ENDPOINT_PORT: '29564' } });
  t.is(code, 0);
  t.is(stderr.split('\n').length, 4, stderr);
  t.deepEqual(
    [...stderr.matchAll(/:(\d+)\/metrics shows/g)].map(([, port]) => port),
    ['29564', '29565', '29566'],
  );
});

test('a program that needs the port of the exporter learns who has it', async (t) => {
  const path = folder(t, {
    'main.mjs': `import net from 'node:net';
net.createServer().listen(29664, '127.0.0.1').on('error', ({ code }) => console.log(code));`,
  });
  const { stdout, stderr } = await run(path, 'main.mjs', { env: { METRICS_ENDPOINT_PORT: '29664' } });
  t.is(stdout, 'EADDRINUSE\n');
  t.regex(
    stderr,
    /\nprometheus-metrics: port 29664 has the metrics of this process: METRICS_ENDPOINT_PORT sets another\n$/,
  );
});

test('a package that cannot be loaded is not listed', async (t) => {
  const files = {
    'main.mjs': `import('koa').catch(() => {});`,
    'main.cjs': `try { require('koa'); } catch {}`,
    'node_modules/koa/package.json': '{ "main": "missing.js" }',
  };
  const path = folder(t, files);
  for (const main of ['main.mjs', 'main.cjs']) t.regex((await run(path, main)).stderr, LINE, main);
});

test('a program that collects default metrics and starts an exporter by hand works as before', async (t) => {
  const path = folder(t, {
    'main.mjs': `import { collectDefaultMetrics, Histogram, register, startExporter } from '@llm-devops/prometheus-metrics';
collectDefaultMetrics({ labels: { service: 'mine' } });
const { port } = await startExporter({ port: Number(process.env.METRICS_ENDPOINT_PORT) });
const text = await (await fetch('http://127.0.0.1:' + port + '/metrics')).text();
console.log(port === Number(process.env.METRICS_ENDPOINT_PORT));
console.log(text.split('\\n').filter((line) => /^process_cpu_user|^nodejs_version/.test(line)).join('\\n'));`,
  });
  const free = net.createServer().listen(0, '127.0.0.1');
  await once(free, 'listening');
  const { port } = free.address();
  free.close();
  await once(free, 'close');
  const { code, stdout, stderr } = await run(path, 'main.mjs', { env: { METRICS_ENDPOINT_PORT: String(port) } });
  t.is(code, 0, stderr);
  t.regex(
    stdout,
    /^true\nprocess_cpu_user_seconds_total\{service="mine"\} [\d.]+\nnodejs_version_info\{.*service="mine"\} 1\n$/,
  );
});

test('a program with buckets of its own gets them', async (t) => {
  const path = folder(t, {
    'main.mjs': `import http from 'node:http';
import { createHttpMetrics, register } from '@llm-devops/prometheus-metrics';
const metrics = createHttpMetrics({ durationBuckets: [7], sizeBuckets: [8] });
const server = http.createServer((request, response) => {
  if (request.url === '/by-hand') metrics(request, response);
  response.end();
}).listen(0);
for (const path of ['/', '/by-hand']) await (await fetch('http://localhost:' + server.address().port + path)).text();
${print('/^llmdevops_http_request_duration_seconds_bucket/')}
server.close();`,
  });
  const { stdout, stderr } = await run(path, 'main.mjs');
  t.deepEqual(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.replace(/^.*(le="[^"]+").* (\d+)$/, '$1 $2')),
    ['le="7.0" 2', 'le="+Inf" 2'].map((line) => line.replace('.0', '')),
    stderr,
  );
});

test('other metrics of these names: one warning, and the program answers', async (t) => {
  const path = folder(t, {
    'main.mjs': `import http from 'node:http';
import { Gauge } from '@llm-devops/prometheus-metrics';
new Gauge({ name: 'llmdevops_http_requests_total', help: 'mine' });
const server = http.createServer((_, response) => response.end('answer')).listen(0);
for (let left = 3; left > 0; left--) console.log(await (await fetch('http://localhost:' + server.address().port)).text());
server.close();`,
  });
  const { code, stdout, stderr } = await run(path, 'main.mjs');
  t.deepEqual([code, stdout], [0, 'answer\nanswer\nanswer\n']);
  t.is(stderr.match(/PrometheusMetricsWarning/g).length, 1, stderr);
});

test('worker threads are measured, and only the main thread has an exporter', async (t) => {
  const path = folder(t, {
    'main.mjs': `import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
${NAMES}const worker = new Worker(new URL('worker.mjs', import.meta.url));
await once(worker, 'message');
${print('/^llmdevops_http_(client_)?requests_total/')}
await worker.terminate();`,
    'worker.mjs': `import http from 'node:http';
import { parentPort } from 'node:worker_threads';
const server = http.createServer((_, response) => response.end()).listen(0);
await (await fetch('http://localhost:' + server.address().port)).text();
server.close();
setTimeout(() => parentPort.postMessage('done'), 50);
setInterval(() => {}, 1000);`,
  });
  const { stdout, stderr } = await run(path, 'main.mjs');
  t.is(stderr.split('\n').length, 2, stderr);
  t.regex(stdout, /^llmdevops_http_client_requests_total\{method="GET",host="localhost:\d+",status_class="2xx"\} 1$/m);
  t.regex(stdout, /^llmdevops_http_requests_total\{method="GET",route="unmatched",status_class="2xx"\} 1$/m);
});

test('workers of a cluster take the ports above', async (t) => {
  const path = folder(t, {
    'main.mjs': `import cluster from 'node:cluster';
import { once } from 'node:events';
if (cluster.isPrimary) {
  for (const number of [1, 2]) await once(cluster.fork({ NUMBER: number }), 'message');
  for (const worker of Object.values(cluster.workers)) worker.kill();
} else {
  process.send('started');
}`,
  });
  const { stderr } = await run(path, 'main.mjs', { env: { METRICS_ENDPOINT_PORT: '29464' } });
  t.deepEqual(
    [...stderr.matchAll(/:(\d+)\/metrics shows/g)].map(([, port]) => port),
    ['29464', '29465', '29466'],
  );
});

test('the main entry loads nothing of the zero-code mode', async (t) => {
  const path = folder(t, {
    'main.cjs': `require('@llm-devops/prometheus-metrics');
console.log(Object.keys(require.cache).filter((file) => /auto-|servers|clients/.test(file)).length);`,
  });
  t.is((await run(path, 'main.cjs', { flags: [] })).stdout, '0\n');
});
