/**
 * Rolldown, and Vite's build of server code, which uses it.
 */
import { application, runBundled, runExternal } from '../program.mjs';
import { fullTool, run } from '../shell.mjs';
import { check } from '../tally.mjs';

const rolldown = (folder, ...args) =>
  run(folder, [...fullTool('rolldown', 'bin/cli.mjs'), 'program.mjs', '--platform', 'node', ...args]);

export async function checkRolldown() {
  await check('rolldown, external', async () => {
    const folder = application();
    await rolldown(folder, '--external', '@llm-devops/prometheus-metrics', '--file', 'out/program.mjs');
    await runExternal(folder, 'out', 'program.mjs');
  });
  for (const [format, file] of [
    ['cjs', 'program.cjs'],
    ['esm', 'program.mjs'],
  ]) {
    await check(`rolldown, bundled, ${format}`, async () => {
      const folder = application();
      await rolldown(folder, '--format', format, '--file', `out/${file}`);
      await runBundled(folder, 'out', file);
    });
  }
}

const vite = async (config) => {
  const folder = application({ 'vite.config.mjs': `export default ${JSON.stringify(config)};\n` });
  await run(folder, [...fullTool('vite', 'bin/vite.js'), 'build', '--ssr', 'program.mjs', '--outDir', 'out']);
  return folder;
};

export async function checkVite() {
  await check('vite build --ssr, external', async () => runExternal(await vite({}), 'out', 'program.mjs'));
  await check('vite build --ssr, bundled', async () =>
    runBundled(await vite({ ssr: { noExternal: true } }), 'out', 'program.mjs'),
  );
}
