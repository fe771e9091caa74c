/**
 * Reads an exposition as families under the names that queries use, in both formats.
 */
import type { Exposition, ParsedFamily, ParsedSample, ParsedType } from '../testing/parse';

export interface Family {
  /** As in the text format: counters with `_total`, infos with `_info`. */
  readonly name: string;
  readonly type: ParsedType;
  readonly help: string;
  readonly samples: ParsedSample[];
  /** Distinct values of each label, without bucket bounds and quantiles. */
  readonly labels: ReadonlyMap<string, ReadonlySet<string>>;
  /** The number of label sets. */
  readonly series: number;
}

/** The families of an exposition. Untyped samples of one name are one family. */
export function familiesOf({ families, format }: Exposition): Family[] {
  const merged = new Map<string, ParsedFamily>();
  for (const family of families) {
    const name = queried(family, format === 'openmetrics');
    const known = merged.get(name);
    if (known === undefined) merged.set(name, { ...family, name, samples: [...family.samples] });
    else for (const sample of family.samples) known.samples.push(sample);
  }
  return [...merged.values()].map(described);
}

const SUFFIXES: Readonly<Record<string, string>> = { counter: '_total', info: '_info' };

function queried({ name, type }: ParsedFamily, isOpenMetrics: boolean): string {
  return isOpenMetrics ? `${name}${SUFFIXES[type] ?? ''}` : name;
}

function described({ name, type, help, samples }: ParsedFamily): Family {
  const threshold = type.endsWith('histogram') ? 'le' : type === 'summary' ? 'quantile' : undefined;
  const labels = new Map<string, Set<string>>();
  const sets = new Set<string>();
  for (const sample of samples) {
    const own = Object.entries(sample.labels).filter(([label, value]) => label !== threshold && value !== '');
    sets.add(JSON.stringify(own));
    for (const [label, value] of own) {
      const known = labels.get(label);
      if (known === undefined) labels.set(label, new Set([value]));
      else known.add(value);
    }
  }
  return { name, type, help, samples, labels, series: sets.size };
}
