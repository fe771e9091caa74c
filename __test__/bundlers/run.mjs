/**
 * Tries the packed package with bundlers and file tracers. `--full` tries all of them; `--only=esbuild,sea` those.
 */
import { rmSync } from 'node:fs';
import { check, tally } from '../support/tally.mjs';
import { checkBun } from './cases/bun.mjs';
import { checkEsbuild } from './cases/esbuild.mjs';
import { checkNest } from './cases/nest.mjs';
import { checkNext } from './cases/next.mjs';
import { checkRolldown, checkVite } from './cases/rolldown.mjs';
import { checkRollup } from './cases/rollup.mjs';
import { checkSea } from './cases/sea.mjs';
import { checkTracers } from './cases/tracers.mjs';
import { checkWebpack } from './cases/webpack.mjs';
import { pack } from './packed.mjs';
import { application, runWhole } from './program.mjs';
import { work } from './shell.mjs';

/** The program as it is, to see that the package is installed as users have it. */
const checkPlain = () => check('without a bundler', () => runWhole(application(), '.', 'app.mjs'));

const CASES = {
  plain: checkPlain,
  esbuild: checkEsbuild,
  rollup: checkRollup,
  webpack: checkWebpack,
  tracers: checkTracers,
  sea: checkSea,
};
const FULL = {
  rolldown: checkRolldown,
  vite: checkVite,
  rspack: () => checkWebpack('rspack'),
  bun: checkBun,
  nest: checkNest,
  next: checkNext,
};

const args = process.argv.slice(2);
const known = { ...CASES, ...FULL };
const only = args.find((arg) => arg.startsWith('--only='))?.slice('--only='.length);
const wanted = only?.split(',') ?? Object.keys(args.includes('--full') ? known : CASES);
const unknown = [
  ...wanted.filter((name) => !(name in known)),
  ...args.filter((arg) => arg !== '--full' && !arg.startsWith('--only=')),
];
if (unknown.length > 0) {
  console.error(`bundlers: expected --full or --only= with ${Object.keys(known)}; received ${unknown}`);
  process.exit(1);
}

try {
  await pack();
  for (const name of wanted) await known[name]();
} finally {
  if (!process.env.KEEP) rmSync(work, { recursive: true, force: true, maxRetries: 5 });
}
process.exitCode = tally();
