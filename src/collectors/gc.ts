/**
 * Garbage collections, as the engine reports them after each.
 */
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { Histogram, type HistogramSeries } from '../metrics/histogram';
import type { Naming, Part } from './part';

/** In seconds. Scavenges take a millisecond, full collections of large heaps a second. */
const DEFAULT_BUCKETS: readonly number[] = [0.001, 0.01, 0.1, 1, 2, 5];

/** Of V8's newer young-generation collector, for which Node.js has no constant. */
const MINOR_MARK_SWEEP = 2;

const KINDS = new Map<number, string>([
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [MINOR_MARK_SWEEP, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
]);

/** How long collections took, in seconds, by kind; nothing where the runtime does not report them (Bun). */
export function gcPart({ prefix, labels }: Naming, buckets: readonly number[] = DEFAULT_BUCKETS): Part {
  if (!reportsCollections()) return { metrics: [] };
  const histogram = new Histogram<string>({
    name: `${prefix}nodejs_gc_duration_seconds`,
    help: 'How long garbage collections took, by kind (minor, major, incremental, weakcb), in seconds',
    labelNames: ['kind', ...Object.keys(labels)],
    buckets,
    registers: [],
  });
  const series = new Map<string, HistogramSeries>();
  const seriesOfKind = (kind: string): HistogramSeries => {
    const known = series.get(kind) ?? histogram.labels({ kind, ...labels });
    series.set(kind, known);
    return known;
  };
  // One call may bring several entries.
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      seriesOfKind(kindOf(entry)).observe(entry.duration / 1000);
    }
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

function kindOf(entry: PerformanceEntry): string {
  const { detail } = entry as { detail?: { kind?: number } };
  return KINDS.get(detail?.kind ?? 0) ?? 'other';
}
