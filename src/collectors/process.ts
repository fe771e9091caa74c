/**
 * Shows figures of the process, which the core reads from the operating system.
 */
import { native } from '../errors';
import { toText } from '../labels/value';
import { addon } from '../native/addon';
import { CoreMetric } from '../registry/core-metric';
import type { Naming, Part } from './part';

/** The figures with these names that the platform has. Linux has all of them. */
export function processPart(figures: readonly string[], { prefix, labels }: Naming): Part {
  const flat = Object.entries(labels).flatMap(([name, value]) => [name, toText(name, value)]);
  const told = native(() => addon.processFigures([...figures], prefix, flat));
  // Start times of several processes cannot be added up; all other figures can.
  return { metrics: told.map((figure) => new CoreMetric(figure, labels, figure.isStartTime ? 'omit' : 'sum')) };
}
