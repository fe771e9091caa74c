/**
 * Holds the realm's contributor: creates families and registries of the core, and gives JavaScript the cells of their
 * series. Slabs are memory of the addon; a `Float64Array` over a slab is created with the first series in it. Knows
 * nothing of metrics.
 */
import { isMainThread } from 'node:worker_threads';
import { native } from '../errors';
import type { Aggregator } from '../types';
import {
  addon,
  type NativeClock,
  type NativeFamily,
  type NativeHistogramDescription,
  type NativeRegistry,
  type SeriesLimits,
  type ShareOptions,
  type SummaryDescription,
} from './addon';

/**
 * A slab has 4096 cells of 8 bytes; a series with more cells has a larger slab of its own, and its first cell has index 0. A
 * slot is `slab number * CELLS_PER_SLAB + index of the cell`.
 */
const SLAB_SHIFT = 12;
const CELLS_PER_SLAB = 1 << SLAB_SHIFT;
const CELL_MASK = CELLS_PER_SLAB - 1;

/** Tests set this global before they load the library: the engine then allocates the slabs, as it must in Electron. */
const ENGINE_MEMORY = Symbol.for('@llm-devops/prometheus-metrics.engine-memory');

const engineMemory = Reflect.get(globalThis, ENGINE_MEMORY) === true;
const contributor = new addon.NativeContributor(isMainThread, engineMemory);
/** By number, those in which JavaScript has series. */
const slabs: Float64Array[] = [];

/** The core's clock for this realm: registries use it for caches and expiry. */
export const realmClock: NativeClock = contributor.clock();

/** The definition of a new family. */
export interface FamilyDefinition {
  readonly kind: 'counter' | 'gauge' | 'histogram' | 'summary' | 'info' | 'stateset';
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly buckets: readonly number[];
  /** The settings of a summary. */
  readonly summary?: SummaryDescription;
  /** The settings of a native histogram. */
  readonly native?: NativeHistogramDescription;
  readonly unit?: string;
  readonly aggregator: Aggregator | 'latest';
  readonly limits: SeriesLimits;
  readonly ttlSeconds?: number;
}

/** Cells of a summary's series before its buffer: the count and the sum. The core has the same number. */
export const SUMMARY_CELLS = 2;
/** Values that a series of a summary takes between two calls of `flush()`. The core has the same number. */
export const SUMMARY_BUFFER = 128;

/** Cells of a native histogram's series behind the sum. The core has the same number. */
const NATIVE_CELLS = 9;

/** The number of cells of a series. */
export function widthOf({ kind, buckets, native }: FamilyDefinition): number {
  if (kind === 'histogram') return buckets.length + 2 + (native === undefined ? 0 : NATIVE_CELLS);
  return kind === 'summary' ? SUMMARY_CELLS + SUMMARY_BUFFER : 1;
}

/** Creates a family. Only this realm writes its series. */
export function createFamily(description: FamilyDefinition): NativeFamily {
  return native(() =>
    contributor.family({
      ...description,
      labelNames: [...description.labelNames],
      buckets: [...description.buckets],
    }),
  );
}

/** Creates a registry that only scrapes of this thread show. */
export function privateRegistry(): NativeRegistry {
  return new addon.NativeRegistry(realmClock);
}

/** The slot of the cells that no series uses: see the addon. */
export function scratchSlot(): number {
  return contributor.scratch();
}

let expiredCallback: (() => void) | undefined;

/** Calls back when series of this realm have expired. Only the first callback counts. */
export function onExpired(callback: () => void): void {
  if (expiredCallback !== undefined) return;
  expiredCallback = callback;
  native(() => contributor.onExpired(callback));
}

/** The default registry, which a scrape of the main thread merges with those of all workers. */
export function defaultRegistry(): NativeRegistry {
  return contributor.registry();
}

/** The slab of a slot, as an array of cells. */
export function cellsOf(slot: number): Float64Array {
  const number = Math.floor(slot / CELLS_PER_SLAB);
  slabs[number] ??= new Float64Array(contributor.slab(number));
  return slabs[number];
}

/** The index of a slot in the array of its slab. */
export function cellIndexOf(slot: number): number {
  return slot % CELLS_PER_SLAB;
}

/** Adds to the cell of a slot whose array was made by `cellsOf()`. */
export function addTo(slot: number, value: number): void {
  // Not `+=`: an integer-only `+=` on a Float64Array takes twice the time on Node.js 26.
  slabs[slot >>> SLAB_SHIFT][slot & CELL_MASK] -= -value;
}

/** Sets the cell of a slot. */
export function putTo(slot: number, value: number): void {
  slabs[slot >>> SLAB_SHIFT][slot & CELL_MASK] = value;
}

/** Adds 1 to one cell behind a slot, and a value to another, with no other call between. */
export function addPairTo(slot: number, counted: number, summed: number, value: number): void {
  const cells = slabs[slot >>> SLAB_SHIFT];
  const index = slot & CELL_MASK;
  cells[index + counted] -= -1;
  cells[index + summed] -= -value;
}

/** How to join a run. The addon takes `undefined` for what is not set. */
export interface Sharing extends Pick<ShareOptions, 'name' | 'keep'> {
  readonly dir?: string | undefined;
  readonly run?: string | undefined;
  readonly worker?: string | undefined;
  readonly atOnce?: boolean;
}

/**
 * The variable that tells a worker of `node:cluster` the run of its primary: the primary's process number, 1 if workers have a
 * label, and the folder.
 */
export const RUN = 'PROMETHEUS_METRICS_RUN';

/** Lets other processes read this realm's values. @returns the folder of the run */
export function shareContributor(options: Sharing): string {
  const folder = native(() => contributor.share(options as ShareOptions));
  tellPorts();
  return folder;
}

/** The folder of the run that `shareContributor()` would join; `null` if this realm cannot share its values. */
export function runFolder(options: Sharing): string | null {
  return contributor.runFolder(options as ShareOptions);
}

/** The process numbers of the run's live processes. */
export function sharedWith(): number[] {
  return contributor.sharedWith();
}

/** True if another process of the run has read this one's values since the last call. */
export function wasRead(): boolean {
  return contributor.wasRead();
}

/** Makes another file if this realm's is gone, and drops removed series from its log. */
export function lookAfterFile(): void {
  if (native(() => contributor.lookAfter())) tellPorts();
}

/** What the run has to warn of since the last call. */
export function takeWarnings(): string[] {
  return contributor.takeWarnings();
}

/** What this realm does with ports: `true` for those that it listens on, `false` for those that it is trying to. */
const ports = new Map<number, boolean>();

/** Says that this realm listens on a port, or is trying to; `undefined`: neither. Other processes hear of it. */
export function announcePort(port: number, isListening: boolean | undefined): void {
  if (isListening === undefined) ports.delete(port);
  else ports.set(port, isListening);
  tellPorts();
}

/** True if an exporter of this realm listens on a port. */
export function listensOn(port: number): boolean {
  return ports.get(port) === true;
}

function tellPorts(): void {
  const those = (wanted: boolean) => [...ports].filter(([, own]) => own === wanted).map(([port]) => port);
  contributor.setPorts(those(true), those(false));
}

/** Whether another realm of the run listens on this port: `false` while it is trying to, `null` if none does. */
export function portUse(port: number): boolean | null {
  return contributor.portUse(port);
}
