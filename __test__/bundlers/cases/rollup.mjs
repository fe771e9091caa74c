/**
 * Rollup, with its plugins for packages in `node_modules` and for CommonJS.
 */
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { check } from '../../support/tally.mjs';
import { block, shell } from '../page.mjs';
import { application, runBundled, runExternal } from '../program.mjs';
import { tools } from '../shell.mjs';

async function build(config) {
  const folder = application({ 'rollup.config.mjs': config });
  symlinkSync(join(tools, '@rollup'), join(folder, 'node_modules', '@rollup'), 'junction');
  await shell(folder, 'rollup --config');
  return folder;
}

export async function checkRollup() {
  await check('rollup, external', async () =>
    runExternal(await build(block('// rollup.config.mjs, external')), 'out', 'app.mjs'),
  );
  await check('rollup, bundled', async () =>
    runBundled(await build(block('// rollup.config.mjs, bundled')), 'out', 'app.cjs'),
  );
}
