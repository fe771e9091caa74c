/**
 * Tests starting and ending where something is missing: descriptors, threads, /proc, a writable disk. Every promise settles
 * with the truth, everything that was started can be closed, and the process ends by itself.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { count, IS_FULL } from '../support/count.mjs';

const PROGRAM = fileURLToPath(new URL('support/program.mjs', import.meta.url));

/** Runs the program by a command of a shell; returns its report. It has to end by itself. */
async function reportOf(t, wanted, command = 'exec "$@"') {
  const flags = ['-c', command, 'sh', process.execPath, PROGRAM, JSON.stringify(wanted)];
  const child = spawn('sh', flags, { stdio: ['ignore', 'pipe', 'pipe'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), 90_000);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const [code, signal] = await once(child, 'close');
  clearTimeout(timer);
  t.deepEqual({ code, signal }, { code: 0, signal: null }, stderr.slice(-2000));
  return JSON.parse(stdout);
}

const refused = (outcome) => typeof outcome?.code === 'string' || /fetch failed/.test(outcome?.message ?? '');

/** Holds for every report: what started answers, what was closed does not, and nothing waits for ever. */
function holds(t, report) {
  t.not(report.start, 'never');
  if (report.start === 'started') t.deepEqual(report.answer, { value: 200 });
  else t.true(['BIND_FAILED', 'INVALID_CONFIG', 'ENGINE'].includes(report.start.code), JSON.stringify(report.start));
  t.deepEqual(report.metrics, { value: true });
  if (report.close !== undefined) {
    t.deepEqual(report.close, { value: 'closed' });
    t.true(refused(report.afterwards), JSON.stringify(report.afterwards));
  }
}

test.serial('with enough of everything', async (t) => {
  const report = await reportOf(t, { startBefore: true });
  t.is(report.start, 'started');
  t.deepEqual(report.first, { value: 200 });
  holds(t, report);
});

for (const spare of count([0, 2, 4, 8, 16], [0, 1, 2, 3, 4, 6, 8, 12, 16])) {
  test.serial(`with ${spare} descriptors left at the start`, async (t) => {
    const report = await reportOf(t, { spare, startBefore: true }, 'ulimit -n 128; exec "$@"');
    t.deepEqual(report.first, { value: 200 });
    holds(t, report);
  });
}

const isRoot = process.getuid?.() === 0;
const can = (command, ...flags) => {
  try {
    execFileSync(command, flags, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/** Where a test cannot run, it fails in CI; a developer's machine may lack what it needs. */
function missing(t, what) {
  if (IS_FULL) t.fail(what);
  else {
    t.log(what);
    t.pass();
  }
}

// The limit on threads does not hold for root, so another user runs the program: one that has no other process, because the
// limit counts the threads of all of them. Readable by all: the checkout may not be.
const USER = 100_000 + process.pid;
const canSwitch = isRoot && can('setpriv', `--reuid=${USER}`, '--clear-groups', 'test', '-r', PROGRAM);

for (const nproc of count([12, 14], [12, 13, 14, 16])) {
  test.serial(`with at most ${nproc} threads`, async (t) => {
    if (!canSwitch) return missing(t, 'needs root, setpriv and prlimit, and a checkout that another user may read');
    const asOther = `exec setpriv --reuid=${USER} --regid=${USER} --clear-groups prlimit --nproc=${nproc} "$@"`;
    holds(t, await reportOf(t, {}, asOther));
  });
}

for (const [what, mount] of [
  ['without /proc', 'mount -t tmpfs none /proc'],
  [
    'on a disk that is read-only',
    'mount -o remount,ro,bind / / 2>/dev/null || mount -o remount,ro /tmp 2>/dev/null || true',
  ],
]) {
  test.serial(what, async (t) => {
    if (!can('unshare', '--mount', 'sh', '-c', mount)) {
      missing(t, 'needs root and mount namespaces');
      return;
    }
    const report = await reportOf(t, {}, `exec unshare --mount sh -c '${mount}; exec "$@"' sh "$@"`);
    t.is(report.start, 'started');
    holds(t, report);
  });
}

test.serial('signals during the start and the end', async (t) => {
  const program = `
    import { startExporter } from '@llm-devops/prometheus-metrics';
    let ending = false;
    process.on('SIGTERM', () => { ending = true; });
    process.send('ready');
    for (let round = 0; !ending || round < 20; round++) {
      const exporter = await startExporter({ host: '127.0.0.1', port: 0 });
      const { status } = await fetch(exporter.url + '/health', { headers: { connection: 'close' } });
      if (status !== 200) throw new Error(String(status));
      await exporter.close();
    }
    process.disconnect();`;
  const flags = ['--input-type=module', '--eval', program];
  const child = spawn(process.execPath, flags, {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  await once(child, 'message');
  for (let sent = 0; sent < 20; sent++) {
    child.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 7));
  }
  t.deepEqual(await once(child, 'close'), [0, null]);
});
