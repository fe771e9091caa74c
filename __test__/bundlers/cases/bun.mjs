/**
 * `bun build`, for Node.js and for Bun, and its executables.
 */
import { join } from 'node:path';
import { ADDON, NAME, PLATFORM } from '../packed.mjs';
import { application, expectOutput, move, runBundled, runExternal } from '../program.mjs';
import { fullTool, run } from '../shell.mjs';
import { check } from '../tally.mjs';

const [, bun] = fullTool('bun', 'bin/bun.exe');

/** Makes the addon a file of the bundle, and names it before the library is loaded. */
const WITH_ADDON = {
  'addon.mjs': `import { resolve } from 'node:path';
import file from '${NAME}-${PLATFORM}/${ADDON}' with { type: 'file' };

process.env.METRICS_ADDON_PATH = resolve(import.meta.dirname, file);
`,
  'main.mjs': `import './addon.mjs';
import './program.mjs';
`,
};

const build = async (...args) => {
  const folder = application(WITH_ADDON);
  await run(folder, [bun, 'build', ...args]);
  return folder;
};

export async function checkBun() {
  for (const [target, runtime] of [
    ['node', process.execPath],
    ['bun', bun],
  ]) {
    const title = `bun build --target=${target}`;
    const names = [`--target=${target}`, '--outdir=out', '--entry-naming=[name].mjs'];
    await check(`${title}, external`, async () => {
      const folder = await build('program.mjs', ...names, `--external=${NAME}`);
      await runExternal(folder, 'out', 'program.mjs', { runtime });
    });
    await check(`${title}, bundled`, async () => {
      await runBundled(await build('program.mjs', ...names), 'out', 'program.mjs', { runtime });
    });
    await check(`${title}, with the addon`, async () => {
      await expectOutput(move(await build('main.mjs', ...names), 'out'), [runtime, 'main.mjs']);
    });
  }
  await check('bun build --compile, with the addon', async () => {
    const place = move(await build('main.mjs', '--compile', '--outfile=out/application'), 'out');
    await expectOutput(place, [join(place, 'application')]);
  });
}
