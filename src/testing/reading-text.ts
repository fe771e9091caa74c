/**
 * Expositions, as assertions see them.
 */
import { parseExposition } from './parse';
import type { SeenFamily } from './reading';
import { printed } from './selector';

/** The families of a text, in either format. */
export function familiesOfText(text: string): SeenFamily[] {
  const parsed = parseExposition(text);
  return parsed.families.map(({ name, type, samples }) => ({
    name: nameOf(name, type, samples),
    type,
    samples: samples.map(({ name, labels, value }) => ({ name, labels: printed(labels), value })),
  }));
}

/** OpenMetrics leaves `_total` out of a counter's name; programs that record do not. */
function nameOf(name: string, type: string, samples: readonly { readonly name: string }[]): string {
  const total = `${name}_total`;
  return type === 'counter' && samples.some((sample) => sample.name === total) ? total : name;
}
