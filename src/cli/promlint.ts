/**
 * Finds what promtool's linter finds, in its words. `__test__/judges/command.test.mjs` compares the two.
 */
import type { Family } from './families';

export interface Finding {
  readonly severity: 'error' | 'warning' | 'note';
  readonly rule: string;
  /** `''` for findings about the whole scrape. */
  readonly metric: string;
  readonly text: string;
}

const BASE_UNITS = ['amperes', 'bytes', 'celsius', 'grams', 'joules', 'kelvin', 'meters', 'metres', 'seconds', 'volts'];
const OTHER_UNITS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(BASE_UNITS.map((unit) => [unit, unit])),
  ...{ minutes: 'seconds', hours: 'seconds', days: 'seconds', weeks: 'seconds' },
  ...{
    kelvins: 'kelvin',
    fahrenheit: 'celsius',
    rankine: 'celsius',
    inches: 'meters',
    yards: 'meters',
    miles: 'meters',
  },
  ...{ bits: 'bytes', calories: 'joules', pounds: 'grams', ounces: 'grams' },
};
const PREFIX = 'pico|nano|micro|milli|centi|deci|deca|hecto|kilo|kibi|mega|mibi|giga|gibi|tera|tebi|peta|pebi';
const UNIT = new RegExp(`^(?:${PREFIX})?(${Object.keys(OTHER_UNITS).join('|')})$`);
const ABBREVIATION = /_(?:s|ms|us|ns|sec|b|kb|mb|gb|tb|pb|m|h|d)(?=_|$)/i;
const TYPES = ['counter', 'gauge', 'summary', 'histogram', 'gauge_histogram'];
const CAMEL_CASE = /[a-z][A-Z]/;

export function lint(family: Family): Finding[] {
  const { name, type, help, labels } = family;
  const findings: Finding[] = [];
  const add = (rule: string, text: string) => findings.push({ severity: 'warning', rule, metric: name, text });
  if (help === '') add('help', 'no help text');
  lintUnits(name, add);
  if (type !== 'unknown') lintType(family, add);
  for (const word of TYPES) {
    if (new RegExp(`_${word}(?:_|$)`, 'i').test(name)) {
      add('type-in-name', `metric name should not include type '${word}'`);
    }
  }
  if (name.includes(':')) add('colon', "metric names should not contain ':'");
  if (CAMEL_CASE.test(name)) add('camel-case', "metric names should be written in 'snake_case' not 'camelCase'");
  if ([...labels.keys()].some((label) => CAMEL_CASE.test(label))) {
    add('camel-case', "label names should be written in 'snake_case' not 'camelCase'");
  }
  if (ABBREVIATION.test(name)) add('abbreviation', 'metric names should not contain abbreviated units');
  return findings;
}

type Add = (rule: string, text: string) => void;

function lintUnits(name: string, add: Add): void {
  for (const word of name.split('_')) {
    const base = OTHER_UNITS[UNIT.exec(word)?.[1] ?? ''];
    if (base === undefined || base === word) continue;
    add('unit', `use base unit "${base}" instead of "${word}"`);
    // promtool names one unit of a metric.
    return;
  }
}

function lintType({ name, type, labels }: Family, add: Add): void {
  const isTotal = name.endsWith('_total');
  if (type === 'counter' && !isTotal) add('total', 'counter metrics should have "_total" suffix');
  if (type !== 'counter' && isTotal) add('total', 'non-counter metrics should not have "_total" suffix');
  const [isHistogram, isSummary] = [type.endsWith('histogram'), type === 'summary'];
  if (!isHistogram) {
    if (name.endsWith('_bucket')) add('suffix', 'non-histogram metrics should not have "_bucket" suffix');
    if (labels.has('le')) add('suffix', 'non-histogram metrics should not have "le" label');
  }
  if (!isSummary && labels.has('quantile')) add('suffix', 'non-summary metrics should not have "quantile" label');
  const suffix = isHistogram || isSummary ? undefined : /_(?:count|sum)$/.exec(name)?.[0];
  if (suffix !== undefined) add('suffix', `non-histogram and non-summary metrics should not have "${suffix}" suffix`);
}
