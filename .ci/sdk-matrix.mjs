/**
 * Runs a program with the oldest and the newest supported version of each SDK and framework. All versions of one SDK must
 * record the same lines. Installs each version into target/sdk-matrix. Expects the library to be built.
 *
 * Arguments are names of ranges, e.g. `.ci/sdk-matrix.mjs openai mcp-1`. `--update` writes the lines that the newest version
 * records to the file of expected lines.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RANGES } from '../__test__/sdk-matrix/ranges.mjs';
import { findNode, installSdks } from './sdks.mjs';
import { root } from './steps.mjs';

const sources = join(root, '__test__', 'sdk-matrix');
const EXPECTED = join(sources, 'expected.json');
const names = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
const isUpdate = process.argv.includes('--update');

const unknown = names.find((name) => !RANGES.some((range) => range.name === name));
if (unknown !== undefined) {
  console.error(`✗ Expected one of ${RANGES.map(({ name }) => name).join(', ')} but received ${unknown}`);
  process.exit(2);
}
if (!existsSync(join(root, 'dist', 'entry', 'index.js'))) {
  console.error('✗ dist/entry/index.js is missing. Run `npm run build` first.');
  process.exit(1);
}

/** Installs packages into a folder of their own, with the library and the programs beside them. */
function prepare(range, packages) {
  const folder = join(root, 'target', 'sdk-matrix', packages.join(' ').replace(/[^\w.-]+/g, '_'));
  mkdirSync(folder, { recursive: true });
  const stamp = join(folder, 'node_modules', '.prepared');
  if (!existsSync(stamp)) {
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
    const flags = ['--no-audit', '--no-fund', '--loglevel=error', '--engine-strict=false', '--ignore-scripts'];
    // Frameworks of one generation may name newer peers than the oldest version had.
    run('npm', ['install', '--legacy-peer-deps', ...flags, ...packages], folder, { stdio: 'inherit' });
    writeFileSync(stamp, '');
  }
  const link = join(folder, 'node_modules', '@llm-devops', 'prometheus-metrics');
  mkdirSync(join(link, '..'), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(root, link, 'junction');
  cpSync(join(root, '__test__', 'sdks', 'support'), join(folder, 'support'), { recursive: true });
  cpSync(join(sources, 'measured.mjs'), join(folder, 'measured.mjs'));
  cpSync(join(sources, 'programs'), folder, { recursive: true });
  return join(folder, `${range.name}.mjs`);
}

function run(command, args, cwd, options = {}) {
  const shell = process.platform === 'win32' && command === 'npm';
  const {
    status,
    stdout = '',
    stderr = '',
  } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    timeout: 300_000,
    shell,
    ...options,
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}\n${stdout}${stderr}`);
  return stdout;
}

const expected = existsSync(EXPECTED) ? JSON.parse(readFileSync(EXPECTED, 'utf8')) : {};
await installSdks();
const node = findNode();
let failed = 0;
for (const range of RANGES.filter(({ name }) => names.length === 0 || names.includes(name))) {
  for (const packages of [...range.versions].reverse()) {
    const title = `${range.name}: ${packages.join(' ')}`;
    try {
      const program = prepare(range, packages);
      const lines = run(node, [program], join(program, '..')).trimEnd().split('\n');
      if (isUpdate && packages === range.versions.at(-1)) expected[range.name] = lines;
      const wanted = expected[range.name] ?? [];
      const differences = [
        ...wanted.filter((line) => !lines.includes(line)).map((line) => `  missing: ${line}`),
        ...lines.filter((line) => !wanted.includes(line)).map((line) => `  not expected: ${line}`),
      ];
      if (differences.length > 0) throw new Error(differences.join('\n'));
      console.log(`✔ ${title}`);
    } catch (error) {
      failed++;
      console.error(`✗ ${title}\n${error.message}`);
    }
  }
}
if (isUpdate) writeFileSync(EXPECTED, `${JSON.stringify(expected, null, 2)}\n`);
process.exit(failed === 0 ? 0 : 1);
