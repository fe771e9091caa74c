// Jest drops loaded modules between tests on request. A suite then expects a new registry, as prom-client gives it one;
// everywhere else a file that is loaded twice shares the registry.

import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const require = createRequire(import.meta.url);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PROJECT = fileURLToPath(new URL('support/jest-project', import.meta.url));
const MAIN = require.resolve('@llm-devops/prometheus-metrics');

test('jest.resetModules() and jest.isolateModules() give new registries', async (t) => {
  const jest = join(dirname(require.resolve('jest/package.json')), 'bin', 'jest.js');
  const { NODE_OPTIONS, NODE_TEST_CONTEXT, FORCE_COLOR, ...env } = process.env;
  const { code, output } = await new Promise((resolve) => {
    const args = [jest, '--rootDir', PROJECT, '--config', join(PROJECT, 'jest.config.cjs'), '--runInBand'];
    execFile(process.execPath, args, { cwd: ROOT, env }, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, output: stdout + stderr });
    });
  });
  t.is(code, 0, output);
  t.regex(output, /Tests: +5 passed, 5 total/);
});

test('a file that is loaded twice outside of Jest shares the registry', (t) => {
  const { register } = require(MAIN);
  const folder = dirname(dirname(MAIN));
  for (const file of Object.keys(require.cache)) if (file.startsWith(folder)) delete require.cache[file];
  const again = require(MAIN);
  t.not(again, undefined);
  t.is(again.register, register);
});
