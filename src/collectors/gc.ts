/**
 * Records garbage collections. The engine reports each of them at its end.
 */
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { Histogram, type HistogramSeries } from '../metrics/histogram';
import { quietly } from '../warnings';
import { commonLabels, type Naming, type Part } from './part';

/** In seconds. A scavenge takes about a millisecond, a full collection of a large heap a second. */
const DEFAULT_BUCKETS: readonly number[] = [0.001, 0.01, 0.1, 1, 2, 5];

/** The kind of V8's newer young-generation collector. Node.js has no constant for it. */
const MINOR_MARK_SWEEP = 2;

const KINDS = new Map<number, string>([
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [MINOR_MARK_SWEEP, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
]);

/** How long collections took, in seconds, by kind; no metrics if the runtime does not report them (Bun). */
export function gcPart({ prefix, labels }: Naming, buckets: readonly number[] = DEFAULT_BUCKETS): Part {
  if (!reportsCollections()) return { metrics: [] };
  // The buckets have a label `le`.
  const common = commonLabels(labels, ['kind', 'le']);
  const histogram = new Histogram<string>({
    name: `${prefix}nodejs_gc_duration_seconds`,
    help: 'Garbage collection duration by kind, one of major, minor, incremental or weakcb.',
    labelNames: ['kind', ...Object.keys(common)],
    buckets,
    registers: [],
  });
  const series = new Map<string, HistogramSeries>();
  const findKind = (kind: string): HistogramSeries => {
    const known = series.get(kind) ?? histogram.labels({ kind, ...common });
    series.set(kind, known);
    return known;
  };
  // One call may have several entries.
  const observer = new PerformanceObserver((list) => {
    quietly(() => {
      for (const entry of list.getEntries()) findKind(readKind(entry)).observe(entry.duration / 1000);
    });
  });
  return {
    metrics: [histogram],
    start: () => observer.observe({ entryTypes: ['gc'] }),
    stop: () => observer.disconnect(),
  };
}

function reportsCollections(): boolean {
  const { supportedEntryTypes = [] } = PerformanceObserver as { supportedEntryTypes?: readonly string[] };
  return supportedEntryTypes.includes('gc');
}

function readKind(entry: PerformanceEntry): string {
  const { detail } = entry as { detail?: { kind?: number } };
  return KINDS.get(detail?.kind ?? 0) ?? 'other';
}
