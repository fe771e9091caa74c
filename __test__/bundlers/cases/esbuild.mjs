/**
 * esbuild: the package outside the bundle, inside with the addon's file beside the bundle, and with the addon.
 */

import { check } from '../../support/tally.mjs';
import { block, line, shell } from '../page.mjs';
import { application, runBundled, runExternal, runWhole } from '../program.mjs';

const APP = 'esbuild app.mjs --bundle --platform=node';

/** Runs a line, which must print no warning. */
export async function esbuild(folder, command) {
  const output = await shell(folder, command);
  if (/warning/i.test(output)) throw new Error(output);
}

export async function checkEsbuild() {
  const files = { 'addon.mjs': block('// addon.mjs, for esbuild'), 'main.mjs': block('// main.mjs\n') };
  const build = async (command) => {
    const folder = application(files);
    await esbuild(folder, command);
    return folder;
  };
  await check('esbuild, external, cjs', async () =>
    runExternal(await build(line(`${APP} --external`)), 'out', 'app.cjs'),
  );
  await check('esbuild, external, esm', async () =>
    runExternal(await build(line(`${APP} --format=esm --external`)), 'out', 'app.mjs'),
  );
  await check('esbuild, bundled, cjs', async () => runBundled(await build(line(`${APP} --outfile`)), 'out', 'app.cjs'));
  await check('esbuild, bundled, esm', async () =>
    runBundled(await build(line(`${APP} --format=esm --outfile`)), 'out', 'app.mjs'),
  );
  await check('esbuild, with the addon', async () => runWhole(await build(line('esbuild main.mjs')), 'out', 'app.cjs'));
}
