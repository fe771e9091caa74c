/**
 * Runs the tests of the packed packages. `--full` runs all of them; `--only=installs,types` those parts.
 */
import { rmSync } from 'node:fs';
import { part, tally } from '../support/tally.mjs';
import { checkCompilers } from './compilers.mjs';
import { checkDependents } from './dependents.mjs';
import { checkInstalls } from './installs.mjs';
import { checkPacked, packAll } from './packed.mjs';
import { startRegistry } from './registry.mjs';
import { checkRunners } from './runners.mjs';
import { work } from './shell.mjs';
import { checkPeerTypes, checkTypes } from './types.mjs';

const args = process.argv.slice(2);
const isFull = args.includes('--full');
const only = args.find((arg) => arg.startsWith('--only='))?.slice('--only='.length);
const PARTS = {
  packed: ['The packed packages', (_, packages) => checkPacked(packages)],
  installs: ['Installs into an empty folder', (url) => checkInstalls(url, isFull)],
  types: ['TypeScript', (url) => checkTypes(url, isFull)],
  'peer-types': ['TypeScript, beside the peers', (url) => checkPeerTypes(url)],
  compilers: ['Programs compiled to CommonJS and to ES modules', (url) => checkCompilers(url, isFull)],
  dependents: ['Beside packages that need prom-client', (url) => checkDependents(url, isFull)],
  runners: ['Jest and Vitest', (url) => checkRunners(url, isFull)],
};
const wanted = only === undefined ? Object.keys(PARTS) : only.split(',');
const unknown = [
  ...wanted.filter((name) => !(name in PARTS)),
  ...args.filter((arg) => arg !== '--full' && !arg.startsWith('--only=')),
];
if (unknown.length > 0) {
  console.error(`packages: expected --full or --only= with ${Object.keys(PARTS).join(', ')}; received ${unknown}`);
  process.exit(1);
}

try {
  let packages = [];
  let registry;
  await part('Packing and publishing', async () => {
    packages = await packAll();
    registry = await startRegistry(packages);
  });
  if (registry !== undefined) {
    try {
      for (const name of wanted) await part(PARTS[name][0], () => PARTS[name][1](registry.url, packages));
    } finally {
      registry.close();
    }
  }
} finally {
  rmSync(work, { recursive: true, force: true, maxRetries: 5 });
}
process.exitCode = tally();
