/**
 * Makes the built JavaScript small: drops its layout and shortens names within functions. Names of classes, methods and
 * functions of modules stay, so that stack traces tell them, and lines stay short: Node.js shows the whole line that throws an
 * uncaught error. The package has a budget, and its files are loaded faster. Run by `npm run build:ts` as its last step, so
 * that the tests run what is published.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';

const dist = fileURLToPath(new URL('../dist', import.meta.url));

// Without `minifySyntax`: it writes `!0`, and Node.js would no longer see the names of re-exports.
const SMALL = {
  minifyWhitespace: true,
  minifyIdentifiers: true,
  target: 'es2022',
  lineLimit: 200,
  legalComments: 'none',
};

/**
 * A backslash at the end of a line, after pairs of them: esbuild breaks long texts there. They are joined again, because
 * bundlers that indent lines would add blanks to the text.
 */
const BROKEN_TEXT = /(?<!\\)((?:\\\\)*)\\\n/g;

/** Read by file tracers and bundlers, so it stays as the compiler has written it. */
const LEFT = join('native', 'loader.js');

for (const file of readdirSync(dist, { recursive: true })) {
  const path = join(dist, file);
  if (file !== LEFT && /\.m?js$/.test(file)) {
    writeFileSync(path, transformSync(readFileSync(path, 'utf8'), SMALL).code.replace(BROKEN_TEXT, '$1'));
  }
}
