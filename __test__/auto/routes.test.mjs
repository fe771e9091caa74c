// Compares what the zero-code mode records for a corpus of routers and requests with what the middleware records, in programs
// of their own, and with both together.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { count } from '../support/count.mjs';

const AUTO = ['--import', '@llm-devops/prometheus-metrics/auto'];

async function run(framework, hand, flags) {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...flags, join(import.meta.dirname, 'support/corpus', `${framework}.mjs`), hand],
    {
      cwd: import.meta.dirname,
      env: { ...process.env, METRICS_ENDPOINT_PORT: '0' },
    },
  );
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

/** Three that are seen in different ways, and the others. */
const LOCALLY = ['express-5', 'fastify', 'hono'];
const FRAMEWORKS = [...LOCALLY, 'node', 'express-4', 'koa', 'nest'];

for (const framework of count(LOCALLY, FRAMEWORKS)) {
  test(`${framework}: the same routes, classes and sizes as the middleware, and nothing twice with it`, async (t) => {
    const hand = await run(framework, 'hand', []);
    t.true(hand.length > 10, 'the middleware records');
    const [alone, both] = await Promise.all([run(framework, 'none', AUTO), run(framework, 'hand', AUTO)]);
    t.deepEqual(alone, hand, 'without the middleware');
    t.deepEqual(both, hand, 'with the middleware');
  });
}
