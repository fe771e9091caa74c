/**
 * Installs packages that need prom-client beside this library under prom-client's name, with the lines of
 * docs/compatibility.md, and expects that each of them gets this library and that no prom-client is installed.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { check } from '../support/tally.mjs';
import { npmInstall, npmrc, pnpm, pnpm10, YARN_1, yarn4, yarnrc } from './installs.mjs';
import { folderOf, node, readJson, root, run } from './shell.mjs';

/** The wrappers, each with the name under which it requires prom-client. */
const WRAPPERS = {
  'express-prom-bundle': 'prom-client',
  '@willsoto/nestjs-prometheus': 'prom-client',
  'prometheus-api-metrics': 'prom-client',
  'prometheus-gc-stats': 'prom-client',
  'fastify-metrics': '@prometheus-io/client',
};

const DEPENDENCIES = {
  '@nestjs/common': '12.5.1',
  '@willsoto/nestjs-prometheus': '6.1.1',
  express: '5.3.0',
  'express-prom-bundle': '8.0.0',
  fastify: '5.12.8',
  'fastify-metrics': '14.1.0',
  'prometheus-api-metrics': '4.0.0',
  'prometheus-gc-stats': '1.1.0',
  'reflect-metadata': '0.2.2',
  rxjs: '7.8.2',
};

/** Requires each wrapper, and compares what it gets with what the application gets. */
const PROGRAM = `
const { createRequire } = require('node:module');
const client = require('prom-client');
if (typeof client.createMetricsHandler !== 'function') throw new Error('expected this library as prom-client');
if (require('prom-client/lib/registry').globalRegistry !== client.register) throw new Error('expected one registry');
for (const [wrapper, name] of Object.entries(${JSON.stringify(WRAPPERS)})) {
  require(wrapper);
  const theirs = createRequire(require.resolve(wrapper))(name);
  if (theirs.register !== client.register) throw new Error(wrapper + ' has another registry');
  console.log(wrapper);
}
`;

/** pnpm 11 and newer wait a day before they install a version. */
const NO_WAIT = 'minimumReleaseAge: 0\n';

/** The code block of docs/compatibility.md that follows a line with this beginning. */
function documented(title) {
  const page = readFileSync(join(root, 'docs', 'compatibility.md'), 'utf8');
  const block = new RegExp(`^${title}[^\\n]*\\n\\n\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``, 'm').exec(page);
  if (block === null) throw new Error(`expected a block after "${title}" in docs/compatibility.md`);
  return block[1];
}

const managers = (url) => ({
  npm: { files: npmrc(url), lines: '\\*\\*npm\\*\\*', install: npmInstall('--ignore-scripts') },
  'Yarn 1': {
    files: npmrc(url),
    lines: '\\*\\*Yarn\\*\\*',
    install: [...YARN_1, 'install', '--ignore-scripts', '--ignore-engines', '--no-progress'],
    isFull: true,
  },
  'Yarn 4': { files: yarnrc(url, 'node-modules'), lines: '\\*\\*Yarn\\*\\*', install: yarn4('install'), isFull: true },
  pnpm: {
    lines: '\\*\\*pnpm\\*\\*',
    install: pnpm('install', '--ignore-scripts', '--no-frozen-lockfile'),
    isFull: true,
  },
  'pnpm 10': {
    lines: '\\*\\*pnpm\\*\\*',
    install: pnpm10('install', '--ignore-scripts', '--no-frozen-lockfile'),
    isFull: true,
  },
});

export async function checkDependents(url, isFull) {
  for (const [title, { files, lines, install, isFull: isOnlyFull }] of Object.entries(managers(url))) {
    if (isOnlyFull && !isFull) continue;
    await check(`${title} installs one library for all wrappers`, async () => {
      const isPnpm = title.startsWith('pnpm');
      const block = documented(lines);
      const written = isPnpm ? documented('and in `package.json`') : block;
      const manifest = { name: 'application', private: true, ...JSON.parse(written) };
      manifest.dependencies = { ...DEPENDENCIES, ...manifest.dependencies };
      const workspace = `${NO_WAIT}${block}`;
      const own = isPnpm ? { ...npmrc(url), 'pnpm-workspace.yaml': workspace } : files;
      const folder = folderOf(`dependents-${title.replace(/\W/g, '-')}`, {
        'package.json': manifest,
        'check.cjs': PROGRAM,
        ...own,
      });
      await run(folder, install);
      expectNoOther(folder);
      const shown = await node(folder, 'check.cjs');
      const missing = Object.keys(WRAPPERS).filter((wrapper) => !shown.includes(wrapper));
      if (missing.length > 0) throw new Error(`expected that ${missing} is required`);
    });
  }
}

const NAMES = ['prom-client', '@prometheus-io/client', '@platformatic/prom-client'];

/** Every folder of this name, at any depth, must hold this library. */
function expectNoOther(folder) {
  const found = [];
  const walk = (modules) => {
    if (!existsSync(modules)) return;
    for (const entry of readdirSync(modules, { withFileTypes: true })) {
      const path = join(modules, entry.name);
      if (entry.name === '.pnpm') for (const each of readdirSync(path)) walk(join(path, each, 'node_modules'));
      else if (entry.name.startsWith('@')) walk(path);
      else if (existsSync(join(path, 'package.json'))) {
        found.push(readJson(join(path, 'package.json')).name);
        if (entry.isDirectory()) walk(join(path, 'node_modules'));
      }
    }
  };
  walk(join(folder, 'node_modules'));
  const others = found.filter((name) => NAMES.includes(name));
  if (others.length > 0) throw new Error(`expected this library only, received ${others.join(', ')}`);
  if (!found.includes('@llm-devops/prometheus-metrics')) throw new Error('expected this library, received none');
}
