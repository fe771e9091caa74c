// Runs test files in each test runner, in each of its modes: all register the same names in the default registry, and no
// file sees another's values. The files are under `support/`.

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { count } from '../support/count.mjs';

const require = createRequire(import.meta.url);
const SUPPORT = fileURLToPath(new URL('support', import.meta.url));
/** Runners are started where a user starts them: in the folder of the package. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FILES = 3;

const jest = join(SUPPORT, 'jest-project');
const JEST = [require.resolve('jest/bin/jest'), '--rootDir', jest, '--config', join(jest, 'jest.config.cjs'), '--json'];
const VITEST = [
  join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs'),
  'run',
  '--root',
  join(SUPPORT, 'vitest-project'),
  '--reporter=json',
];
const AVA = [
  join(dirname(fileURLToPath(import.meta.resolve('ava'))), 'cli.mjs'),
  '--config',
  join(SUPPORT, 'ava-project', 'ava.config.mjs'),
  '--tap',
];

const passedOfJson = (stdout) => JSON.parse(stdout.slice(stdout.indexOf('{'))).numPassedTests;
const passedOfTap = (stdout) => stdout.match(/^ok \d+ - /gm)?.length;

/** Modes with `full` run with CI_FULL only: each is close to another mode. */
const RUNS = [
  { run: 'Jest', args: [...JEST, '--maxWorkers=2'], place: 'process', passed: passedOfJson },
  { run: 'Jest in band', args: [...JEST, '--runInBand'], place: 'runner', passed: passedOfJson },
  {
    run: 'Jest in threads',
    full: true,
    args: [...JEST, '--maxWorkers=2', '--workerThreads'],
    place: 'thread',
    passed: passedOfJson,
  },
  { run: 'Vitest in threads', full: true, args: [...VITEST, '--pool=threads'], place: 'thread', passed: passedOfJson },
  { run: 'Vitest in processes', full: true, args: [...VITEST, '--pool=forks'], place: 'process', passed: passedOfJson },
  { run: 'Vitest in contexts', args: [...VITEST, '--pool=vmThreads'], place: 'thread', passed: passedOfJson },
  {
    run: 'Vitest in contexts of processes',
    full: true,
    args: [...VITEST, '--pool=vmForks'],
    place: 'process',
    passed: passedOfJson,
  },
  { run: 'AVA in threads', args: AVA, place: 'thread', passed: passedOfTap },
  { run: 'AVA in processes', full: true, args: [...AVA, '--no-worker-threads'], place: 'process', passed: passedOfTap },
];

for (const { run, args, place, passed } of RUNS.filter(({ full = false }) => count(!full, true))) {
  test.serial(`${run}: test files never see each other's metrics`, async (t) => {
    const cache = await mkdtemp(join(tmpdir(), 'runner-'));
    t.teardown(() => rm(cache, { recursive: true }));
    const env = { ...process.env, RUNNER_CACHE: cache, RUNNER_PLACE: place, RUNNER_PARENT: String(process.pid) };
    const { error, stdout, stderr } = await new Promise((resolve) => {
      execFile(process.execPath, args, { cwd: ROOT, env }, (error, stdout, stderr) =>
        resolve({ error, stdout, stderr }),
      );
    });
    if (error !== null) t.log(stdout, stderr);
    t.is(error, null);
    t.is(passed(stdout), FILES);
  });
}
