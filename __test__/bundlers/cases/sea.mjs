/**
 * A single executable application of Node.js: the addon's file beside the executable, and inside it as an asset.
 */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { ADDON, copyAddon } from '../packed.mjs';
import { application, expectAdvice, expectOutput, move } from '../program.mjs';
import { run, tool } from '../shell.mjs';
import { check } from '../tally.mjs';

const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** Writes the addon to a file before the library is loaded. */
const WITH_ASSET = `const { mkdtempSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { getRawAsset } = require('node:sea');

const file = join(mkdtempSync(join(tmpdir(), 'addon-')), 'prometheus-metrics.node');
writeFileSync(file, Buffer.from(getRawAsset('addon')));
process.env.METRICS_ADDON_PATH = file;
require('./program.mjs');
`;

async function build(entry, more = {}) {
  const folder = application({
    'entry.cjs': entry,
    'sea-config.json': { main: 'bundle.cjs', output: 'sea.blob', disableExperimentalSEAWarning: true, ...more },
  });
  copyAddon(folder);
  const [, esbuild] = tool('esbuild', 'bin/esbuild');
  await run(folder, [esbuild, 'entry.cjs', '--bundle', '--platform=node', '--log-limit=0', '--outfile=bundle.cjs']);
  await run(folder, [process.execPath, '--experimental-sea-config', 'sea-config.json']);
  const executable = join(folder, 'application');
  copyFileSync(process.execPath, executable);
  await run(folder, [
    ...tool('postject', 'dist/cli.js'),
    executable,
    'NODE_SEA_BLOB',
    'sea.blob',
    '--sentinel-fuse',
    FUSE,
  ]);
  return move(folder, 'application');
}

export async function checkSea() {
  // A worker cannot run the executable's own program.
  const env = { WITHOUT_WORKER: '1' };
  await check('single executable application, the addon beside it', async () => {
    const place = await build("require('./program.mjs');");
    await expectAdvice(join(place, '..'), [place], env);
    await expectOutput(join(place, '..'), [place], { ...env, METRICS_ADDON_PATH: copyAddon(join(place, '..')) });
  });
  await check('single executable application, the addon inside it', async () => {
    const place = await build(WITH_ASSET, { assets: { addon: ADDON } });
    await expectOutput(join(place, '..'), [place], env);
  });
}
