// The examples of docs/http-metrics.md and docs/frameworks.md do what they are there for: run as they stand, at ports
// of their own.

import { spawn } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import test from 'ava';
import { ask, until } from '../http/metrics/support/ledger.mjs';

const root = new URL('../../', import.meta.url);
const TELLING = new URL('support/telling.mjs', import.meta.url).href;

/** The JavaScript of a page, block by block. */
async function examples(page) {
  const text = await readFile(new URL(`docs/${page}`, root), 'utf8');
  return [...text.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, source]) => source);
}

let started = 0;

async function start(t, source) {
  // Inside the package, so that it finds the package by its name.
  const file = new URL(`__test__/.readme-docs-${process.pid}-${++started}.mjs`, root);
  await writeFile(file, source);
  const child = spawn(process.execPath, ['--import', TELLING, file.pathname], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(async () => {
    child.kill();
    await rm(file);
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  await until(() => /^port \d+\n/m.test(output));
  return {
    port: Number(/^port (\d+)\n/m.exec(output)[1]),
    registry: async () => {
      output = '';
      child.stdin.write('tell\n');
      await until(() => output.endsWith('# told\n'));
      return output;
    },
  };
}

const [HTTP_METRICS, DOORS] = await Promise.all(['http-metrics.md', 'frameworks.md'].map(examples));
const isServer = (source) => /listen\(|serve\(/.test(source);

test('there are examples', (t) => {
  t.deepEqual(
    [HTTP_METRICS, DOORS].map((all) => [all.length, all.filter(isServer).length]),
    [
      [6, 5],
      [5, 4],
    ],
  );
});

for (const source of HTTP_METRICS.filter(isServer)) {
  test(`HTTP metrics: ${/from '(?!node:|@llm)([^']+)'/.exec(source)?.[1] ?? 'node:http'}`, async (t) => {
    const { port, registry } = await start(t, source);
    for (const id of ['one', 'two']) t.is((await ask(port, 'GET', `/items/${id}`)).body.toString(), id);
    const line = 'llmdevops_http_requests_total{method="GET",route="/items/:id",status_class="2xx"} 2';
    await until(async () => (await registry()).includes(line));
    t.is((await registry()).match(/^llmdevops_http_requests_total\{/gm).length, 1);
  });
}

for (const source of DOORS.filter(isServer)) {
  test(`the endpoint: ${/from '(?!node:|@llm)([^']+)'/.exec(source)[1]}`, async (t) => {
    const { port } = await start(t, source);
    for (const path of ['/metrics', '/health', '/ready']) t.is((await ask(port, 'GET', path)).status, 200, path);
    t.is((await ask(port, 'POST', '/metrics')).status, 405);
    t.is((await ask(port, 'GET', '/nothing')).status, 404);
  });
}

test('Next.js: route handlers are functions', async (t) => {
  const load = async (source) => {
    const file = new URL(`__test__/.readme-docs-${process.pid}-${++started}.mjs`, root);
    await writeFile(file, source);
    t.teardown(() => rm(file));
    return import(file);
  };
  const { GET: getItem } = await load(HTTP_METRICS.find((source) => !isServer(source)));
  const item = await getItem(new Request('http://x/items/7'), { params: Promise.resolve({ id: '7' }) });
  t.deepEqual(await item.json(), { id: '7' });
  const { GET, HEAD, dynamic } = await load(DOORS.find((source) => !isServer(source)));
  t.is(dynamic, 'force-dynamic');
  const response = await GET(new Request('http://x/metrics'));
  t.is(response.status, 200);
  const line = 'llmdevops_http_requests_total{method="GET",route="/items/[id]",status_class="2xx"} 1';
  const text = await response.text();
  t.true(text.includes(line), text);
  const head = await HEAD(new Request('http://x/metrics', { method: 'HEAD' }));
  // The endpoint's own metrics have changed meanwhile.
  t.true(Number(head.headers.get('content-length')) > text.length / 2);
  t.is(await head.text(), '');
});
