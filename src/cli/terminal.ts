/**
 * Writes to the terminal: tables, colours if a person reads them, and no control characters of foreign texts.
 */

const CODES = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2 };
export type Colour = keyof typeof CODES;

/** True if the output is a terminal with colours. Node.js reads NO_COLOR, FORCE_COLOR and TERM. */
const hasColours = () => process.stdout.isTTY === true && process.stdout.hasColors();

export function coloured(colour: Colour, text: string): string {
  return hasColours() ? `\x1b[${CODES[colour]}m${text}\x1b[0m` : text;
}

/** A foreign text on one line: a terminal would obey its control characters. */
export function shown(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (found) => `\\u{${found.codePointAt(0)?.toString(16)}}`);
}

export function writeLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function writeJson(value: unknown): void {
  writeLine(JSON.stringify(value, null, 2));
}

/** Lines of aligned columns. `paint` colours a cell after its width is known. */
export function table(rows: readonly (readonly string[])[], paint = (cell: string, _column: number) => cell): string[] {
  const cells = rows.map((row) => row.map(shown));
  const widths = (cells[0] ?? []).map((_, column) =>
    cells.reduce((most, row) => Math.max(most, row[column].length), 0),
  );
  return cells.map((row) =>
    row.map((cell, column) => paint(column === row.length - 1 ? cell : cell.padEnd(widths[column]), column)).join('  '),
  );
}

/** A series as in an exposition. */
export function seriesText(name: string, labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
}
