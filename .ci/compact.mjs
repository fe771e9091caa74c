/**
 * Makes the built JavaScript small: drops its layout, and shortens names that other modules and stack traces do not need.
 * Names of classes, methods and exported functions stay, and lines stay short, because Node.js shows the whole line that throws
 * an uncaught error. The package has a budget, and its files are loaded faster. Run by `npm run build:ts` as its last step, so
 * that the tests run what is published.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { minify } from 'terser';

const dist = fileURLToPath(new URL('../dist', import.meta.url));

/** Read by file tracers and bundlers, so it stays as the compiler has written it. */
const LEFT = join('native', 'loader.js');

/** Node.js reads the exported names in the source of these, in the form that the compiler gives them. */
const isEntry = (file) => file.startsWith(`entry${sep}`);

/** What is left of a module that only has types. No module loads it. */
const ONLY_TYPES = '"use strict";Object.defineProperty(exports,"__esModule",{value:!0});';

/** Finds the names that a module exports. */
const EXPORTED = /\bexports\.(\w+) = /g;

function optionsFor(file, source) {
  const exported = [...source.matchAll(EXPORTED)].map(([, name]) => name);
  const names = { keep_classnames: true, keep_fnames: new RegExp(`^(?:${exported.join('|')})$`) };
  // Without `sequences`, an error tells the statement that threw it by its column.
  const compress = { ...names, passes: 2, sequences: false, hoist_funs: false, inline: 1, reduce_funcs: false };
  return {
    ecma: 2020,
    module: file.endsWith('.mjs'),
    toplevel: !isEntry(file),
    compress: isEntry(file) ? false : compress,
    mangle: names,
    format: { max_line_len: 200, comments: false },
  };
}

for (const file of readdirSync(dist, { recursive: true })) {
  if (file === LEFT || !/\.m?js$/.test(file)) continue;
  const path = join(dist, file);
  const source = readFileSync(path, 'utf8');
  const { code } = await minify(source, optionsFor(file, source));
  if (code === ONLY_TYPES) rmSync(path);
  else writeFileSync(path, `${code}\n`);
}
