/**
 * Writes the families of many processes as one exposition. Gives the event loop time in between: the primary of a
 * cluster hands connections to its workers.
 */
import { setImmediate } from 'node:timers/promises';
import { combining } from '../registry/aggregation';
import { Registry } from '../registry/registry';
import type { RegistryContentType } from '../types';
import type { Families } from './protocol';

/** How long to combine before other work has its turn. */
const SLICE_MS = 5;

/** The exposition of these families, those of one name combined. */
export async function text(lists: readonly Families[], contentType: RegistryContentType): Promise<string> {
  const registry = new Registry(contentType);
  let began = performance.now();
  for (const family of combining(lists)) {
    registry.registerMetric({ ...family, get: () => family });
    if (performance.now() - began < SLICE_MS) continue;
    await setImmediate();
    began = performance.now();
  }
  return registry.metrics();
}
