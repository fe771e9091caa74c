/**
 * esbuild: the package outside the bundle, and inside with the addon's file beside the bundle.
 */
import { application, runBundled, runExternal } from '../program.mjs';
import { run, tool } from '../shell.mjs';
import { check } from '../tally.mjs';

const esbuild = (folder, ...args) =>
  run(folder, [...tool('esbuild', 'bin/esbuild').slice(1), 'program.mjs', '--bundle', '--platform=node', ...args]);

/** A bundle that is an ES module has no `require`, which the library's CommonJS code needs. */
const BANNER = "--banner:js=import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

export async function checkEsbuild() {
  for (const [format, file] of [
    ['cjs', 'program.cjs'],
    ['esm', 'program.mjs'],
  ]) {
    await check(`esbuild, external, ${format}`, async () => {
      const folder = application();
      await esbuild(folder, `--format=${format}`, '--packages=external', `--outfile=out/${file}`);
      await runExternal(folder, 'out', file);
    });
    await check(`esbuild, bundled, ${format}`, async () => {
      const folder = application();
      const banner = format === 'esm' ? [BANNER] : [];
      await esbuild(folder, `--format=${format}`, ...banner, '--log-limit=0', `--outfile=out/${file}`);
      await runBundled(folder, 'out', file);
    });
  }
}
