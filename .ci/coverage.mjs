/**
 * Measures which lines the tests run, and fails if a file or a language is below its floor (`coverage/floors.mjs`). Builds
 * everything with counters in `target/coverage`; the library's own build is put back afterwards. A Rust line is covered if
 * the Rust tests or the JavaScript tests run it.
 *
 * `--report` shows the last measurement again. `--missing=src/native` lists lines that no test runs, of all files below
 * this path. With UPDATE_DOCS=1 it writes the figures into docs/acceptance.md.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { llvmTools } from './coverage/llvm.mjs';
import { missing, report, summary, tables } from './coverage/report.mjs';
import { instrumented, rustLines, testBinaries } from './coverage/rust.mjs';
import { typescriptLines } from './coverage/v8.mjs';
import { ADDON, install } from './prepare.mjs';
import { installSdks, testSdks } from './sdks.mjs';
import { bin, printTimes, root, step } from './steps.mjs';
import { checkToolchains } from './toolchains.mjs';

const folder = join(root, 'target', 'coverage');
const dist = join(root, 'dist');
/** What was in `dist` before, and the build with counters after. */
const before = join(folder, 'dist-before');
const measured = join(folder, 'dist');
const reports = join(folder, 'v8');
const profiles = join(folder, 'profiles');
/** The result, which `--report` reads. */
const saved = join(folder, 'lines.json');

const FEATURES = ['--features', 'prometheus-metrics/prometheus-client,prometheus-metrics/push-http'];
const EVERYTHING = ['--workspace', '--lib', '--tests', '--examples', ...FEATURES];
const TESTS = ['--workspace', ...FEATURES];

const page = join(root, 'docs', 'acceptance.md');
const MARKERS = /(<!-- coverage:.*-->\n)[\s\S]*(<!-- \/coverage -->)/;

if (!process.argv.includes('--report')) {
  save(await measure());
  printTimes();
}
if (!existsSync(saved)) {
  console.error('✗ Nothing was measured here yet: run `npm run coverage` without --report.');
  process.exit(2);
}
const result = summary(load());
console.log(`\n${report(result)}`);
const wanted = process.argv.find((argument) => argument.startsWith('--missing='))?.slice('--missing='.length);
if (wanted !== undefined) console.log(`\nLines that no test runs:\n${missing(result, wanted).join('\n')}`);
if (process.env.UPDATE_DOCS === '1') {
  const text = readFileSync(page, 'utf8');
  writeFileSync(
    page,
    text.replace(MARKERS, (_, start, end) => `${start}\n${tables(result)}\n\n${end}`),
  );
}
process.exitCode = result.failures.length === 0 ? 0 : 1;

function save(languages) {
  const plain = Object.entries(languages).map(([language, files]) => [
    language,
    [...files].map(([path, lines]) => [path, [...lines]]),
  ]);
  writeFileSync(saved, JSON.stringify(plain));
}

function load() {
  const read = (files) => new Map(files.map(([path, lines]) => [path, new Map(lines)]));
  const plain = JSON.parse(readFileSync(saved, 'utf8'));
  return Object.fromEntries(plain.map(([language, files]) => [language, read(files)]));
}

/** Runs everything; returns the lines of each file, by language. */
async function measure() {
  const host = checkToolchains();
  const tools = llvmTools();
  const env = { ...instrumented(folder), CARGO_BUILD_TARGET: host };
  const quiet = { quiet: true, env };
  for (const used of [reports, profiles, measured, saved]) rmSync(used, { recursive: true, force: true });
  mkdirSync(profiles, { recursive: true });
  await install({ quiet: true });
  await installSdks({ quiet: true });
  setAside();
  await step('Building the Rust code with counters', bin('napi'), [...ADDON, '--', ...EVERYTHING], quiet);
  await buildTypeScript(quiet);
  // Procedural macros and build scripts have counters, and the build of the TypeScript asks the addon for its types.
  for (const name of readdirSync(profiles)) rmSync(join(profiles, name));

  // Ordinary counts: more rounds of the same program reach no further line.
  delete process.env.CI_FULL;
  await step('Rust tests', 'cargo', ['test', '--quiet', ...TESTS], { env });
  const counting = { ...env, NODE_V8_COVERAGE: reports };
  const config = ['--config', '.ci/coverage/ava.config.mjs', '--concurrency', `${os.availableParallelism() + 1}`];
  await step('JavaScript tests', bin('ava'), config, { env: counting });
  await testSdks([], { env: counting });
  restore();

  const addon = readdirSync(measured).find((file) => file.endsWith('.node'));
  const binaries = [...testBinaries(TESTS, env), join(measured, addon)];
  return {
    Rust: rustLines({ folder, tools, root, binaries }),
    TypeScript: typescriptLines({ reports, dist: measured, ran: dist, root }),
  };
}

/** Puts the library's build aside until `restore()`, which the end of this process calls, too. */
function setAside() {
  // What an earlier run that was killed has left.
  restore();
  if (existsSync(dist)) renameSync(dist, before);
  else mkdirSync(before);
  process.on('exit', restore);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));
}

/** Does nothing if nothing is put aside. */
function restore() {
  if (!existsSync(before)) return;
  rmSync(measured, { recursive: true, force: true });
  if (existsSync(dist)) renameSync(dist, measured);
  renameSync(before, dist);
}

/** As `build:ts`, with source maps, and with entries that load the compiler's modules in place of the bundle. */
async function buildTypeScript(quiet) {
  await step('Building the TypeScript', 'npm', ['run', '--silent', 'build:ts'], quiet);
  const args = ['-p', 'tsconfig.json', '--declaration', 'false', '--removeComments', '--sourceMap'];
  await step('Building it with source maps', bin('tsc'), args, quiet);
  await step('Making the entries', process.execPath, ['.ci/entries.mjs'], quiet);
}
