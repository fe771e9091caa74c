/**
 * What `npm test` runs once everything is built, in the order in which a mistake is found soonest.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const bin = (name) => join(root, 'node_modules', '.bin', name);

const steps = [
  ['Formatting and lint: TypeScript', bin('biome'), ['check', '--error-on-warnings', '.']],
  ['Formatting: Rust', 'cargo', ['fmt', '--all', '--check']],
  ['Lint: Rust', 'cargo', ['clippy', '--quiet', '--workspace', '--all-targets', '--', '-D', 'warnings']],
  ['Rust tests', 'cargo', ['test', '--quiet', '--package', 'prometheus-metrics']],
  ['JavaScript tests', bin('ava'), []],
];

for (const [title, command, args] of steps) {
  const started = Date.now();
  console.log(`\n• ${title}`);
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    console.error(`✗ ${title} failed${error ? `: ${error.message}` : ''}`);
    process.exit(1);
  }
  console.log(`  done in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}
