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
  const sources = SOURCES.map((path) => join(root, path));
  const files = new Map();
  // One by one: of several binaries with the same function, llvm-cov reads the first, even if that one never calls it.
  for (const binary of binaries) {
    const args = ['export', '--format=lcov', `--instr-profile=${merged}`, binary, '--sources', ...sources];
    addLines(files, execFileSync(cov, args, { encoding: 'utf8', maxBuffer: 1 << 30 }), root);
  }
  for (const [path, lines] of files) leaveOut(lines, readFileSync(join(root, path), 'utf8'));
  return files;
}

/** Adds the lines of a report: a line is covered if it is in one report at least. */
function addLines(files, report, root) {
  let lines;
  for (const row of report.split('\n')) {
    const [kind, value] = row.split(/:(.*)/s);
    if (kind === 'SF') {
      const path = relative(root, value);
      lines = files.get(path) ?? new Map();
      // llvm-cov shows every source if the binary has none of the wanted ones.
      if (SOURCES.some((folder) => path.startsWith(folder))) files.set(path, lines);
    } else if (kind === 'DA') {
      const [line, count] = value.split(',').map(Number);
      lines.set(line, count > 0 || lines.get(line) === true);
    }
  }
}

/** A function that the rest of the program cannot call, and that the compiler can run: not `pub const fn`. */
const COMPILE_TIME = /^([ ]*)(?:pub\([^)]*\) )?const fn [\s\S]*?\n\1}$/gm;

/**
 * Leaves out code that never runs in the library. Tests in a source file, which are its last modules. And functions of
 * constants that no test runs: the compiler has run them, or it would report them as unused.
 */
export function leaveOut(lines, source) {
  const lineOf = (at) => source.slice(0, at).split('\n').length;
  const tests = source.search(/^#\[cfg\((?:all\()?test\b.*\n(?:#.*\n)*mod /m);
  for (const line of lines.keys()) if (tests !== -1 && line >= lineOf(tests)) lines.delete(line);
  for (const { 0: text, index } of source.matchAll(COMPILE_TIME)) {
    const first = lineOf(index);
    const own = text.split('\n').map((_, order) => first + order);
    if (!own.some((line) => lines.get(line))) for (const line of own) lines.delete(line);
  }
}
