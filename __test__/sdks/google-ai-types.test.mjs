// The types of the instrumentations against those of the real SDKs, as the compiler sees them.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('the real SDKs’ clients are taken', async (t) => {
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--exactOptionalPropertyTypes', '--target', 'es2022'];
  const modules = ['--module', 'nodenext', '--types', 'node', '--ignoreConfig'];
  const files = [`${root}/__test__/sdks/types/google-ai.mts`];
  const tsc = `${root}/node_modules/typescript/bin/tsc`;
  const run = promisify(execFile)(process.execPath, [tsc, ...options, ...modules, ...files], { cwd: root });
  const { code, stdout } = await run.catch((failure) => failure);
  t.deepEqual({ code, stdout }, { code: undefined, stdout: '' });
});
