/**
 * Builds and runs all that `npm test` checks: formatting, the TypeScript, the Rust tests, the JavaScript tests, and those of
 * the real SDKs.
 * `--only=rust` and `--only=javascript` run one half.
 *
 * The addon and the Rust tests share their dependencies: both profiles compile these alike, with one set of features. Node.js and
 * Rust prepare beside each other; tests run alone, because many of them measure time.
 */
// An older Node.js has no `availableParallelism`, and would not come to the line that asks for a newer one.
import os from 'node:os';
import { join } from 'node:path';
import { ADDON, buildTypeScript, install } from './prepare.mjs';
import { installSdks, testSdks } from './sdks.mjs';
import { bin, printTimes, root, step } from './steps.mjs';
import { checkToolchains } from './toolchains.mjs';

const args = process.argv.slice(2);
const unknown = args.find((argument) => !['--only=rust', '--only=javascript'].includes(argument));
if (unknown !== undefined) {
  console.error(`✗ Expected --only=rust or --only=javascript but received ${unknown}`);
  process.exit(1);
}
const [rust, javascript] = ['rust', 'javascript'].map((half) => args.length === 0 || args.includes(`--only=${half}`));

/** The benches need crates that nothing else needs. The features of a crate depend on what is built with it. */
const PACKAGES = ['--workspace', '--exclude', 'prometheus-metrics-benches'];
/** The addon. With an example, dependencies have the features that tests need. */
const LIBRARIES = [...PACKAGES, '--lib', '--example', 'basic_metrics'];
// `napi build` names the target, so its files lie in the folder of that target. The tests must name it too.
const cargo = { CARGO_BUILD_TARGET: checkToolchains() };
const quiet = { quiet: true };
const rustOptions = { env: cargo, quiet: true };
/** A developer waits for a quarter of the cases that property tests try by default. */
const randomCases = process.env.CI_FULL === '1' ? {} : { PROPTEST_CASES: process.env.PROPTEST_CASES ?? '64' };

await Promise.all([
  (async () => {
    if (javascript) await step('Building the Rust code', 'cargo', ['build', '--quiet', ...LIBRARIES], rustOptions);
    if (rust) await step('Building the Rust tests', 'cargo', ['test', '--quiet', '--no-run', ...PACKAGES], rustOptions);
  })(),
  (async () => {
    await install(quiet);
    await step('Plain language', process.execPath, [join(root, '.ci/plain-language.mjs')], quiet);
    await step('Formatting: Rust', 'cargo', ['fmt', '--all', '--check'], quiet);
    if (!javascript) return;
    await step('Formatting and lint: TypeScript', bin('biome'), ['check', '--error-on-warnings', '.'], quiet);
    await installSdks(quiet);
  })(),
]);
if (javascript) {
  // Only the binding is compiled again: its macros write the types that `napi` asks for.
  await step('Building the addon', bin('napi'), [...ADDON, '--', ...LIBRARIES], rustOptions);
  await buildTypeScript(quiet);
}
if (rust) await step('Rust tests', 'cargo', ['test', '--quiet', ...PACKAGES], { env: { ...cargo, ...randomCases } });
// Tests that wait for a clock or a socket leave a processor idle: one file more than there are processors uses it.
if (javascript) {
  const concurrency = ['--concurrency', `${os.availableParallelism() + 1}`];
  await step('JavaScript tests', bin('ava'), concurrency);
  await testSdks(concurrency);
}
printTimes();
