/**
 * Installs the package into empty folders with each package manager, without Rust, and runs programs there.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { freePort } from '../support/ports.mjs';
import { check } from '../support/tally.mjs';
import { EXPECTED, expectOutput, NAME, plainPrograms } from './programs.mjs';
import { folderOf, node, npm, outerRegistry, root, run, tool } from './shell.mjs';

/** Files by which npm, pnpm, Yarn 1 and Bun take our packages from the registry of the test. */
export const npmrc = (url) => ({ '.npmrc': `@llm-devops:registry=${url}\n` });

export const yarnrc = (url, linker) => ({
  'yarn.lock': '',
  '.yarnrc.yml': {
    nodeLinker: linker,
    // Without it, Plug'n'Play finds packages for ES modules only in a package of type `module`.
    pnpEnableEsmLoader: true,
    enableGlobalCache: false,
    enableImmutableInstalls: false,
    npmMinimalAgeGate: 0,
    npmRegistryServer: outerRegistry,
    npmScopes: { 'llm-devops': { npmRegistryServer: url, npmMinimalAgeGate: 0 } },
    unsafeHttpWhitelist: ['127.0.0.1', new URL(outerRegistry).hostname],
  },
});

/** pnpm 11 and newer wait a day before they install a version; the packages of the test are a minute old. */
export const pnpmWorkspace = (more = {}) => ({ 'pnpm-workspace.yaml': { minimumReleaseAge: 0, ...more } });

const YARN_4 = [process.execPath, tool('@yarnpkg/cli-dist', 'bin/yarn.js')];
export const YARN_1 = [process.execPath, tool('yarn', 'bin/yarn.js')];
export const yarn4 = (...args) => [...YARN_4, ...args];
export const pnpm10 = (...args) => [process.execPath, tool('pnpm-10', 'bin/pnpm.cjs'), ...args];
export const pnpm = (...args) => [tool('pnpm', process.platform === 'win32' ? 'pnpm.exe' : 'pnpm'), ...args];
export const npmInstall = (...args) => [...npm, 'install', '--no-audit', '--no-fund', '--loglevel=error', ...args];

/** Each installs the package as its documentation says, then runs a program by its file. */
const managers = (url) => ({
  npm: { files: npmrc(url), install: npmInstall(NAME) },
  pnpm: { files: { ...npmrc(url), ...pnpmWorkspace() }, install: pnpm('add', NAME) },
  'pnpm 10': { files: { ...npmrc(url), ...pnpmWorkspace() }, install: pnpm10('add', NAME), isFull: true },
  'Yarn 1': { files: npmrc(url), install: [...YARN_1, 'add', NAME, '--no-progress'], isFull: true },
  "Yarn 4 with Plug'n'Play": {
    files: yarnrc(url, 'pnp'),
    install: yarn4('add', NAME),
    start: yarn4('node'),
    isFull: true,
  },
  'Yarn 4 with node_modules': { files: yarnrc(url, 'node-modules'), install: yarn4('add', NAME), isFull: true },
  Bun: { files: npmrc(url), install: [tool('bun', 'bin/bun.exe'), 'add', NAME], isFull: true },
});

export async function checkInstalls(url, isFull) {
  for (const [title, manager] of Object.entries(managers(url))) {
    if (manager.isFull && !isFull) continue;
    const manifest = { name: 'application', version: '1.0.0', private: true };
    const folder = folderOf(`install-${title.replace(/\W/g, '-')}`, {
      'package.json': manifest,
      ...manager.files,
      ...plainPrograms(),
    });
    await check(`${title} installs the package`, async () => {
      await run(folder, manager.install);
      if (existsSync(join(folder, 'node_modules'))) expectOneAddon(folder);
    });
    for (const file of ['check.cjs', 'check.mjs']) {
      await check(`${title}: ${file} runs`, async () => {
        const { start = [process.execPath] } = manager;
        expectOutput(await run(folder, [...start, file]), EXPECTED);
      });
    }
    if (title === 'npm') {
      await check("npm: README's first program runs", () => runReadme(folder));
      await check('npm: the command runs', async () => {
        const program = join(folder, 'node_modules', '.bin', 'prometheus-metrics');
        writeFileSync(join(folder, 'metrics.txt'), '# HELP a_bytes Size.\n# TYPE a_bytes gauge\na_bytes 1\n');
        const printed = await run(folder, [program, 'check', '--strict', 'metrics.txt']);
        if (!printed.startsWith('no findings: 1 metric')) throw new Error(`expected no findings, received ${printed}`);
      });
    }
  }
  await check('no Rust was on PATH', async () => {
    const source = `for (const name of ['cargo', 'rustc']) {
      const { error } = require('node:child_process').spawnSync(name, ['--version']);
      if (error?.code !== 'ENOENT') throw new Error('expected that ' + name + ' is missing');
    }`;
    await node(folderOf('rust', { 'none.cjs': source }), 'none.cjs');
  });
}

/** Runs the first program of README, and asks it for what README says it prints. */
async function runReadme(folder) {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const [, program] = /```js\n([\s\S]*?)```/.exec(readme) ?? [];
  const [, printed] = /```\n(# HELP [\s\S]*?)```/.exec(readme) ?? [];
  const [, port] = /\b(\d{4,5})\b/.exec(program) ?? [];
  if (printed === undefined || port === undefined) {
    throw new Error('expected a program with a port, and what it prints, in README');
  }
  const free = await freePort();
  writeFileSync(join(folder, 'readme.mjs'), program.replaceAll(port, free));
  const child = spawn(process.execPath, ['readme.mjs'], { cwd: folder, stdio: 'inherit' });
  try {
    const text = await answerOf(`http://127.0.0.1:${free}/metrics`, child);
    if (!text.includes(printed.trim())) throw new Error(`expected\n${printed}\nreceived\n${text}`);
  } finally {
    child.kill();
  }
}

/** What a program answers as soon as it listens. */
async function answerOf(url, child) {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const response = await fetch(url).catch(() => null);
    if (response !== null) return response.text();
    if (child.exitCode !== null)
      throw new Error(`expected that the program goes on, but it exits with ${child.exitCode}`);
    await setTimeout(100);
  }
  throw new Error(`expected an answer from ${url}`);
}

/** Only the packages of this platform are installed. */
function expectOneAddon(folder) {
  const folders = [join(folder, 'node_modules', '.pnpm'), join(folder, 'node_modules', '@llm-devops')];
  const installed = folders.flatMap((each) => (existsSync(each) ? readdirSync(each) : []));
  const platforms = installed.filter((each) => /prometheus-metrics-(linux|darwin|win32)/.test(each));
  const others = platforms.filter((each) => !each.includes(`${process.platform}-${process.arch}`));
  if (others.length > 0) throw new Error(`expected addons of this platform only, received ${others.join(', ')}`);
  if (platforms.length === 0) throw new Error('expected the addon of this platform, received none');
}
