// Compiles the types of the instrumentations together with those of the real SDKs.

import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';

const root = fileURLToPath(new URL('../..', import.meta.url));

for (const name of readdirSync(`${root}/__test__/sdks/types`)) {
  // One after the other, because each compiler needs a processor.
  test.serial(`the real packages fit: ${name}`, async (t) => {
    const options = ['--noEmit', '--strict', '--skipLibCheck', '--exactOptionalPropertyTypes', '--target', 'es2022'];
    const modules = ['--module', 'nodenext', '--types', 'node', '--ignoreConfig'];
    const tsc = `${root}/node_modules/typescript/bin/tsc`;
    const args = [tsc, ...options, ...modules, `${root}/__test__/sdks/types/${name}`];
    const run = promisify(execFile)(process.execPath, args, { cwd: root });
    const { code, stdout } = await run.catch((failure) => failure);
    t.deepEqual({ code, stdout }, { code: undefined, stdout: '' });
  });
}
