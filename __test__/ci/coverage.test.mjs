// Checks the lines that the coverage command counts, and the floors that it holds.

import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { COMPONENTS, componentOf, EXCEPTIONS, OTHER_FILES, OVERALL } from '../../.ci/coverage/floors.mjs';
import { missing, report, summary } from '../../.ci/coverage/report.mjs';
import { leaveOut } from '../../.ci/coverage/rust.mjs';
import { typescriptLines } from '../../.ci/coverage/v8.mjs';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));

/** A file of 100 lines, of which this many are covered. */
const hundred = (covered) => new Map(Array.from({ length: 100 }, (_, index) => [index + 1, index < covered]));

/** Every file of every component, with all its lines covered. */
function everything() {
  const paths = COMPONENTS.flatMap(({ files }) => files).map((path) => (path.endsWith('/') ? `${path}all.rs` : path));
  const of = (extension) =>
    new Map(paths.filter((path) => path.endsWith(extension)).map((path) => [path, hundred(100)]));
  return { Rust: of('.rs'), TypeScript: of('.ts') };
}

test('the floors of the specification are held', (t) => {
  const floors = Object.fromEntries(COMPONENTS.map(({ name, floor }) => [name, floor]));
  t.deepEqual(floors, {
    registry: 90,
    counter: 95,
    gauge: 95,
    histogram: 90,
    'label set': 90,
    validation: 95,
    sanitization: 95,
    'Prometheus text': 95,
    cardinality: 90,
    handler: 85,
    cache: 85,
  });
  t.deepEqual(OVERALL, { Rust: 92, TypeScript: 96 });
  t.is(OTHER_FILES, 85);
});

test('every file of a component and every exception exists, and each exception has a reason', (t) => {
  for (const [path, { floor, reason }] of Object.entries(EXCEPTIONS)) {
    t.is(componentOf(path), undefined, `${path}: the specification sets this floor`);
    t.true(floor < OTHER_FILES && reason.length > 20, path);
  }
  for (const path of [...COMPONENTS.flatMap(({ files }) => files), ...Object.keys(EXCEPTIONS)])
    t.true(existsSync(join(root, path)), path);
  t.is(componentOf('crate/core/src/labels/sanitization/words.rs').name, 'sanitization');
  t.is(componentOf('crate/core/src/labels/sanitizationist.rs'), undefined);
});

test('a file below the floor of its component, and another one below the floor of all, are named', (t) => {
  const lines = everything();
  t.deepEqual(summary(lines).failures, []);
  lines.Rust.set('crate/core/src/metrics/counter.rs', hundred(94));
  lines.Rust.set('crate/core/src/metrics/gauge.rs', hundred(95));
  lines.TypeScript.set('src/clock.ts', hundred(84));
  lines.TypeScript.set('src/types.ts', new Map());
  const result = summary(lines);
  t.deepEqual(
    result.failures.map(({ path, floor, covered }) => ({ path, floor, covered })),
    [
      { path: 'crate/core/src/metrics/counter.rs', floor: 95, covered: 94 },
      { path: 'src/clock.ts', floor: 85, covered: 84 },
    ],
  );
  t.regex(
    report(result),
    /✗ Below the floor:\n.*\n +94\.0 % +95 % {2}crate\/core\/src\/metrics\/counter\.rs\n +84\.0 %/,
  );
  t.deepEqual(missing(result, 'src/'), ['  84.0 %  src/clock.ts: 85-100']);
});

test('a language below its floor is named, even if each of its files is above', (t) => {
  const lines = everything();
  for (const path of ['a', 'b', 'c'])
    lines.TypeScript.set(path, new Map([...Array(9000).keys()].map((n) => [n, n < 8000])));
  t.deepEqual(
    summary(lines).failures.map(({ path }) => path),
    ['TypeScript'],
  );
});

test('a file of a component that was not counted is a failure', (t) => {
  const lines = everything();
  lines.Rust.delete('crate/core/src/labels/sanitization/all.rs');
  t.regex(report(summary(lines)), /labels\/sanitization\/ \(of sanitization\): no lines were counted/);
});

const SOURCE = `/** A comment. */
interface Shape {
  side: number;
}

export function area({ side }: Shape): number {
  if (side < 0) {
    throw new Error('a negative side');
  }
  return side * side;
}

export function unused(): number {
  return 1;
}

export const twice = (value: number): number => value * 2;
`;

test('lines of TypeScript: comments, types and closing brackets do not count, code that no process ran is not covered', async (t) => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'coverage-')));
  t.teardown(() => rm(folder, { recursive: true }));
  const [src, dist, reports] = ['src', 'dist', 'reports'].map((name) => join(folder, name));
  await mkdir(src);
  await Promise.all([
    writeFile(join(src, 'shape.ts'), SOURCE),
    writeFile(join(src, 'unloaded.ts'), 'export const one = 1;\n'),
    writeFile(join(folder, 'package.json'), '{}'),
  ]);
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const options = ['--ignoreConfig', '--rootDir', src, '--outDir', dist, '--module', 'node16', '--target', 'es2022'];
  const files = ['shape.ts', 'unloaded.ts'].map((name) => join(src, name));
  await run(process.execPath, [tsc, ...options, '--sourceMap', '--types', '', ...files]);
  const env = { ...process.env, NODE_V8_COVERAGE: reports };
  const start = (program) => run(process.execPath, ['-e', program], { cwd: folder, env });

  await start(`require('./dist/shape.js').area({ side: 2 })`);
  const lines = () => {
    const counted = typescriptLines({ reports, dist, ran: dist, root: folder });
    t.deepEqual([...counted.keys()].sort(), ['src/shape.ts', 'src/unloaded.ts']);
    t.deepEqual(counted.get('src/unloaded.ts'), new Map([[1, false]]));
    const all = [...counted.get('src/shape.ts')].sort(([a], [b]) => a - b);
    return { all: all.map(([line]) => line), uncovered: all.filter(([, covered]) => !covered).map(([line]) => line) };
  };
  t.deepEqual(lines(), { all: [6, 7, 8, 10, 13, 14, 17], uncovered: [8, 13, 14] });

  // A second process adds what it runs.
  await start(`try { require('./dist/shape.js').area({ side: -1 }) } catch {}`);
  t.is(readdirSync(reports).length, 2);
  t.deepEqual(lines().uncovered, [13, 14]);
});

const RUST = `//! A module.

pub const fn called_by_programs() -> u8 {
    1
}

impl Key {
    pub(super) const fn of_constants() -> u8 {
        2
    }

    const fn also_run() -> u8 {
        3
    }
}

fn work() {}

#[cfg(all(test, not(loom)))]
mod tests {
    fn a_test() {}
}
`;

test('lines of Rust: tests in the file do not count, nor functions that only the compiler runs', (t) => {
  const lines = new Map([3, 4, 5, 8, 9, 10, 12, 13, 14, 17, 21].map((line) => [line, [12, 13, 14, 21].includes(line)]));
  leaveOut(lines, RUST);
  t.deepEqual([...lines.keys()], [3, 4, 5, 12, 13, 14, 17]);
  t.false(lines.get(17));
});
