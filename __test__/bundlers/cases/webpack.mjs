/**
 * webpack 5 and Rspack, which reads the same configuration.
 */
import { pathToFileURL } from 'node:url';
import { check } from '../../support/tally.mjs';
import { block } from '../page.mjs';
import { application, runBundled, runExternal } from '../program.mjs';
import { fullTool, run, tool } from '../shell.mjs';

const BUNDLERS = {
  webpack: () => tool('webpack', 'lib/index.js')[1],
  rspack: () => fullTool('@rspack/core', 'dist/index.js')[1],
};

const program = (module) => `import bundler from ${JSON.stringify(pathToFileURL(module).href)};
import config from './webpack.config.mjs';

bundler(config, (error, stats) => {
  if (!error && !stats.hasErrors()) return;
  console.error(error ?? stats.toString());
  process.exitCode = 1;
});
`;

export async function checkWebpack(name = 'webpack') {
  const build = async (config) => {
    const folder = application({ 'build.mjs': program(BUNDLERS[name]()), 'webpack.config.mjs': config });
    await run(folder, [process.execPath, 'build.mjs']);
    return folder;
  };
  await check(`${name}, external`, async () =>
    runExternal(await build(block('// webpack.config.mjs, external')), 'out', 'app.cjs'),
  );
  await check(`${name}, bundled`, async () =>
    runBundled(await build(block('// webpack.config.mjs, bundled')), 'out', 'app.cjs'),
  );
  await check(`${name} without externals stops at the addon's file`, async () => {
    const config = block('// webpack.config.mjs, external').replace(/ {2}externals.*\n/g, '');
    const error = await build(config).then(
      () => new Error('expected the build to fail'),
      (thrown) => thrown,
    );
    if (!/\.node[\s\S]*loader/.test(error.message)) throw error;
  });
}
