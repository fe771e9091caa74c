// Compares what the zero-code mode records for a corpus of routers and requests with what the middleware records, in programs
// of their own, and with both together.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';

const PROGRAM = new URL('support/corpus.mjs', import.meta.url).pathname;
const AUTO = ['--import', '@llm-devops/prometheus-metrics/auto'];

async function run(framework, hand, flags) {
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, PROGRAM, framework, hand], {
    cwd: import.meta.dirname,
    env: { ...process.env, METRICS_ENDPOINT_PORT: '0' },
  });
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

const FRAMEWORKS = ['node:http', 'Express 4', 'Express 5', 'Koa', 'Fastify', 'Hono', 'NestJS'];

for (const framework of FRAMEWORKS) {
  test(`${framework}: the same routes, classes and sizes as the middleware, and nothing twice with it`, async (t) => {
    const hand = await run(framework, 'hand', []);
    t.true(hand.length > 10, 'the middleware records');
    t.deepEqual(await run(framework, 'none', AUTO), hand, 'without the middleware');
    t.deepEqual(await run(framework, 'hand', AUTO), hand, 'with the middleware');
  });
}
