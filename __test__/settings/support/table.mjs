// The table of settings of a page. `UPDATE_DOCS=1` writes it.

import { readFile, writeFile } from 'node:fs/promises';

/** Tests that the page has these rows between its markers, or writes them. */
export async function holdsTable(t, page, rows) {
  const text = await readFile(page, 'utf8');
  const table = ['| variable | option | default | value | effect |', '|---|---|---|---|---|', ...rows].join('\n');
  const expected = text.replace(
    /(<!-- settings:.*-->\n)[\s\S]*(<!-- \/settings -->)/,
    (_, start, end) => `${start}\n${table}\n\n${end}`,
  );
  t.true(expected.includes(table), 'the page has the markers of the table');
  if (process.env.UPDATE_DOCS === '1') await writeFile(page, expected);
  else t.is(text, expected);
}
