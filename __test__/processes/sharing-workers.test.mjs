// A primary of node:cluster shares its metrics without being asked to: a registry of clusters or an exporter is enough.

import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  const { texts, ...results } = JSON.parse(stdout);
  return { ...results, totals: texts.map((text) => seriesValue(text, 'jobs_total')) };
}

function folder(t) {
  const dir = mkdtempSync(join(tmpdir(), 'metrics-test-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

// With a worker, after it was killed, and of the default registry of the primary.
const SHOWN = { AggregatorRegistry: [1, 1, 1001], ClusterRegistry: [1001, 1001, 1001] };

for (const [registry, totals] of Object.entries(SHOWN)) {
  onLinux(`${registry}: the counts of a killed worker stay, as soon as the primary has made one`, async (t) => {
    // Two clusters of one script do not meet.
    for (const results of await Promise.all([run('made', { registry }), run('made', { registry })])) {
      t.deepEqual(results.totals, totals);
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
