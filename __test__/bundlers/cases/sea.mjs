/**
 * A single executable application of Node.js: the addon's file beside the executable, and inside it as an asset.
 */
import { join } from 'node:path';
import { check } from '../../support/tally.mjs';
import { copyAddon } from '../packed.mjs';
import { block, json, line, shell } from '../page.mjs';
import { application, expectAdvice, expectOutput, move } from '../program.mjs';
import { esbuild } from './esbuild.mjs';

async function build(main, config) {
  const folder = application({ 'main.cjs': main, 'sea-config.json': config });
  await esbuild(folder, line('esbuild main.cjs'));
  for (const start of ['node --experimental-sea-config', 'cp ', 'postject ']) await shell(folder, line(start));
  const executable = move(folder, 'application');
  return { executable, place: join(executable, '..') };
}

export async function checkSea() {
  // A worker cannot run the executable's own program.
  const env = { WITHOUT_WORKER: '1' };
  const config = json('"sea.blob"');
  await check('single executable application, the addon beside it', async () => {
    const { assets: _, ...withoutAssets } = JSON.parse(config);
    const { executable, place } = await build("require('./app.mjs');\n", withoutAssets);
    await expectAdvice(place, [executable], env);
    await expectOutput(place, [executable], { ...env, METRICS_ADDON_PATH: copyAddon(place) });
  });
  await check('single executable application, with the addon', async () => {
    const { executable, place } = await build(block('// main.cjs'), config);
    await expectOutput(place, [executable], env);
  });
}
