/**
 * Checks an exposition: its format, promtool's rules, this project's rules, and the size and time of the scrape.
 */
import type { ExpositionError } from '../errors';
import type { Exposition } from '../testing/parse';
import { type Family, familiesOf } from './families';
import { inspect } from './hygiene';
import { type Finding, lint } from './promlint';
import { parsed, readSource, type Source } from './source';
import { type Colour, coloured, table, writeJson, writeLine } from './terminal';
import { numberOf, textsOf, type Values } from './values';

/** Half of the time that Prometheus gives a scrape by default. */
const SECONDS_MAX = 5;
const BYTES_MAX = 10_000_000;
const COLOURS: Readonly<Record<string, Colour>> = { error: 'red', warning: 'yellow', note: 'cyan' };

export async function check([target]: string[], values: Values): Promise<number> {
  const maxSeries = numberOf(values, 'max-series', 1000, 1);
  const source = await readSource(target, values);
  const { families, found } = examined(source, maxSeries);
  const ignored = textsOf(values, 'ignore');
  const findings = found.filter(({ rule, metric }) => !ignored.includes(rule) && !ignored.includes(metric));
  const failing = findings.filter(({ severity }) => values.strict === true || severity !== 'note').length;
  const series = families.reduce((sum, family) => sum + family.series, 0);
  const summary = { families: families.length, series, bytes: source.body.length, seconds: source.scrape?.seconds };
  if (values.json === true) writeJson({ source: source.name, ok: failing === 0, ...summary, findings });
  else report(findings, summary);
  return failing === 0 ? 0 : 1;
}

function examined(source: Source, maxSeries: number): { families: Family[]; found: Finding[] } {
  const found = scrapeFindings(source);
  let exposition: Exposition;
  try {
    exposition = parsed(source, true);
  } catch (error) {
    const { line, message } = error as ExpositionError;
    if (line === undefined) throw error;
    // The marked line of the text follows; it has its place in `parseExposition()`, not in a list.
    const [text] = message.split('\n');
    return { families: [], found: [...found, { severity: 'error', rule: 'format', metric: '', text }] };
  }
  const families = familiesOf(exposition);
  if (families.length === 0) found.push({ severity: 'error', rule: 'empty', metric: '', text: 'no metrics' });
  const own = families.flatMap((family) => [...lint(family), ...inspect(family, maxSeries)]);
  return { families, found: [...found, ...own] };
}

function scrapeFindings({ scrape, format, body }: Source): Finding[] {
  const findings: Finding[] = [];
  const add = (rule: string, text: string) => findings.push({ severity: 'warning', rule, metric: '', text });
  if (scrape !== undefined && format === undefined) {
    add('content-type', `Prometheus knows no content type ${JSON.stringify(scrape.contentType)}`);
  }
  if (scrape !== undefined && scrape.seconds > SECONDS_MAX) {
    add('time', `the scrape took ${scrape.seconds.toFixed(1)} s; Prometheus waits 10 s by default`);
  }
  if (body.length > BYTES_MAX) add('size', `the exposition has ${body.length} bytes`);
  return findings;
}

function report(
  findings: readonly Finding[],
  {
    families,
    series,
    bytes,
    seconds,
  }: { families: number; series: number; bytes: number; seconds: number | undefined },
): void {
  const rows = findings.map(({ severity, metric, text, rule }) => [severity, metric || '-', `${text} (${rule})`]);
  const paint = (cell: string, column: number) => (column === 0 ? coloured(COLOURS[cell.trim()], cell) : cell);
  for (const line of table(rows, paint)) writeLine(line);
  const time = seconds === undefined ? '' : ` in ${seconds.toFixed(3)} s`;
  const count = findings.length === 0 ? coloured('green', 'no findings') : counted(findings.length, 'finding');
  const what = `${counted(families, 'metric')}, ${series} series, ${counted(bytes, 'byte')}`;
  writeLine(`${count}: ${what}${time}`);
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;
