/**
 * Writes the families of many processes as one exposition. Gives the event loop time in between: the primary of a
 * cluster hands connections to its workers.
 */
import { setImmediate } from 'node:timers/promises';
import { byName, combineOne, keyOf } from '../registry/aggregation';
import { Registry } from '../registry/registry';
import type { MetricObjectWithValues, RegistryContentType } from '../types';
import { isPacked, sumPacked, unpack } from './packing';
import type { Families } from './protocol';

/** How long to combine before other work has its turn. */
const SLICE_MS = 5;

/** The exposition of these families, those of one name combined. */
export async function text(lists: readonly Families[], contentType: RegistryContentType): Promise<string> {
  const registry = new Registry(contentType);
  let began = performance.now();
  for (const families of byName(lists)) {
    const family = combined(families);
    if (family !== undefined) registry.registerMetric({ ...family, get: () => family });
    if (performance.now() - began < SLICE_MS) continue;
    await setImmediate();
    began = performance.now();
  }
  return registry.metrics();
}

function combined(families: Families): MetricObjectWithValues | undefined {
  const sum = families.every(isPacked) ? sumPacked(families, keyOf) : undefined;
  return sum === undefined ? combineOne(families.map(unpack)) : unpack(sum);
}
