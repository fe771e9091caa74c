/**
 * Writes a Markdown table of all metrics of an exposition.
 */
import { familiesOf } from './families';
import { readExposition } from './source';
import { shown, writeJson, writeLine } from './terminal';
import type { Values } from './values';

export async function docs([target]: string[], values: Values): Promise<number> {
  const families = familiesOf(await readExposition(target, values));
  const rows = families
    .map(({ name, type, labels, help }) => ({ name, type, labels: [...labels.keys()], help }))
    .sort((one, two) => (one.name < two.name ? -1 : 1));
  if (values.json === true) {
    writeJson(rows);
    return 0;
  }
  writeLine('| metric | type | labels | help |\n|---|---|---|---|');
  for (const { name, type, labels, help } of rows) {
    const named = labels.map((label) => `\`${label}\``).join(', ');
    writeLine(`| \`${name}\` | ${type} | ${named} | ${prose(help)} |`);
  }
  return 0;
}

/** A help text as Markdown: it has no markup of its own, and stays in its cell. */
function prose(help: string): string {
  return shown(help.replace(/\s+/g, ' ')).replace(/[\\`*<>|[\]&~]|(?<!\w)_|_(?!\w)/g, '\\$&');
}
