// Runs a program as it is, minified with the SDKs, and minified with the SDKs and the library: failures must be recorded alike,
// though a minifier changes the names of classes.

import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { build } from 'esbuild';

const program = fileURLToPath(new URL('support/failing-program.mjs', import.meta.url));
const folder = fileURLToPath(new URL('node_modules/.minified', import.meta.url));

const dist = fileURLToPath(new URL('../../dist', import.meta.url));
const addon = readdirSync(dist).find((name) => name.endsWith('.node'));

async function linesOf(file) {
  const env = { ...process.env, METRICS_ADDON_PATH: `${dist}/${addon}` };
  const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', file], { env });
  return stdout.trim().split('\n');
}

const minified = (name, external) =>
  build({
    entryPoints: [program],
    outfile: `${folder}/${name}.cjs`,
    bundle: true,
    minify: true,
    keepNames: false,
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
    format: 'cjs',
    logOverride: { 'require-resolve-not-external': 'silent' },
    external,
  });

test.before(() => mkdirSync(folder, { recursive: true }));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

test('a minified program records what the program records', async (t) => {
  const expected = await linesOf(program);
  // Each way of failing has been told from the others.
  const types = new Set(expected.map((line) => /error_type="(\w+)"/.exec(line)?.[1]).filter(Boolean));
  t.deepEqual([...types].sort(), [
    'cancelled',
    'connection',
    'invalid_response',
    'not_found',
    'overloaded',
    'rate_limit',
    'server_error',
    'timeout',
  ]);
  await minified('sdks', ['@llm-devops/prometheus-metrics']);
  t.deepEqual(await linesOf(`${folder}/sdks.cjs`), expected);
  await minified('all', []);
  t.deepEqual(await linesOf(`${folder}/all.cjs`), expected);
});
