/**
 * Writes the table of error codes in docs/recording.md from `ERRORS` in src/errors.ts. Run it after a build:
 * `node .ci/error-table.mjs`. A test compares the page with the code.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const PAGE = fileURLToPath(new URL('../docs/recording.md', import.meta.url));
const [BEGIN, END] = ['<!-- error codes: written by .ci/error-table.mjs -->', '<!-- end of error codes -->'];

/** The page as it is, and as it has to be. */
export function errorPage() {
  const { ERRORS } = createRequire(import.meta.url)('../dist/errors.js');
  const rows = Object.entries(ERRORS).map(([code, entry]) => {
    const thrown = entry.class === 'warning' ? 'a warning' : `\`${entry.class}\``;
    // The anchor lets other pages and issues link to one code.
    return `| <a id="${code}"></a>\`${code}\` | ${thrown} | ${entry.means} |`;
  });
  const table = ['| code | class | meaning |', '|---|---|---|', ...rows].join('\n');
  const page = readFileSync(PAGE, 'utf8');
  const [before, rest] = page.split(BEGIN);
  const after = rest.split(END)[1];
  return { page, wanted: `${before}${BEGIN}\n${table}\n${END}${after}` };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, errorPage().wanted);
