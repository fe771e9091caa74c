/**
 * webpack 5 and Rspack, which reads the same configuration.
 */
import { pathToFileURL } from 'node:url';
import { application, runBundled, runExternal } from '../program.mjs';
import { fullTool, run, tool } from '../shell.mjs';
import { check } from '../tally.mjs';

const BUNDLERS = {
  webpack: () => tool('webpack', 'lib/index.js')[1],
  rspack: () => fullTool('@rspack/core', 'dist/index.js')[1],
};

const build = (module, config) => `
import bundler from ${JSON.stringify(pathToFileURL(module).href)};

const config = {
  mode: 'production',
  target: 'node',
  entry: './program.mjs',
  output: { path: \`\${import.meta.dirname ?? process.cwd()}/out\`, filename: 'program.cjs' },
  ${config}
};
bundler(config, (error, stats) => {
  if (error || stats.hasErrors()) {
    console.error(error ?? stats.toString());
    process.exitCode = 1;
  }
});
`;

/** Both use `require()` for a package outside the bundle. */
const EXTERNAL = `externals: [/^@llm-devops\\/prometheus-metrics/],
  externalsType: 'commonjs',`;
const BUNDLED = `externals: [/^@llm-devops\\/prometheus-metrics-/],
  externalsType: 'commonjs',`;

export async function checkWebpack(name = 'webpack') {
  const make = async (config) => {
    const folder = application({ 'build.mjs': build(BUNDLERS[name](), config) });
    await run(folder, [process.execPath, 'build.mjs']);
    return folder;
  };
  await check(`${name}, external`, async () => runExternal(await make(EXTERNAL), 'out', 'program.cjs'));
  await check(`${name}, bundled`, async () => runBundled(await make(BUNDLED), 'out', 'program.cjs'));
}
