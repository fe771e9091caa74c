/**
 * Rollup, with its plugins for packages in `node_modules` and for CommonJS.
 */
import { application, runBundled, runExternal } from '../program.mjs';
import { run, tool } from '../shell.mjs';
import { check } from '../tally.mjs';

const plugin = (name, file) => JSON.stringify(tool(name, file)[1]);

const config = (more) => `
import commonjs from ${plugin('@rollup/plugin-commonjs', 'dist/es/index.js')};
import { nodeResolve } from ${plugin('@rollup/plugin-node-resolve', 'dist/es/index.js')};

export default {
  input: 'program.mjs',
  ${more}
};
`;

const build = (folder) => run(folder, [...tool('rollup', 'dist/bin/rollup'), '--config']);

export async function checkRollup() {
  await check('rollup, external', async () => {
    const folder = application({
      'rollup.config.mjs': config(`external: [/^@llm-devops\\/prometheus-metrics/, /^node:/],
  output: { file: 'out/program.mjs', format: 'esm' },`),
    });
    await build(folder);
    await runExternal(folder, 'out', 'program.mjs');
  });
  await check('rollup, bundled', async () => {
    const folder = application({
      'rollup.config.mjs':
        config(`plugins: [nodeResolve({ exportConditions: ['node'] }), commonjs({ ignoreDynamicRequires: true })],
  external: [/^@llm-devops\\/prometheus-metrics-/, /^node:/],
  output: { file: 'out/program.cjs', format: 'cjs' },`),
    });
    await build(folder);
    await runBundled(folder, 'out', 'program.cjs');
  });
}
