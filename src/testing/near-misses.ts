/**
 * Finds the series that a failed assertion shows as help: the same name with other labels, or similar names.
 */
import { similarNames } from '../similar-names';
import { type Reading, type SeenFamily, type SeenSeries, seriesOf } from './reading';
import { misses, type Selector, showSeries } from './selector';

/** Most lines of a paragraph. */
const LINES_SHOWN = 6;
/** Most similar names whose series are shown. */
const NAMES_SHOWN = 3;

/** A paragraph that helps to find the mistake. It begins with an empty line. */
export function nearMisses(reading: Reading, name: string, selector: Selector): string {
  const own = familiesNamed(reading, name);
  const series = own.flatMap(seriesOf);
  if (series.length > 0) return paragraph(`${name} has`, closest(series, selector).map(showWithValue));
  if (own.length > 0) return `\n\n${name} has no series.`;
  const alike = similarFamilies(reading, name);
  if (alike.length > 0)
    return paragraph(
      'Similar names',
      alike.flatMap((family) => showFamily(family, selector)),
    );
  const names = reading.families.map((family) => family.name);
  if (names.length === 0) return `\n\nThere are no metrics in ${reading.what}.`;
  return paragraph(`Metrics in ${reading.what}`, names);
}

function familiesNamed(reading: Reading, name: string): SeenFamily[] {
  return reading.families.filter((family) => family.name === name || family.samples.some((s) => s.name === name));
}

/** The series, sorted by the number of labels that do not match. */
function closest(series: readonly SeenSeries[], selector: Selector): SeenSeries[] {
  const ranked = series.map((one) => ({ one, missed: misses(selector, one.labels) }));
  return ranked.sort((a, b) => a.missed - b.missed).map(({ one }) => one);
}

/** The families with the most similar names. */
function similarFamilies(reading: Reading, name: string): SeenFamily[] {
  const stems = [...new Set(reading.families.map((family) => stemOf(family.name)))];
  const similar = similarNames(stemOf(name), stems);
  return similar
    .flatMap((stem) => reading.families.filter((family) => stemOf(family.name) === stem))
    .slice(0, NAMES_SHOWN);
}

/** A family with a similar name, in at most two lines. */
function showFamily(family: SeenFamily, selector: Selector): string[] {
  const series = closest(seriesOf(family), selector).slice(0, 2);
  return series.length > 0 ? series.map(showWithValue) : [`${family.name} (no series)`];
}

/** A name without a common suffix such as `_total`. */
function stemOf(name: string): string {
  return name.replace(/_(total|count|sum|bucket|seconds|bytes)$/, '');
}

function paragraph(title: string, all: readonly string[]): string {
  const lines = all.slice(0, LINES_SHOWN);
  if (all.length > LINES_SHOWN) lines.push(`… and ${all.length - LINES_SHOWN} more`);
  return `\n\n${title}:${lines.map((line) => `\n  ${line}`).join('')}`;
}

/** A series and its value, for a message. */
export function showWithValue({ name, labels, value }: SeenSeries): string {
  return `${showSeries(name, labels)} ${typeof value === 'number' ? value : `count ${value.count}, sum ${value.sum}`}`;
}
