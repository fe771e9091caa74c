/**
 * esbuild: the package outside the bundle, and inside with the addon's file beside the bundle.
 */
import { ADDON, NAME, PLATFORM } from '../packed.mjs';
import { application, runBundled, runExternal, runWhole } from '../program.mjs';
import { run, tool } from '../shell.mjs';
import { check } from '../tally.mjs';

const esbuild = (folder, entry, ...args) =>
  run(folder, [...tool('esbuild', 'bin/esbuild').slice(1), entry, '--bundle', '--platform=node', ...args]);

/** A bundle that is an ES module has no `require`, which the library's CommonJS code needs. */
const BANNER =
  "--banner:js=import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** Makes the addon a file of the bundle, and names it before the library is loaded. */
const WITH_ADDON = {
  'addon.mjs': `import { resolve } from 'node:path';
import file from '${NAME}-${PLATFORM}/${ADDON}';

process.env.METRICS_ADDON_PATH = resolve(__dirname, file);
`,
  'main.mjs': `import './addon.mjs';
import './program.mjs';
`,
};

export async function checkEsbuild() {
  await check('esbuild, with the addon', async () => {
    const folder = application(WITH_ADDON);
    await esbuild(folder, 'main.mjs', '--loader:.node=file', '--log-limit=0', '--outfile=out/program.cjs');
    await runWhole(folder, 'out', 'program.cjs');
  });
  for (const [format, file] of [
    ['cjs', 'program.cjs'],
    ['esm', 'program.mjs'],
  ]) {
    await check(`esbuild, external, ${format}`, async () => {
      const folder = application();
      await esbuild(folder, 'program.mjs', `--format=${format}`, '--packages=external', `--outfile=out/${file}`);
      await runExternal(folder, 'out', file);
    });
    await check(`esbuild, bundled, ${format}`, async () => {
      const folder = application();
      const banner = format === 'esm' ? [BANNER] : [];
      await esbuild(folder, 'program.mjs', `--format=${format}`, ...banner, '--log-limit=0', `--outfile=out/${file}`);
      await runBundled(folder, 'out', file);
    });
  }
}
