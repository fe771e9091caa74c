// Tests the messages of `npm start` and `npm test` on a machine where a tool is missing or too old. They come before anything
// is installed, built or downloaded.

import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const root = fileURLToPath(new URL('../../', import.meta.url));
const RUST = `rustc 1.95.0 (abc 2026-01-01)\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0`;
const NEEDS_RUST = '✗ This project needs Rust 1.88 or newer';

/** A folder with programs that print a text; the only one on PATH. */
function tools(t, texts) {
  const folder = mkdtempSync(join(tmpdir(), 'tools-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(texts)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n/bin/cat <<'END'\n${text}\nEND\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

/** Runs a script; returns its exit code and what it printed. */
function run(script, { path = process.env.PATH, flags = [], args = [] } = {}) {
  return new Promise((resolve) => {
    const argv = [...flags, join(root, '.ci', script), ...args];
    execFile(process.execPath, argv, { env: { PATH: path } }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}

const OLD_NODE = "data:text/javascript,Object.defineProperty(process.versions,'node',{value:'18.20.8'})";

// The tools are shell scripts.
if (process.platform !== 'win32') {
  for (const script of ['start.mjs', 'test.mjs', 'prepare.mjs', 'coverage.mjs']) {
    test(`${script}: an old Node.js`, async (t) => {
      const { code, stdout, stderr } = await run(script, { flags: ['--import', OLD_NODE] });
      t.regex(
        stderr,
        /^✗ This project needs Node\.js 20 or newer \(this is v.*\)\.\n {2}Get it: https:\/\/nodejs\.org\/\n$/,
      );
      t.deepEqual({ code, stdout }, { code: 1, stdout: '' });
    });

    test(`${script}: no Rust, an old Rust, no linker`, async (t) => {
      const old = RUST.replaceAll('1.95', '1.87');
      for (const [texts, message] of [
        [{}, `${NEEDS_RUST} (cargo and rustc).\n  Get it: https://rustup.rs/`],
        [{ rustc: RUST }, `${NEEDS_RUST} (cargo and rustc).\n`],
        [{ rustc: old, cargo: 'cargo 1.87.0' }, `${NEEDS_RUST} (this is 1.87.0).\n  Get it: \`rustup update stable\``],
        [{ rustc: RUST, cargo: 'cargo 1.95.0' }, '✗ This project needs a C linker (cc).\n  Get it: `'],
      ]) {
        const { code, stdout, stderr } = await run(script, { path: tools(t, texts) });
        t.true(stderr.startsWith(message), stderr);
        t.deepEqual({ code, stdout }, { code: 1, stdout: '' });
      }
    });
  }
}

test('test.mjs refuses arguments that it does not know', async (t) => {
  for (const argument of ['--onyl=rust', '--only=foo', 'rust']) {
    const { code, stderr } = await run('test.mjs', { args: [argument] });
    t.is(stderr, `✗ Expected --only=rust or --only=javascript but received ${argument}\n`);
    t.is(code, 1);
  }
});
