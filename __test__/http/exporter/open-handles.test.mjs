// Tests that nothing of the library stays open: Jest's search for open handles finds nothing after `close()`, and the
// threadsafe function is freed when the promise of `close()`, or of a failed start, is settled.

import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { start } from './support/children.mjs';

const require = createRequire(import.meta.url);
const PROJECT = fileURLToPath(new URL('support/jest-project', import.meta.url));
/** Runners start in the package's folder, as a user starts them. */
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Runs one file in Jest. Jest exits by force, because it would wait for the handles that it found. */
function jest(file) {
  const { NODE_OPTIONS, FORCE_COLOR, ...env } = process.env;
  const config = ['--rootDir', PROJECT, '--config', join(PROJECT, 'jest.config.cjs')];
  const args = [require.resolve('jest/bin/jest'), ...config, '--detectOpenHandles', '--forceExit', file];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: ROOT, env }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, output: stdout + stderr }),
    );
  });
}

test.serial('Jest finds no open handle of closed exporters and of metrics', async (t) => {
  const { code, output } = await jest('closed.spec.cjs');
  t.regex(output, /^Tests: +4 passed, 4 total$/m);
  t.notRegex(output, /open handle/);
  t.is(code, 0, output);
});

test.serial('Jest finds an exporter that is left open', async (t) => {
  const { output } = await jest('left-open.spec.cjs');
  t.regex(output, /^Tests: +1 passed, 1 total$/m);
  t.regex(output, /detected the following 1 open handle[\s\S]*napi_rs_threadsafe_function[\s\S]*startExporter/);
});

test.serial('the threadsafe function is freed when close() or a failed start settles', async (t) => {
  const child = start(t, async ({ client, say, require }) => {
    const open = new Set();
    require('node:async_hooks')
      .createHook({
        init: (id, type) => type === 'napi_rs_threadsafe_function' && open.add(id),
        destroy: (id) => open.delete(id),
      })
      .enable();
    const counts = [];
    for (let round = 0; round < 20; round++) {
      const exporter = await client.startExporter({ host: '127.0.0.1', port: 0, authenticate: () => true });
      counts.push(open.size);
      await fetch(`${exporter.url}/metrics`).then((answer) => answer.text());
      await exporter.close();
      counts.push(open.size);
      await client.startExporter({ host: '256.1.1.1' }).catch(() => {});
      // The rejection comes from the addon, in the turn of the loop that reports the freed handle.
      await new Promise((resolve) => setImmediate(resolve));
      counts.push(open.size);
    }
    await say(counts);
  });
  t.deepEqual(await child.heard(), Array.from({ length: 20 }, () => [1, 0, 0]).flat());
  t.deepEqual(await child.ended, { code: 0, signal: null, stderr: '' });
});
