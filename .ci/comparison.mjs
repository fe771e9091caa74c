/**
 * Copies the figures of the reports in benches/ into the pages that quote them. `<!-- table: report, heading -->` stands before
 * a copied table, and `<!-- figure: report > heading > row > column -->` before a copied number. Run it after a bench was
 * published; a test fails until then.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PAGES = ['README.md', 'DESIGN.md', 'docs/comparison.md'];

/** The lines of the table below a heading of a report. */
function tableOf(report, heading) {
  const lines = report.split('\n');
  const start = lines.indexOf(`### ${heading}`);
  const first = lines.findIndex((line, index) => index > start && line.startsWith('|'));
  if (start === -1 || first === -1) throw new Error(`Expected a table below "### ${heading}" but found none`);
  const end = lines.findIndex((line, index) => index > first && !line.startsWith('|'));
  return lines.slice(first, end === -1 ? undefined : end);
}

/** The first number in a cell. `row` is the text of the row's first cell; of columns with one name, the first is read. */
function numberOf(report, heading, row, column) {
  const [columns, , ...rows] = tableOf(report, heading).map((line) => line.slice(2, -2).split(' | '));
  const cells = rows.find(([name]) => name === row);
  const number = cells?.[columns.indexOf(column)]?.match(/\d[\d.]*/)?.[0];
  if (number === undefined) throw new Error(`Expected a number at "${heading} > ${row} > ${column}" but found none`);
  return number;
}

/** The page with the figures as the reports have them. `read` returns a report by its name. */
export function filled(page, read) {
  return page
    .replace(
      /^(<!-- table: (\w+\.md), (.+) -->\n)\n(?:\|.*\n)*/gm,
      (_, marker, report, heading) => `${marker}\n${tableOf(read(report), heading).join('\n')}\n`,
    )
    .replace(
      /(<!-- figure: (\w+\.md) > (.+?) > (.+?) > (.+?) -->)[\d.]*/g,
      (_, marker, report, heading, row, column) => `${marker}${numberOf(read(report), heading, row, column)}`,
    );
}

/** Each page that quotes figures, as it is and as it should be. */
export function current() {
  const at = (path) => new URL(`../${path}`, import.meta.url);
  const read = (name) => readFileSync(at(`benches/${name}`), 'utf8');
  return PAGES.map((path) => {
    const page = readFileSync(at(path), 'utf8');
    return { path: fileURLToPath(at(path)), page, filled: filled(page, read) };
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { path, filled } of current()) writeFileSync(path, filled);
}
