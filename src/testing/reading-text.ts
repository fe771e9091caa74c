/**
 * Converts expositions to the form that assertions read.
 */
import { parseExposition } from './parse';
import type { SeenFamily } from './reading';
import { printed } from './selector';

/** The families of an exposition, in either format. */
export function familiesOfText(text: string): SeenFamily[] {
  const parsed = parseExposition(text);
  return parsed.families.map(({ name, type, samples }) => ({
    name: nameOf(name, type, samples),
    type,
    samples: samples.map(({ name, labels, value }) => ({ name, labels: printed(labels), value })),
  }));
}

/** Adds `_total` to a counter's name. OpenMetrics leaves it out of the family's name; programs name counters with it. */
function nameOf(name: string, type: string, samples: readonly { readonly name: string }[]): string {
  const total = `${name}_total`;
  return type === 'counter' && samples.some((sample) => sample.name === total) ? total : name;
}
