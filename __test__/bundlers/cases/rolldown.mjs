/**
 * Rolldown, and Vite's build of server code, which uses it.
 */

import { check } from '../../support/tally.mjs';
import { block, line, shell } from '../page.mjs';
import { application, runBundled, runExternal } from '../program.mjs';

const build = async (command, files) => {
  const folder = application(files);
  await shell(folder, command);
  return folder;
};

export async function checkRolldown() {
  const APP = 'rolldown app.mjs --platform node';
  await check('rolldown, external', async () => runExternal(await build(line(`${APP} --external`)), 'out', 'app.mjs'));
  await check('rolldown, bundled, cjs', async () =>
    runBundled(await build(line(`${APP} --format cjs`)), 'out', 'app.cjs'),
  );
  await check('rolldown, bundled, esm', async () =>
    runBundled(await build(line(`${APP} --format esm`)), 'out', 'app.mjs'),
  );
}

export async function checkVite() {
  const vite = (files) => build(line('vite build'), files);
  await check('vite build --ssr, external', async () => runExternal(await vite({}), 'out', 'app.mjs'));
  await check('vite build --ssr, bundled', async () =>
    runBundled(await vite({ 'vite.config.mjs': block('// vite.config.mjs') }), 'out', 'app.mjs'),
  );
}
