/**
 * `bun build`, for Node.js and for Bun, and its executables.
 */
import { join } from 'node:path';
import { check } from '../../support/tally.mjs';
import { block, line, shell } from '../page.mjs';
import { application, expectOutput, move, runBundled, runExternal } from '../program.mjs';
import { fullTool } from '../shell.mjs';

const [, bun] = fullTool('bun', 'bin/bun.exe');

export async function checkBun() {
  const files = { 'addon.mjs': block('// addon.mjs, for Bun'), 'main.mjs': block('// main.mjs\n') };
  const build = async (command) => {
    const folder = application(files);
    await shell(folder, command);
    return folder;
  };
  const external = line('bun build app.mjs --target=node --external');
  const bundled = line('bun build app.mjs --target=node --outdir');
  const withAddon = line('bun build main.mjs --target=bun');
  for (const [target, runtime] of [
    ['node', process.execPath],
    ['bun', bun],
  ]) {
    const forTarget = (command) => command.replace(/--target=\w+/, `--target=${target}`);
    await check(`bun build --target=${target}, external`, async () =>
      runExternal(await build(forTarget(external)), 'out', 'app.mjs', { runtime }),
    );
    await check(`bun build --target=${target}, bundled`, async () =>
      runBundled(await build(forTarget(bundled)), 'out', 'app.js', { runtime }),
    );
    await check(`bun build --target=${target}, with the addon`, async () =>
      expectOutput(move(await build(forTarget(withAddon)), 'out'), [runtime, 'main.js']),
    );
  }
  await check('bun build --compile, with the addon', async () => {
    const place = move(await build(line('bun build main.mjs --compile')), 'out');
    await expectOutput(place, [join(place, 'app')]);
  });
}
