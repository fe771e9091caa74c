/**
 * The realm's contributor: makes families, and shows JavaScript the cells of their series. Slabs are memory of the
 * addon; a `Float64Array` over each is made when its first series appears.
 */
import { isMainThread } from 'node:worker_threads';
import { native } from '../errors';
import type { Aggregator } from '../types';
import { addon, type NativeClock, type NativeFamily, type NativeRegistry, type SeriesLimits } from './addon';

/** 4096 cells of 8 bytes are a slab; a slot is a slab's number and a cell's index in it. */
const CELLS_PER_SLAB = 4096;

/** Set before the library is loaded to have the engine allocate the slabs, as Electron must: a seam for tests. */
const ENGINE_MEMORY = Symbol.for('@llm-devops/prometheus-metrics.engine-memory');

const engineMemory = Reflect.get(globalThis, ENGINE_MEMORY) === true;
const contributor = new addon.NativeContributor(isMainThread, engineMemory);
const slabs: Float64Array[] = [];

/** The time that the core keeps for this realm: its registries, and what they cache and expire. */
export const realmClock: NativeClock = contributor.clock();

/** What a family is made from. */
export interface FamilyDefinition {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly buckets: readonly number[];
  readonly aggregator: Aggregator;
  readonly limits: SeriesLimits;
  readonly ttlSeconds?: number;
}

/** Makes a family; its series are this realm's alone. */
export function createFamily(description: FamilyDefinition): NativeFamily {
  return native(() =>
    contributor.family({
      ...description,
      labelNames: [...description.labelNames],
      buckets: [...description.buckets],
    }),
  );
}

/** A registry that no scrape of another thread shows. */
export function privateRegistry(): NativeRegistry {
  return new addon.NativeRegistry(realmClock);
}

let expiredCallback: (() => void) | undefined;

/** Calls back when series of this realm have expired, however often this is asked for. */
export function onExpired(callback: () => void): void {
  if (expiredCallback !== undefined) return;
  expiredCallback = callback;
  native(() => contributor.onExpired(callback));
}

/** The registry that the main thread's scrape merges with those of all workers. */
export function defaultRegistry(): NativeRegistry {
  return contributor.registry();
}

/** The cells among which a slot lies. */
export function cellsOf(slot: number): Float64Array {
  const number = Math.floor(slot / CELLS_PER_SLAB);
  slabs[number] ??= new Float64Array(contributor.slab(number));
  return slabs[number];
}

/** The index of a slot in its cells. */
export function cellIndexOf(slot: number): number {
  return slot % CELLS_PER_SLAB;
}
