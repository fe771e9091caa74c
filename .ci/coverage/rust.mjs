/**
 * Turns what instrumented Rust code has counted into lines. Only the code of this repository is instrumented: a wrapper
 * around the compiler adds the flag for the workspace's crates, so dependencies are compiled as ever.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Source folders whose lines are counted. */
const SOURCES = ['crate/core/src/', 'crate/binding/'];

const WRAPPER =
  '#!/bin/sh\n# cargo calls this with the compiler and its arguments.\nexec "$@" -C instrument-coverage\n';

/** The environment in which cargo builds and programs run. `folder` is where everything about coverage is kept. */
export function instrumented(folder) {
  const wrapper = join(folder, 'instrumenting-rustc');
  mkdirSync(folder, { recursive: true });
  // A file that is written again would be newer, and cargo would compile everything again.
  if (!existsSync(wrapper)) writeFileSync(wrapper, WRAPPER, { mode: 0o755 });
  return {
    RUSTC_WORKSPACE_WRAPPER: wrapper,
    CARGO_TARGET_DIR: join(folder, 'rust'),
    // Up to four files for each binary; processes that end add their counts to one of them.
    LLVM_PROFILE_FILE: join(folder, 'profiles', '%4m.profraw'),
  };
}

/** The test binaries that `cargo test` with these arguments runs, built already. */
export function testBinaries(args, env) {
  const output = execFileSync('cargo', ['test', ...args, '--no-run', '--message-format=json'], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const messages = output.split('\n').filter((line) => line.startsWith('{'));
  return messages.map((line) => JSON.parse(line).executable).filter((path) => typeof path === 'string');
}

/**
 * Lines of each source file.
 *
 * @param folder that of `instrumented()`
 * @param binaries what ran
 * @returns paths relative to `root`, with a Map of line numbers: true if it is covered
 */
export function rustLines({ folder, binaries, tools: [profdata, cov], root }) {
  const profiles = join(folder, 'profiles');
  const merged = join(folder, 'rust.profdata');
  const names = readdirSync(profiles).filter((name) => name.endsWith('.profraw'));
  execFileSync(profdata, ['merge', '--sparse', '-o', merged, ...names.map((name) => join(profiles, name))]);
  const objects = binaries.flatMap((path) => ['--object', path]);
  const sources = SOURCES.map((path) => join(root, path));
  const args = ['export', '--format=lcov', `--instr-profile=${merged}`, ...objects, ...sources];
  const report = execFileSync(cov, args, { encoding: 'utf8', maxBuffer: 1 << 30 });
  const files = new Map();
  let lines = new Map();
  for (const row of report.split('\n')) {
    const [kind, value] = row.split(/:(.*)/s);
    if (kind === 'SF') {
      lines = new Map();
      files.set(relative(root, value), lines);
    } else if (kind === 'DA') {
      const [line, count] = value.split(',').map(Number);
      lines.set(line, count > 0);
    }
  }
  for (const [path, counted] of files) leaveTestsOut(readFileSync(join(root, path), 'utf8'), counted);
  return files;
}

/** Tests in a source file are its last modules. They run, but are no code of the library. */
function leaveTestsOut(source, lines) {
  const before = source.split(/^#\[cfg\((?:all\()?test\b.*\n(?:#.*\n)*mod /m)[0];
  const first = before.split('\n').length;
  for (const line of lines.keys()) if (line >= first) lines.delete(line);
}
