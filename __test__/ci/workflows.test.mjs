// What the workflows promise: all targets, all commands that they call, all Node.js versions.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';

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

test('the oldest Node.js and the oldest Rust are tested', (t) => {
  const oldest = manifest.engines.node.match(/\d+/)[0];
  t.regex(job('ci.yml', 'test-typescript'), new RegExp(`node: \\[${oldest}, `));
  const [, rust] = read('Cargo.toml').match(/^rust-version = "(.+)"$/m);
  t.true(job('ci.yml', 'test-unit').includes(`rust: [stable, '${rust}']`));
});

test('every script and file that a workflow runs exists', (t) => {
  const parts = read('.ci/run');
  let found = 0;
  for (const [name, text] of workflows) {
    for (const [, script] of text.matchAll(/\bnpm run ([a-z:-]+)/g)) {
      found++;
      t.true(script in manifest.scripts, `${name}: npm run ${script}`);
    }
    for (const [path] of text.matchAll(/\.ci\/[a-z-]+(\.sh|\.mjs)?/g)) {
      found++;
      t.true(existsSync(new URL(path, root)), `${name}: ${path}`);
    }
    for (const [, part] of text.matchAll(/\.ci\/run ([a-z]+)/g)) {
      t.true(parts.includes(`run_${part}()`), `${name}: .ci/run ${part}`);
    }
    for (const [, part] of text.matchAll(/\bpart: ([a-z]+)/g)) {
      t.true(parts.includes(`run_${part}()`), `${name}: .ci/run ${part}`);
    }
  }
  t.true(found > 20);
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
  for (const command of commands) t.regex(command, /--provenance --access public/);
});
