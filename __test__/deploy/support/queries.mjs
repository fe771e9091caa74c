// Reads the queries of docs/queries.md by their headings, and those of docs/runbooks.md, one per line.

import { readFile } from 'node:fs/promises';

/** @returns {Promise<Map<string, string>>} expressions by heading; '' for a heading without one. */
export async function readQueries() {
  const page = await readFile(new URL('../../../docs/queries.md', import.meta.url), 'utf8');
  const sections = page.split(/^### /m).slice(1);
  return new Map(
    sections.map((section) => {
      const [, expression = ''] = /^```promql\n([\s\S]*?)^```$/m.exec(section) ?? [];
      return [section.slice(0, section.indexOf('\n')), expression.trim()];
    }),
  );
}

/** @returns {Promise<string[]>} */
export async function readRunbookQueries() {
  const page = await readFile(new URL('../../../docs/runbooks.md', import.meta.url), 'utf8');
  const blocks = page.matchAll(/^```promql\n([\s\S]*?)^```$/gm);
  return [...blocks].flatMap(([, lines]) => lines.trim().split('\n'));
}
