// Recipes of docs/bundlers.md, and of Next.js' files in docs/frameworks.md: `.ci/bundlers.sh` builds and runs them.

const by = '__test__/bundlers/run.mjs';
const page = 'docs/bundlers.md';

const PROGRAMS = [
  '// addon.mjs, for esbuild',
  '// main.mjs\n',
  '// rollup.config.mjs, external',
  '// rollup.config.mjs, bundled',
  '// webpack.config.mjs, external',
  '// webpack.config.mjs, bundled',
  '// vite.config.mjs',
  '// addon.mjs, for Bun',
  '// main.cjs',
  '// next.config.mjs',
];

export default [
  ...PROGRAMS.map((text) => ({ page, title: text.slice(3).trim(), blocks: [text], by })),
  ...['// next.config.mjs', '// instrumentation.js'].map((text) => ({
    page: 'docs/frameworks.md',
    title: text.slice(3),
    blocks: [text],
    by,
  })),
];
