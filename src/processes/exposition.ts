/**
 * Writes the families of many processes as one exposition. Gives the event loop time in between: the primary of a
 * cluster hands connections to its workers.
 */
import { setImmediate } from 'node:timers/promises';
import { Histogram } from '../metrics/histogram';
import { restore, revived, seriesSet } from '../metrics/series';
import { byName, combineOne, keyOf } from '../registry/aggregation';
import { Registry } from '../registry/registry';
import type { MetricObjectWithValues, RegistryContentType } from '../types';
import { isPacked, type Packed, rowsOf, sumPacked, unpack } from './packing';
import type { Families } from './protocol';

/** How long to combine before other work has its turn. */
const SLICE_MS = 5;

/** The exposition of these families, those of one name combined. */
export async function text(lists: readonly Families[], contentType: RegistryContentType): Promise<string> {
  // The registries of the other processes have refused invalid names.
  const registry = new Registry({ contentType, names: 'utf8' });
  let began = performance.now();
  for (const families of byName(lists)) {
    const family = combined(families);
    if (family !== undefined && !(isPacked(family) && (await enterHistogram(registry, family)))) {
      const plain = unpack(family);
      registry.registerMetric({ ...plain, get: () => plain });
    }
    if (performance.now() - began < SLICE_MS) continue;
    await setImmediate();
    began = performance.now();
  }
  return registry.metrics();
}

function combined(families: Families): MetricObjectWithValues | Packed | undefined {
  const sum = families.every(isPacked) ? sumPacked(families, keyOf) : undefined;
  return sum ?? combineOne(families.map(unpack));
}

/**
 * Enters a histogram with its cells, which the core then writes on another thread. Returns false for one that only a
 * foreign metric can show: the registry of a peer takes what this library refuses.
 */
async function enterHistogram(registry: Registry, packed: Packed): Promise<boolean> {
  const rows = rowsOf(packed);
  if (rows === undefined) return false;
  const { name, help, unit, labels } = packed;
  let histogram: Histogram;
  try {
    const labelNames = [...new Set(labels.flatMap(Object.keys))];
    const limits = { cardinality: { maxSeries: labels.length + 1 }, registers: [registry] };
    histogram = new Histogram({ name, help, unit, labelNames, buckets: rows.bounds, ...limits });
  } catch {
    return false;
  }
  let began = performance.now();
  for (const [index, own] of labels.entries()) {
    histogram[seriesSet].at(own)[revived]()[restore](rows.cells[index]);
    if (performance.now() - began < SLICE_MS) continue;
    await setImmediate();
    began = performance.now();
  }
  return true;
}
