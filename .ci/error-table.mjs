/**
 * Writes the table of error codes in docs/recording.md from `ERRORS` in src/errors.ts. Run it by
 * `node .ci/error-table.mjs`. A test compares the page with the code.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PAGE = fileURLToPath(new URL('../docs/recording.md', import.meta.url));
const SOURCE = fileURLToPath(new URL('../src/errors.ts', import.meta.url));
const [BEGIN, END] = ['<!-- error codes: written by .ci/error-table.mjs -->', '<!-- end of error codes -->'];

/** The codes with their classes and, from the comments above them, their meanings. */
function errors() {
  const [, table] = readFileSync(SOURCE, 'utf8').match(/^export const ERRORS = \{\n([\s\S]*?)^\}/m);
  return [...table.matchAll(/\/\*\*([\s\S]*?)\*\/\s*(\w+): '(\w+)',/g)].map(([, comment, code, className]) => ({
    code,
    className,
    meaning: comment.replace(/\s*\n\s*\*?\s*/g, ' ').trim(),
  }));
}

/** The page as it is, and as it has to be. */
export function errorPage() {
  const rows = errors().map(({ code, className, meaning }) => {
    const thrown = className === 'warning' ? 'a warning' : `\`${className}\``;
    // The anchor lets other pages and issues link to one code.
    return `| <a id="${code}"></a>\`${code}\` | ${thrown} | ${meaning} |`;
  });
  const table = ['| code | class | meaning |', '|---|---|---|', ...rows].join('\n');
  const page = readFileSync(PAGE, 'utf8');
  const [before, rest] = page.split(BEGIN);
  const after = rest.split(END)[1];
  return { page, wanted: `${before}${BEGIN}\n${table}\n${END}${after}` };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, errorPage().wanted);
