// A primary of node:cluster shares its metrics without being asked to: a registry of clusters or an exporter is enough.

import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { seriesValue } from '../support/exposition.mjs';
import { freePort } from '../support/ports.mjs';

const onLinux = process.platform === 'linux' ? test : test.skip;

const program = fileURLToPath(new URL('support/sharing-workers.cjs', import.meta.url));

async function run(how, more = {}, env = {}) {
  const { stdout } = await promisify(execFile)(process.execPath, [program, JSON.stringify({ how, ...more })], {
    env: { ...process.env, ...env },
    timeout: 60_000,
  });
  return read(stdout);
}

function read(stdout) {
  const { texts, own, ...results } = JSON.parse(stdout);
  const [text, objects] = own;
  const inObjects = JSON.parse(objects).find(({ name }) => name === 'jobs_total').values[0].value;
  return {
    ...results,
    totals: texts.map((text) => seriesValue(text, 'jobs_total')),
    own: [seriesValue(text, 'jobs_total'), inObjects],
  };
}

function folder(t) {
  const dir = mkdtempSync(join(tmpdir(), 'metrics-test-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

// With a worker, after it was killed, and a scrape of the default registry of the primary.
const SHOWN = { AggregatorRegistry: [1, 1, 1001], ClusterRegistry: [1001, 1001, 1001] };

for (const [registry, totals] of Object.entries(SHOWN)) {
  onLinux(`${registry}: the counts of a killed worker stay, as soon as the primary has made one`, async (t) => {
    // Two clusters of one script do not meet.
    for (const results of await Promise.all([run('made', { registry }), run('made', { registry })])) {
      t.deepEqual(results.totals, totals);
      // As in prom-client: a program may add these up, or push them from each worker.
      t.deepEqual(results.own, [1000, 1000]);
      t.false(results.existed);
      t.true(results.exists);
      t.deepEqual(results.said, []);
    }
  });

  onLinux(`${registry}: a worker without a registry is read, not waited for`, async (t) => {
    t.deepEqual((await run('without registry', { registry })).totals, totals);
  });

  onLinux(`${registry}: a worker that joins while it is asked counts once`, async (t) => {
    const [first, ...afterKill] = (await run('slow', { registry })).totals;
    // It has counted when it was read, or not yet.
    t.true([totals[0], totals[0] - 1].includes(first ?? 0), `${first}`);
    t.deepEqual(afterKill, totals.slice(1));
  });

  onLinux(`${registry}: a worker that was forked before joins too`, async (t) => {
    const { totals: shown } = await run('forked before', { registry });
    t.deepEqual(
      shown,
      totals.map((total) => total + 1),
    );
  });

  onLinux(`${registry}: a program without workers writes nothing`, async (t) => {
    const dir = folder(t);
    const results = await run('alone', { registry }, { METRICS_PROCESSES_DIR: dir });
    t.deepEqual(results.totals, [1000, 1000, 1000]);
    t.is(results.exists, false);
    t.deepEqual(readdirSync(dir), []);
  });

  onLinux(`${registry}: workers are asked by message where no folder can be used`, async (t) => {
    const { totals: shown, said } = await run('made', { registry }, { METRICS_PROCESSES_DIR: '/proc/nowhere' });
    const [first, ...afterKill] = totals;
    t.deepEqual(shown, [first, afterKill[0] - 1 || undefined, 1000]);
    t.is(said.length, 1);
    t.regex(said[0], /Expected a folder for shared metrics but failed to use \/proc\/nowhere/);
  });
}

onLinux('an exporter of the primary shows its workers, which may start one on its port', async (t) => {
  const { totals, existed, said } = await run('exporter', { port: await freePort() });
  t.deepEqual(totals, [1001, 1001, 1001]);
  t.false(existed);
  t.deepEqual(said, []);
});

onLinux('shareProcesses() decides about the folder if it is called before the first worker', async (t) => {
  for (const how of ['shared before', 'shared between']) {
    const dir = folder(t);
    const results = await run(how, { options: { dir, name: 'service' } });
    t.true(results.dir.startsWith(`${dir}/`));
    t.deepEqual(results.totals, SHOWN.AggregatorRegistry);
    t.deepEqual(results.own, [1001, 1001]);
    t.deepEqual(results.said, []);
  }
});

onLinux('shareProcesses() says which options come too late', async (t) => {
  const results = await run('shared after', { options: { dir: folder(t), name: 'service', keep: false } });
  t.is(results.dir, results.folder);
  t.deepEqual(results.totals, SHOWN.AggregatorRegistry);
  t.is(results.said.length, 1);
  t.regex(results.said[0], /^INVALID_CONFIG: shareProcesses\(\) ignores dir, name: /);
  t.deepEqual((await run('shared after', { options: {} })).said, []);
});

onLinux(
  'the primary joins the folder that its workers were told, also if its parent has ended meanwhile',
  async (t) => {
    const dir = folder(t);
    const [gate, output] = ['gate', 'output'].map((name) => join(dir, name));
    // The shell starts the program in the background, and ends when the registry is there.
    const script = '"$@" & while ! [ -e "$GATE" ]; do sleep 0.05; done';
    const args = [process.execPath, program, JSON.stringify({ how: 'orphaned', gate, output })];
    await promisify(execFile)('sh', ['-c', script, 'sh', ...args], { env: { ...process.env, GATE: gate } });
    for (const end = Date.now() + 30_000; Date.now() < end && !existsSync(output); ) await sleep(20);
    await sleep(100);
    t.deepEqual(read(readFileSync(output, 'utf8')).totals, SHOWN.AggregatorRegistry);
  },
);
