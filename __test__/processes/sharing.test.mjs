// Processes that share their metrics: each shows the values of all, and those of killed ones stay.

import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import test from 'ava';
import { seriesValue } from '../support/exposition.mjs';
import { Service } from './support/service.mjs';

const onLinux = process.platform === 'linux' ? test : test.skip;

const filesOf = (dir) => readdirSync(dir).filter((name) => name.startsWith('process-'));

/** Scrapes until the files of ended processes are in the totals, which a thread does after a scrape. */
async function folded(t, process, files = 1) {
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(5)) {
    const text = await process.ask('metrics');
    if (filesOf(process.dir).length === files) return text;
  }
  t.fail(`${filesOf(process.dir).length} files`);
}

/** Waits for a warning, which a process says within a second. */
async function warned(t, process, pattern) {
  for (const end = Date.now() + 20_000; Date.now() < end && !pattern.test(process.stderr); await sleep(20));
  t.regex(process.stderr, pattern);
}

onLinux('each process shows the values of all, also those of before it joined', async (t) => {
  const service = new Service(t);
  const [one, two] = [await service.start(), await service.start(null)];
  await one.ask('count', { times: 3 });
  await two.ask('count', { times: 4 });
  await two.ask('count', { kind: 'b', times: 5 });
  await two.ask('observe', { value: 1.5 });
  t.is(await two.ask('share', { dir: service.dir }), one.dir);
  await one.ask('observe', { value: 2.5 });
  await two.ask('count', { kind: 'b' });
  const texts = [];
  for (const process of [one, two]) {
    const text = await process.ask('metrics');
    texts.push(text.split('\n').sort());
    t.is(seriesValue(text, 'jobs_total{kind="a"}'), 7);
    t.is(seriesValue(text, 'jobs_total{kind="b"}'), 6);
    t.is(seriesValue(text, 'job_seconds_bucket{kind="a",le="2"}'.replace('kind="a",le="2"', 'le="2",kind="a"')), 1);
    t.is(seriesValue(text, 'job_seconds_sum{kind="a"}'), 4);
    t.is(seriesValue(text, 'job_bytes_count'), 2);
    t.deepEqual(
      await process.ask('processes'),
      [one.pid, two.pid].sort((a, b) => a - b),
    );
  }
  const own = await one.ask('scrape', { scope: 'own' });
  t.is(seriesValue(own, 'jobs_total{kind="a"}'), 3);
  t.is(seriesValue(await two.ask('scrape'), 'llmdevops_metrics_processes'), 2);
});

onLinux('the counts of a killed process stay, its gauges go, and its file becomes part of the totals', async (t) => {
  const service = new Service(t);
  const [one, two] = [await service.start(), await service.start()];
  await one.ask('gauge', { value: 3 });
  await two.ask('gauge', { value: 5 });
  await two.ask('count', { times: 7 });
  await two.ask('observe', { value: 0.5 });
  const before = await one.ask('metrics');
  const states = { sum: 8, min: 3, max: 5, average: 4, first: 3, latest: 5, omit: undefined };
  for (const [aggregator, value] of Object.entries(states)) t.is(seriesValue(before, `state_${aggregator}`), value);
  await two.kill();
  for (let scrape = 0; scrape < 3; scrape += 1) {
    const text = await one.ask('metrics');
    t.is(seriesValue(text, 'jobs_total{kind="a"}'), 7);
    t.is(seriesValue(text, 'job_seconds_count{kind="a"}'), 1);
    t.is(seriesValue(text, 'job_bytes_sum'), 0.5);
    for (const aggregator of Object.keys(states)) t.is(seriesValue(text, `state_${aggregator}`), 3, aggregator);
  }
  await folded(t, one);
  const three = await service.start();
  await three.ask('count', { times: 2 });
  t.is(seriesValue(await three.ask('metrics'), 'jobs_total{kind="a"}'), 9);
  await one.kill();
  t.is(seriesValue(await three.ask('metrics'), 'jobs_total{kind="a"}'), 9);
});

onLinux('native histograms have the buckets of all processes, also of killed ones', async (t) => {
  const service = new Service(t);
  const [one, two, alone] = [await service.start(), await service.start(null), await service.start(null)];
  const waited = async (process) => {
    const text = await process.ask('scrape', { accept: 'application/openmetrics-text; version=2.0.0' });
    const [line] = text.split('\n').filter((line) => line.startsWith('wait_seconds '));
    return line.replace(/ st@\S+/, '');
  };
  const wait = async (process, values) => {
    await process.ask('wait', { values });
    await alone.ask('wait', { values });
  };
  // Sums of halves do not depend on their order. Far from each other, and on both sides of 0.
  const spread = [0.5, 2, 0, -4.5, 1e9, -1e-3, 7, 7, 7.5];
  await wait(two, [1.5, ...spread]);
  await two.ask('share', { dir: service.dir });
  await wait(one, [3, 0, 1000]);
  await wait(
    two,
    Array.from({ length: 200 }, (_, power) => 2 ** ((power % 40) - 20)),
  );
  for (const process of [one, two]) t.is(await waited(process), await waited(alone));
  t.regex(await waited(alone), /negative_spans:\[.*positive_spans:\[/);
  await two.kill();
  t.is(await waited(one), await waited(alone));
  await folded(t, one);
  t.is(await waited(one), await waited(alone));
  const three = await service.start();
  await wait(three, [-2, 1e-9]);
  for (const process of [one, three]) t.is(await waited(process), await waited(alone));
});

onLinux('services with other names, and restarts, begin anew; `keep` keeps the counts', async (t) => {
  const service = new Service(t);
  const one = await service.start({ name: 'one' });
  const two = await service.start({ name: 'two' });
  t.not(one.dir, two.dir);
  await one.ask('count', { times: 3 });
  t.is(seriesValue(await two.ask('metrics'), 'jobs_total{kind="a"}'), undefined);
  await one.kill();
  const again = await service.start({ name: 'one' });
  t.is(again.dir, one.dir);
  t.is(seriesValue(await again.ask('metrics'), 'jobs_total{kind="a"}'), undefined);
  await again.kill();
  // The folders of runs that have ended go when another run begins.
  const kept = await service.start({ name: 'kept', keep: true });
  t.false(existsSync(one.dir));
  await kept.ask('count', { times: 3 });
  await kept.kill();
  const other = await service.start({ name: 'other' });
  await other.kill();
  const later = await service.start({ name: 'kept', keep: true });
  t.is(seriesValue(await later.ask('metrics'), 'jobs_total{kind="a"}'), 3);
});

onLinux('threads share too, and their counts stay when they end and when their process is killed', async (t) => {
  const service = new Service(t);
  const [one, two] = [await service.start(null), await service.start()];
  await one.ask('thread', { times: 2, end: true });
  await one.ask('share', { dir: service.dir });
  await one.ask('thread', { times: 3, end: true });
  await one.ask('thread', { times: 4, end: false });
  for (const process of [one, two, one]) {
    t.is(seriesValue(await process.ask('metrics'), 'jobs_total{kind="thread"}'), 9);
  }
  t.is(seriesValue(await two.ask('scrape'), 'llmdevops_metrics_processes'), 2);
  await one.kill();
  t.is(seriesValue(await two.ask('metrics'), 'jobs_total{kind="thread"}'), 9);
});

/** Processes that are started and killed, in two rows. */
const LIVES = process.env.CI_FULL ? 200 : 10;

onLinux('killed at any moment, no count is lost and no total goes down', async (t) => {
  // Each assertion begins it anew.
  t.timeout(120_000);
  const service = new Service(t);
  const watchers = [await service.start(), await service.start()];
  const url = await watchers[0].ask('exporter', { port: 0 });
  let ledger = 0;
  let isDone = false;
  const scraper = async (read) => {
    let seen = 0;
    while (!isDone) {
      const before = ledger;
      const text = await read();
      const total = seriesValue(text, 'jobs_total{kind="a"}') ?? 0;
      t.true(total >= before && total >= seen, `${total} after ${seen}, at least ${before}`);
      seen = total;
      for (const [, kind] of text.matchAll(/job_seconds_count\{kind="(\w+)"\}/g)) {
        const count = seriesValue(text, `job_seconds_count{kind="${kind}"}`);
        t.is(seriesValue(text, `job_seconds_bucket{le="+Inf",kind="${kind}"}`), count);
      }
    }
  };
  const overHttp = async () => {
    const response = await fetch(`${url}/metrics`, { headers: { 'accept-encoding': 'gzip' } });
    t.is(response.headers.get('content-encoding'), 'gzip');
    return response.text();
  };
  const descriptors = () => watchers.map(({ pid }) => readdirSync(`/proc/${pid}/fd`).length);
  const before = descriptors();
  const scraping = [scraper(overHttp), scraper(() => watchers[1].ask('metrics'))];
  const lives = async (number) => {
    for (let life = 0; life < number; life += 1) {
      const worker = await service.start();
      await worker.ask('churn');
      for (let turn = 0; turn < 5; turn += 1) {
        const times = 1 + Math.floor(Math.random() * 1000);
        await worker.ask('count', { times });
        ledger += times;
      }
      await sleep(Math.random() * 60);
      await worker.kill();
    }
  };
  await Promise.all([lives(LIVES / 2), lives(LIVES / 2)]);
  isDone = true;
  await Promise.all(scraping);
  t.is(seriesValue(await folded(t, watchers[0], 2), 'jobs_total{kind="a"}'), ledger);
  t.is(seriesValue(await watchers[1].ask('metrics'), 'jobs_total{kind="a"}'), ledger);
  // A connection of the scraper may stay open.
  for (const [index, count] of descriptors().entries())
    t.true(count <= before[index] + 3, `${count}, ${before[index]}`);
  t.is(watchers.map(({ stderr }) => stderr).join(''), '');
});

/** Steps at which a process is stopped, each with how often it is passed before. */
const CRASHES = {
  joining: [
    'file made:0',
    'file unfinished:0',
    'file published:0',
    'block taken:0',
    'slab moved:0',
    'record written:2',
  ],
  recording: ['record written:60', 'block taken:2', 'slab moved:1', 'block named:0'],
  compacting: ['log written:0', 'log replaced:0'],
  folding: ['totals written:0', 'totals replaced:0', 'file removed:0'],
};

for (const step of CRASHES.joining) {
  onLinux(`stopped while it joins, at "${step}", a process harms no other`, async (t) => {
    const service = new Service(t);
    const one = await service.start();
    await one.ask('count', { times: 3 });
    const stopped = await service.start(null, { PROMETHEUS_METRICS_TEST_CRASH: step });
    await stopped.ask('count', { times: 100 });
    await t.throwsAsync(stopped.ask('share', { dir: service.dir }));
    await stopped.ended();
    // Only a file that has its name is one of the run.
    const total = step === 'file published:0' ? 103 : 3;
    t.is(seriesValue(await one.ask('metrics'), 'jobs_total{kind="a"}'), total);
    const two = await service.start();
    t.is(seriesValue(await two.ask('metrics'), 'jobs_total{kind="a"}'), total);
    t.deepEqual(
      readdirSync(one.dir).filter((name) => name.endsWith('.new')),
      [],
    );
    t.is(one.stderr + two.stderr, '');
  });
}

for (const step of CRASHES.recording) {
  onLinux(`stopped while it records, at "${step}", a process loses nothing`, async (t) => {
    const service = new Service(t);
    const one = await service.start();
    const stopped = await service.start({}, { PROMETHEUS_METRICS_TEST_CRASH: step });
    let ledger = 0;
    const record = async () => {
      for (let kind = 0; kind < 6000; kind += 1) {
        await stopped.ask('count', { kind: `kind ${kind} ${'x'.repeat(100)}` });
        ledger += 1;
      }
    };
    await t.throwsAsync(record());
    await stopped.ended();
    const text = await one.ask('metrics');
    const lines = text.split('\n').filter((line) => line.startsWith('jobs_total{'));
    t.deepEqual(
      lines.filter((line) => !line.endsWith(' 1')),
      [],
    );
    // The series that was being made may be there with 0.
    t.is(lines.length, ledger);
    t.is(one.stderr, '');
  });
}

for (const step of CRASHES.compacting) {
  onLinux(`stopped while it drops removed series from its log, at "${step}", a process loses nothing`, async (t) => {
    const service = new Service(t);
    const one = await service.start();
    const stopped = await service.start({}, { PROMETHEUS_METRICS_TEST_CRASH: step });
    await stopped.ask('count', { times: 3 });
    const before = await one.ask('metrics');
    await stopped.ask('count', { kind: 'b', times: 2 });
    await stopped.ask('spin', { series: 6000 });
    await stopped.ended();
    const text = await one.ask('metrics');
    t.is(seriesValue(before, 'jobs_total{kind="a"}'), 3);
    t.is(seriesValue(text, 'jobs_total{kind="a"}'), 3);
    t.is(seriesValue(text, 'jobs_total{kind="b"}'), 2);
    t.false(text.includes('spun'));
    t.is(one.stderr, '');
  });
}

for (const step of CRASHES.folding) {
  onLinux(`stopped while it adds to the totals, at "${step}", a process counts nothing twice`, async (t) => {
    const service = new Service(t);
    const [stopped, one, two] = [
      await service.start({}, { PROMETHEUS_METRICS_TEST_CRASH: step }),
      await service.start(),
      await service.start(),
    ];
    await one.ask('count', { times: 3 });
    await two.ask('count', { times: 4 });
    await stopped.ask('count', { times: 5 });
    await two.kill();
    // The thread that folds may stop the process before or after the answer.
    await stopped.ask('metrics').catch(() => {});
    await stopped.ended();
    for (let scrape = 0; scrape < 3; scrape += 1) {
      t.is(seriesValue(await one.ask('metrics'), 'jobs_total{kind="a"}'), 12);
    }
    t.is(seriesValue(await folded(t, one), 'jobs_total{kind="a"}'), 12);
  });
}

onLinux('damaged and foreign files are refused with a warning, and do no harm', async (t) => {
  const service = new Service(t);
  const one = await service.start();
  await one.ask('count', { times: 3 });
  const good = readFileSync(join(one.dir, filesOf(one.dir)[0]));
  const name = (number) => `process-${number.toString(16).padStart(16, '0')}`;
  const damaged = [Buffer.alloc(0), Buffer.from('hello'), Buffer.alloc(100_000), good.subarray(0, 700), good];
  // Bytes of the log, of which most belong to a record.
  for (let at = 1024; at < 1500; at += 13) {
    const copy = Buffer.from(good);
    copy[at] ^= 0x40;
    damaged.push(copy);
  }
  for (const [index, bytes] of damaged.entries()) writeFileSync(join(one.dir, name(index + 1)), bytes);
  symlinkSync('/etc/passwd', join(one.dir, name(1000)));
  const text = await one.ask('scrape');
  t.is(seriesValue(text, 'jobs_total{kind="a"}'), 3);
  t.is(seriesValue(text, 'llmdevops_metrics_refused_files'), damaged.length + 1);
  await warned(t, one, /process-[0-9a-f]{16} is left out of the shared metrics: it /);
  const two = await service.start();
  await two.ask('count', { times: 4 });
  t.is(seriesValue(await one.ask('metrics'), 'jobs_total{kind="a"}'), 7);
  // A file that becomes shorter while it is mapped.
  await two.kill();
  const before = new Set(filesOf(one.dir));
  const three = await service.start();
  const [own] = filesOf(one.dir).filter((file) => !before.has(file));
  await three.ask('count', { times: 5 });
  t.is(seriesValue(await one.ask('metrics'), 'jobs_total{kind="a"}'), 12);
  three.signal('SIGSTOP');
  truncateSync(join(one.dir, own), 40_000);
  const without = await one.ask('scrape');
  t.is(seriesValue(without, 'jobs_total{kind="a"}'), 7);
  t.is(seriesValue(without, 'llmdevops_metrics_refused_files'), damaged.length + 2);
  // A file that is gone is no longer counted.
  rmSync(join(one.dir, name(1000)));
  t.is(seriesValue(await one.ask('scrape'), 'llmdevops_metrics_refused_files'), damaged.length + 1);
});

onLinux('processes whose folder is removed join again, with the totals', async (t) => {
  const service = new Service(t);
  const [one, two, three] = [await service.start(), await service.start(), await service.start()];
  await one.ask('count', { times: 3 });
  await two.ask('count', { times: 4 });
  await three.ask('count', { times: 5 });
  await three.kill();
  await folded(t, one, 2);
  t.is(seriesValue(await two.ask('metrics'), 'jobs_total{kind="a"}'), 12);
  rmSync(one.dir, { recursive: true });
  await one.ask('count', { times: 10 });
  for (const process of [one, two]) {
    let total;
    for (const end = Date.now() + 20_000; total !== 22 && Date.now() < end; await sleep(20)) {
      total = seriesValue(await process.ask('metrics'), 'jobs_total{kind="a"}');
    }
    t.is(total, 22);
  }
  await one.ask('count', { kind: 'b' });
  t.is(seriesValue(await two.ask('metrics'), 'jobs_total{kind="b"}'), 1);
});

onLinux('damaged totals are refused with a warning, and hide no live process', async (t) => {
  const service = new Service(t);
  const [one, two, three] = [await service.start(), await service.start(), await service.start()];
  await one.ask('count', { times: 3 });
  await two.ask('count', { times: 4 });
  await three.ask('count', { times: 5 });
  await three.kill();
  await folded(t, one, 2);
  const good = readFileSync(join(one.dir, 'totals'));
  // A process that has never read them has only the live ones.
  for (const bytes of [Buffer.alloc(0), Buffer.from('hello'), Buffer.alloc(1000), good.subarray(0, good.length - 3)]) {
    writeFileSync(join(one.dir, 'totals'), bytes);
    const text = await two.ask('scrape');
    t.is(seriesValue(text, 'jobs_total{kind="a"}'), 7, String(bytes.length));
    t.is(seriesValue(text, 'llmdevops_metrics_refused_files'), 1);
  }
  await warned(t, two, /totals is left out of the shared metrics: it /);
  writeFileSync(join(one.dir, 'totals'), good);
  const text = await two.ask('scrape');
  t.is(seriesValue(text, 'jobs_total{kind="a"}'), 12);
  t.is(seriesValue(text, 'llmdevops_metrics_refused_files'), 0);
});

onLinux('a thread that is older than the run is counted as missing elsewhere', async (t) => {
  const service = new Service(t);
  const [one, two] = [await service.start(), await service.start(null)];
  await two.ask('thread', { times: 4, end: false });
  await two.ask('share', { dir: service.dir });
  const unshared = async () => seriesValue(await one.ask('scrape'), 'llmdevops_metrics_unshared_series');
  for (const end = Date.now() + 20_000; !(await unshared()) && Date.now() < end; await sleep(20));
  // A counter, a native histogram, a summary and seven gauges.
  t.is(await unshared(), 10);
  t.is(seriesValue(await two.ask('metrics'), 'jobs_total{kind="thread"}'), 4);
  t.is(seriesValue(await one.ask('metrics'), 'jobs_total{kind="thread"}'), undefined);
});

onLinux('a limit of one process moves no series of others to `other` when they end', async (t) => {
  const service = new Service(t);
  const watcher = await service.start();
  const workers = [await service.start(), await service.start(), await service.start()];
  for (const [index, worker] of workers.entries()) {
    await worker.ask('limited', { values: [`${index}a`, `${index}b`], maxSeries: 2 });
  }
  for (const worker of workers) await worker.kill();
  const text = await folded(t, watcher);
  t.is(text.match(/^limited_total\{n="\d\w"\} 1$/gm)?.length, 6, text);
});

onLinux('the series of a thread that has ended before the call have the label of the process', async (t) => {
  const service = new Service(t);
  const [one, two] = [await service.start(), await service.start(null)];
  await two.ask('thread', { times: 3, end: true });
  await two.ask('share', { dir: service.dir, workerLabel: 'w' });
  for (const process of [one, two]) {
    t.regex(await process.ask('metrics'), /^jobs_total\{kind="thread",worker="w"\} 3$/m);
  }
});

onLinux('the warning of a limit names the process that has reached it', async (t) => {
  const service = new Service(t);
  const [one, two] = [await service.start(), await service.start(null)];
  for (const process of [one, two]) await process.ask('limited', { values: ['a', 'b', 'c', 'd'], maxSeries: 1 });
  await warned(t, one, new RegExp(`"limited_total" has 2 series of at most 1 in process ${one.pid}; `));
  await warned(t, two, /"limited_total" has 2 series of at most 1; /);
});

onLinux('series begin when they began in their process, also when it has ended', async (t) => {
  const service = new Service(t);
  const [one, two] = [await service.start(), await service.start()];
  await two.ask('count');
  const created = async () => {
    const text = await one.ask('scrape', { accept: 'application/openmetrics-text; version=2.0.0' });
    return /^jobs_total\{kind="a"\} 1(?:\.0)? st@(\S+)/m.exec(text)?.[1];
  };
  const live = await created();
  t.true(Math.abs(Number(live) - Date.now() / 1000) < 600, live);
  await two.kill();
  await folded(t, one);
  t.is(await created(), live);
});

/** Mounts a file system of this many KiB; `undefined` if this process may not. */
async function mounted(t, kibibytes) {
  const dir = mkdtempSync(join(tmpdir(), 'metrics-full-'));
  const run = promisify(execFile);
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${kibibytes}k`, 'tmpfs', dir]);
  } catch (error) {
    t.log(`SKIPPED: a file system cannot be mounted here: ${error.message}`);
    return undefined;
  }
  t.teardown(async () => {
    await run('umount', ['-l', dir]);
    rmSync(dir, { recursive: true });
  });
  return dir;
}

onLinux('on a full file system a process runs on, and the others say what is missing', async (t) => {
  const parent = await mounted(t, 512);
  if (parent === undefined) return t.pass();
  const service = new Service(t, { parent });
  const [one, two] = [await service.start(), await service.start()];
  await one.ask('count', { times: 5 });
  const known = 200;
  for (let kind = 0; kind < known; kind += 1) await two.ask('count', { kind: `k${kind}` });
  await two.ask('fill', { series: 30_000 });
  for (let kind = 0; kind < known; kind += 1) await two.ask('count', { kind: `k${kind}` });
  for (let kind = 0; kind < known / 2; kind += 1) await two.ask('remove', { kind: `k${kind}` });
  const own = await two.ask('metrics');
  t.is(own.split('\n').filter((line) => line.startsWith('fill_total{') && line.endsWith(' 1')).length, 30_000);
  const text = await one.ask('scrape');
  const shown = text.split('\n').filter((line) => line.startsWith('fill_total{'));
  t.true(shown.length > 1000 && shown.every((line) => line.endsWith(' 1')), String(shown.length));
  t.is(seriesValue(text, 'llmdevops_metrics_unshared_series'), 30_000 - shown.length);
  t.is(seriesValue(text, `jobs_total{kind="k${known - 1}"}`), 2);
  // Cells of a metric that is gone go to another one only if the others know.
  await two.ask('replace', { series: 2000 });
  const replaced = (await one.ask('metrics')).split('\n').filter((line) => line.startsWith('fill_total{'));
  t.true(replaced.every((line) => line.endsWith(' 1')));
  // A third process finds no room for a file at all.
  const three = await service.start(null);
  await three.ask('count', { times: 4 });
  await t.throwsAsync(three.ask('share', { dir: service.dir }), { message: /^INVALID_CONFIG: .*No space left/ });
  t.is(seriesValue(await three.ask('metrics'), 'jobs_total{kind="a"}'), 4);
  await two.kill();
  t.is(seriesValue(await one.ask('metrics'), `jobs_total{kind="k${known - 1}"}`), 2);
});

onLinux(
  'a process that changes its working directory stays in a run whose folder was given relative to it',
  async (t) => {
    const service = new Service(t);
    const dir = relative(process.cwd(), service.dir);
    const [one, two] = [await service.start({ dir }), await service.start()];
    await one.ask('count', { times: 3 });
    await one.ask('chdir', { dir: '/' });
    await two.ask('count', { times: 4 });
    t.is(resolve(one.dir), two.dir);
    t.is((await one.ask('processes')).length, 2);
    for (const process of [one, two]) t.is(seriesValue(await process.ask('metrics'), 'jobs_total{kind="a"}'), 7);
  },
);

onLinux('a process without file descriptors shows the others as they were, with a warning', async (t) => {
  const service = new Service(t);
  const [one, two] = [await service.start(), await service.start()];
  await one.ask('count', { times: 3 });
  await two.ask('count', { times: 4 });
  const total = async () => seriesValue(await one.ask('metrics'), 'jobs_total{kind="a"}');
  t.is(await total(), 7);
  const limit = (files) => promisify(execFile)('prlimit', ['--pid', String(one.pid), `--nofile=${files}:`]);
  await limit(3);
  await two.ask('count', { times: 10 });
  await one.ask('count', { times: 100 });
  t.is(await total(), 107);
  await limit(1024);
  t.is(await total(), 117);
  await warned(t, one, /The shared metrics in .* are shown as they were: Too many open files/);
});

onLinux('a process whose folder is renamed joins again', async (t) => {
  const service = new Service(t);
  const [one, two] = [await service.start(), await service.start()];
  await one.ask('count', { times: 3 });
  await two.ask('count', { times: 4 });
  renameSync(one.dir, `${one.dir}-old`);
  for (const process of [one, two]) {
    let total;
    for (const end = Date.now() + 20_000; total !== 7 && Date.now() < end; await sleep(20)) {
      total = seriesValue(await process.ask('metrics'), 'jobs_total{kind="a"}');
    }
    t.is(total, 7);
  }
});

onLinux('a folder that cannot be used is an error, and nothing changes', async (t) => {
  const service = new Service(t);
  const file = join(service.dir, 'file');
  writeFileSync(file, '');
  const one = await service.start(null);
  await one.ask('count', { times: 3 });
  await t.throwsAsync(one.ask('share', { dir: file }), { message: /^INVALID_CONFIG: Expected a folder/ });
  await t.throwsAsync(one.ask('share', { dir: '/proc/nothing' }), { message: /^INVALID_CONFIG: Expected a folder/ });
  for (const options of [{ dir: 7 }, { dir: '' }, { name: '\0' }, { keep: 'yes' }, { folder: 'x' }]) {
    await t.throwsAsync(one.ask('share', options), { message: /^INVALID_CONFIG/ }, JSON.stringify(options));
  }
  t.is(seriesValue(await one.ask('metrics'), 'jobs_total{kind="a"}'), 3);
});
