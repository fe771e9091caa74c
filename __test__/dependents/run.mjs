/**
 * Installs packages that need prom-client twice: beside the real one, and beside this library under its name. Runs the
 * same applications in both folders, compares their answers, and runs the tests that come with a package.
 *
 * Arguments are names of applications; all of them without any.
 */
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npmInstall, npmrc } from '../packages/installs.mjs';
import { packAll } from '../packages/packed.mjs';
import { startRegistry } from '../packages/registry.mjs';
import { folderOf, node, npm, readJson, run, work } from '../packages/shell.mjs';
import { check, part, tally } from '../support/tally.mjs';
import { expectEqual } from './answers.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const drive = join(here, 'drive.cjs');
const all = readdirSync(join(here, 'applications')).map((file) => file.replace(/\.cjs$/, ''));
const wanted = process.argv.length > 2 ? process.argv.slice(2) : all;
const unknown = wanted.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`dependents: expected names of applications (${all.join(', ')}); received ${unknown}`);
  process.exit(1);
}

const LIBRARIES = ['prom-client', '@prometheus-io/client'];

/** The folder with the real libraries, as the lock says. */
async function installTheirs() {
  const folder = folderOf('theirs', {});
  for (const file of ['package.json', 'package-lock.json']) cpSync(join(here, file), join(folder, file));
  await run(folder, [...npm, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  expectNames(folder, LIBRARIES);
  return folder;
}

/** The folder with this library under both names, and the same packages. */
async function installOurs(url) {
  const manifest = readJson(join(here, 'package.json'));
  const alias = `npm:@llm-devops/prometheus-metrics@${readJson(join(here, '../../package.json')).version}`;
  for (const name of LIBRARIES) manifest.dependencies[name] = alias;
  manifest.overrides = Object.fromEntries(LIBRARIES.map((name) => [name, `$${name}`]));
  const folder = folderOf('ours', { 'package.json': manifest, ...npmrc(url) });
  await run(folder, npmInstall('--ignore-scripts'));
  expectNames(
    folder,
    LIBRARIES.map(() => '@llm-devops/prometheus-metrics'),
  );
  return folder;
}

function expectNames(folder, names) {
  for (const [index, library] of LIBRARIES.entries()) {
    const { name } = readJson(join(folder, 'node_modules', library, 'package.json'));
    if (name !== names[index]) throw new Error(`expected ${names[index]} as ${library}, received ${name}`);
  }
  const nested = readdirSync(join(folder, 'node_modules')).filter((each) =>
    existsSync(join(folder, 'node_modules', each, 'node_modules', 'prom-client')),
  );
  if (nested.length > 0) throw new Error(`expected one library for all, but ${nested} have their own`);
}

const answersOf = async (folder, name) => JSON.parse(await node(folder, drive, name));

/** The results of the tests of opossum-prometheus, by their titles: written for an older prom-client, some fail. */
async function tapeResults(folder) {
  const file = join('node_modules', 'opossum-prometheus', 'test', 'prometheus-test.js');
  const output = await node(folder, file).catch(({ message }) => message);
  return [...output.matchAll(/^(ok|not ok) \d+ (.*)$|^# (.+)$/gm)].reduce(
    (results, [, result, what, title]) => {
      if (title !== undefined) results.title = title;
      else results.push(`${result}: ${results.title}: ${what}`);
      return results;
    },
    Object.assign([], { title: '' }),
  );
}

try {
  let folders;
  await part('Installing', async () => {
    const registry = await startRegistry(await packAll());
    try {
      folders = { ours: await installOurs(registry.url), theirs: await installTheirs() };
    } finally {
      registry.close();
    }
  });
  if (folders !== undefined) {
    const { ours, theirs } = folders;
    await part('Applications', async () => {
      for (const name of wanted) {
        await check(`${name} answers as beside the real library`, async () =>
          expectEqual(await answersOf(ours, name), await answersOf(theirs, name)),
        );
      }
    });
    await part('Tests that come with packages', async () => {
      if (!wanted.includes('opossum-prometheus')) return;
      await check('opossum-prometheus: its tests pass that pass beside the real library', async () => {
        const passing = (await tapeResults(theirs)).filter((result) => result.startsWith('ok'));
        const own = await tapeResults(ours);
        const failed = passing.filter((result) => !own.includes(result));
        if (passing.length < 20) throw new Error(`expected more than ${passing.length} results`);
        if (failed.length > 0) throw new Error(`expected these to pass:\n${failed.join('\n')}`);
        console.log(`   ${passing.length} of ${own.length} results`);
      });
    });
  }
} finally {
  rmSync(work, { recursive: true, force: true, maxRetries: 5 });
}
process.exitCode = tally();
