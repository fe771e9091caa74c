// Checks that the workflows have all targets and Node.js versions, and that the commands they call exist.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { platformOf } from '../../.ci/release-manifest.mjs';

const root = new URL('../../', import.meta.url);
const read = (path) => readFileSync(new URL(path, root), 'utf8');
const manifest = JSON.parse(read('package.json'));
const workflows = new Map(
  readdirSync(new URL('.github/workflows/', root)).map((name) => [name, read(`.github/workflows/${name}`)]),
);

/** The text of one job: its lines up to the next key with the same indentation. */
function job(workflow, name) {
  return workflows
    .get(workflow)
    .split(/^ {2}(?=\S)/m)
    .find((text) => text.startsWith(`${name}:`));
}

test('the jobs of the specification exist', (t) => {
  for (const name of [
    'lint',
    'test-unit',
    'test-integration',
    'test-coverage',
    'benchmark',
    'test-typescript',
    'build',
  ]) {
    t.truthy(job('ci.yml', name), name);
  }
});

test('every target is built and loaded', (t) => {
  const targets = (name) => [...job('build.yml', name).matchAll(/target: ([a-z0-9_-]+)/g)].map(([, target]) => target);
  t.deepEqual(targets('addon'), manifest.napi.targets);
  t.deepEqual(targets('load'), manifest.napi.targets);
});

test('every Linux addon is built by the script that holds its budget and its glibc', (t) => {
  const script = read('.ci/release-linux.sh');
  const targets = manifest.napi.targets.filter((target) => target.includes('linux'));
  t.is(targets.length, 4);
  for (const target of targets) {
    t.true(script.includes(`\n  ${target}) platform=${platformOf(target)} ;;\n`), target);
    t.true(
      job('build.yml', 'addon').includes(`{ target: ${target}, runner: ubuntu-latest, release-linux: true }`),
      target,
    );
  }
  t.regex(script, /\nnode \.ci\/release-binary\.mjs "\$addon"\n$/);
  // The workflow calls it for these rows, and `napi build` for the others.
  t.regex(job('build.yml', 'addon'), /if: matrix\.release-linux\n +run: npm run build:release-linux -- \$/);
});

test('the page of platforms lists the package of each target, and the versions that are tested', (t) => {
  const page = read('docs/platforms.md');
  const packages = readdirSync(new URL('npm/', root)).map((name) => JSON.parse(read(`npm/${name}/package.json`)).name);
  t.deepEqual(
    [...page.matchAll(/`(@llm-devops\/prometheus-metrics-[a-z0-9-]+)`/g)].map(([, name]) => name).sort(),
    packages,
  );
  const [, versions] = job('ci.yml', 'test-typescript').match(/node: \[(.+)\]/);
  t.true(page.includes(`| ${versions.replace(/, (\d+)$/, ' and $1')} |`));
  t.is(page.match(/\| glibc 2\.17 or newer \|/g).length, packages.filter((name) => name.endsWith('-gnu')).length);
});

test("README's table names the systems, processors and versions of the page of platforms", (t) => {
  const [, table] = read('README.md').split('## Supported platforms');
  const row = (name) => table.match(new RegExp(`^\\| ${name} \\| (.*?) \\|`, 'm'))[1];
  const names = { linux: 'Linux', darwin: 'macOS', win32: 'Windows' };
  for (const folder of readdirSync(new URL('npm/', root))) {
    const [system, processor] = folder.split('-');
    t.true(row(names[system]).includes(processor), folder);
  }
  const page = read('docs/platforms.md');
  const [, versions] = job('ci.yml', 'test-typescript').match(/node: \[(.+)\]/);
  t.is(row('Node.js'), versions);
  const { dependencies } = JSON.parse(read('__test__/runtimes/package.json'));
  for (const [name, version] of [
    ['Bun', dependencies.bun],
    ['Deno', dependencies.deno],
  ]) {
    const [minor] = version.match(/^\d+\.\d+/);
    t.true(row(name).startsWith(minor) && page.includes(`| ${name} | ${minor},`), `${name} ${version}`);
  }
});

test('the line that downloads dashboards and rules names this version, and is in README as well', (t) => {
  const page = read('docs/dashboards.md');
  t.true(page.includes(`/archive/refs/tags/v${manifest.version}.tar.gz`));
  t.true(page.includes(`prometheus-metrics-${manifest.version}/deploy\n`));
  t.is(page.match(/https:\/\/\S+?(?=\/archive)/)[0], manifest.homepage.replace('#readme', ''));
  t.true(read('README.md').includes('docs/dashboards.md'));
});

test('the oldest Node.js and the oldest Rust are tested', (t) => {
  const oldest = manifest.engines.node.match(/\d+/)[0];
  t.regex(job('ci.yml', 'test-typescript'), new RegExp(`node: \\[${oldest}, `));
  const [, rust] = read('Cargo.toml').match(/^rust-version = "(.+)"$/m);
  t.true(job('ci.yml', 'test-unit').includes(`rust: [stable, '${rust}']`));
});

test('every script, file and part that a workflow runs exists', (t) => {
  const parts = read('.ci/run');
  const text = [...workflows.values()].join('\n');
  const called = (pattern) => [...new Set([...text.matchAll(pattern)].map(([, name]) => name))];
  const scripts = called(/\bnpm run ([a-z:-]+)/g);
  const files = called(/(\.ci\/[a-z-]+(?:\.sh|\.mjs)?)/g);
  const named = called(/(?:\.ci\/run|\bpart:) ([a-z]+)/g);
  t.deepEqual(
    {
      scripts: scripts.filter((script) => !(script in manifest.scripts)),
      files: files.filter((path) => !existsSync(new URL(path, root))),
      parts: named.filter((part) => !parts.includes(`run_${part}()`)),
    },
    { scripts: [], files: [], parts: [] },
  );
  t.true(scripts.length > 5 && files.length > 3 && named.length > 6);
});

test('actions of other repositories are pinned to a major version', (t) => {
  const folder = new URL('.github/', root);
  const files = readdirSync(folder, { recursive: true }).filter((path) => path.endsWith('.yml'));
  const uses = files.flatMap((path) =>
    [...readFileSync(new URL(path, folder), 'utf8').matchAll(/\buses: (\S+)/g)].map(([, action]) => action),
  );
  t.true(uses.length > 20);
  const ours = uses.filter((action) => action.startsWith('./'));
  for (const action of ours) t.true(existsSync(fileURLToPath(new URL(action, root))), action);
  const others = uses.filter((action) => !action.startsWith('./'));
  t.deepEqual(
    others.filter((action) => !/@v\d+$/.test(action)),
    [],
  );
});

test('packages are published with provenance, from a job that may ask for an identity', (t) => {
  const publishing = job('release.yml', 'npm');
  t.regex(publishing, /id-token: write/);
  const commands = publishing.match(/npm publish .*/g);
  t.is(commands.length, 2);
  // Only these folders have the licences, the notices and the dependencies on all platform packages.
  const made = publishing.indexOf('npm run build:packages');
  t.true(made > publishing.indexOf('path: artifacts') && made < publishing.indexOf(commands[0]));
  t.regex(commands[0], /"\.\/\$package"/);
  t.regex(publishing, /for package in target\/packages\/\*\//);
  t.regex(commands[1], /\.\/target\/packages\/main /);
  for (const command of commands) t.regex(command, /--provenance --access public/);
});
