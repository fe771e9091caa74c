/**
 * Copies the tables of the reports in benches/ into docs/comparison.md, behind each `<!-- table: report, heading -->`. Run
 * it after a bench was published; a test fails until then.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PAGE = new URL('../docs/comparison.md', import.meta.url);

/** The table below a heading of a report. */
function tableOf(report, heading) {
  const lines = report.split('\n');
  const start = lines.indexOf(`### ${heading}`);
  const first = lines.findIndex((line, index) => index > start && line.startsWith('|'));
  if (start === -1 || first === -1) throw new Error(`Expected a table below "### ${heading}" but found none`);
  const end = lines.findIndex((line, index) => index > first && !line.startsWith('|'));
  return lines.slice(first, end === -1 ? undefined : end).join('\n');
}

/** The page with the tables as the reports have them. `read` returns a report by its name. */
export function filled(page, read) {
  return page.replace(
    /^(<!-- table: (\w+\.md), (.+) -->\n)\n(?:\|.*\n)*/gm,
    (_, marker, report, heading) => `${marker}\n${tableOf(read(report), heading)}\n`,
  );
}

export function current() {
  const page = readFileSync(PAGE, 'utf8');
  const read = (name) => readFileSync(new URL(`../benches/${name}`, import.meta.url), 'utf8');
  return { page, filled: filled(page, read) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, current().filled);
