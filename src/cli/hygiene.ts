/**
 * Finds what makes metrics expensive or useless: identifiers as labels, many series, buckets without information. These
 * rules are this project's; promtool has none of them.
 */
import type { Family } from './families';
import type { Finding } from './promlint';
import { shown } from './terminal';

/** Fewer observations than this say nothing about buckets. */
const OBSERVATIONS_MIN = 100;
/** Shorter runs of empty buckets are usual between two modes. */
const EMPTY_RUN_MIN = 5;
/** Numbers with at least this many values look like identifiers, if they are large and have gaps. */
const NUMBERS_MIN = 20;
const NUMBER_MIN = 1000;

const KINDS: readonly { readonly what: string; readonly form: RegExp; readonly least: number }[] = [
  { what: 'e-mail addresses', form: /^[^@\s]+@[^@\s]+\.[a-z]{2,}$/i, least: 1 },
  // One value may be the process's own identity.
  { what: 'UUIDs', form: /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/i, least: 2 },
  { what: 'timestamps', form: /^(?:1\d{9}(?:\d{3}|\.\d+)?|\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*)$/, least: 2 },
  { what: 'hexadecimal ids', form: /^(?=.*\d)(?=.*[a-f])[\da-f]{16,}$/i, least: 2 },
];

export function inspect(family: Family, maxSeries: number): Finding[] {
  const { name, type, labels, series } = family;
  const findings: Finding[] = [];
  const add = (severity: Finding['severity'], rule: string, text: string) =>
    findings.push({ severity, rule, metric: name, text });
  if (type === 'unknown') add('note', 'type', 'no type');
  for (const [label, values] of labels) {
    const found = identifiersIn(values);
    if (found !== undefined) add('warning', 'label-id', `label ${JSON.stringify(label)} has ${found}`);
  }
  if (series > maxSeries) {
    const counts = [...labels]
      .filter(([, values]) => values.size > 1)
      .sort(([, one], [, two]) => two.size - one.size)
      .slice(0, 3);
    const listed = counts.map(([label, values]) => `${label} has ${values.size} values`).join(', ');
    add('warning', 'series', `${series} series (at most ${maxSeries} expected): ${listed}`);
  }
  if (type === 'histogram') for (const text of uselessBuckets(family)) add('note', 'buckets', text);
  return findings;
}

function identifiersIn(values: ReadonlySet<string>): string | undefined {
  for (const { what, form, least } of KINDS) {
    const found = [...values].filter((value) => form.test(value));
    if (found.length >= least) return `${what}, such as ${JSON.stringify(shown(found[0].slice(0, 60)))}`;
  }
  const numbers = [...values].filter((value) => /^\d+$/.test(value)).map(Number);
  const largest = numbers.reduce((most, number) => Math.max(most, number), 0);
  if (numbers.length < NUMBERS_MIN || largest < NUMBER_MIN || largest < numbers.length * 2) return undefined;
  return `${numbers.length} numbers, such as ${JSON.stringify(String(numbers[0]))}`;
}

/** The buckets of all series together: the bounds in ascending order, each with its own observations. */
function bucketsOf({ name, samples }: Family): { bound: number; count: number }[] {
  const cumulated = new Map<number, number>();
  for (const sample of samples) {
    if (sample.name !== `${name}_bucket`) continue;
    const bound = sample.labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(sample.labels.le);
    cumulated.set(bound, (cumulated.get(bound) ?? 0) + sample.value);
  }
  const sorted = [...cumulated].sort(([one], [two]) => one - two);
  return sorted.map(([bound, total], at) => ({ bound, count: total - (sorted[at - 1]?.[1] ?? 0) }));
}

function uselessBuckets(family: Family): string[] {
  const buckets = bucketsOf(family);
  const total = buckets.reduce((sum, { count }) => sum + count, 0);
  if (buckets.length < 3 || total < OBSERVATIONS_MIN || !Number.isFinite(total)) return [];
  const finite = buckets.slice(0, -1);
  if (buckets[0].count === total) return [`all ${total} observations are at most ${buckets[0].bound}, the first bound`];
  if (finite.every(({ count }) => count === 0)) {
    return [`all ${total} observations are over ${finite.at(-1)?.bound}, the last finite bound`];
  }
  const texts: string[] = [];
  for (let start = 0, at = 0; at <= finite.length; at++) {
    if (finite[at]?.count === 0) continue;
    if (at - start >= EMPTY_RUN_MIN) {
      texts.push(`${at - start} buckets are empty, from le="${finite[start].bound}" to le="${finite[at - 1].bound}"`);
    }
    start = at + 1;
  }
  return texts;
}
