/**
 * Shows the memory of the JavaScript engine.
 */
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import type { GaugeSeries } from '../metrics/gauge';
import { commonLabels, commonSeries, makeGauge, type Naming, oncePerScrape, type Part } from './part';

/**
 * The heap as a whole, in bytes. `getHeapStatistics()` costs 2 µs. `process.memoryUsage()` costs 12 µs, because it also asks
 * the operating system for the resident memory.
 */
export function heapPart(naming: Naming): Part {
  const read = () => {
    const heap = getHeapStatistics();
    totalBytes.set(heap.total_heap_size);
    usedBytes.set(heap.used_heap_size);
    externalBytes.set(heap.external_memory);
  };
  const update = oncePerScrape(read);
  const metrics = [
    { name: 'nodejs_heap_size_total_bytes', help: 'Memory that the engine reserved for its heap, in bytes' },
    { name: 'nodejs_heap_size_used_bytes', help: 'Memory that objects on the heap take, garbage included, in bytes' },
    { name: 'nodejs_external_memory_bytes', help: 'Memory outside the heap that objects keep, in bytes' },
  ].map((description) => makeGauge(naming, description, update));
  const [totalBytes, usedBytes, externalBytes] = metrics.map((gauge) => commonSeries(gauge, naming));
  return { metrics, refresh: read };
}

/** The spaces of the heap, in bytes; no metrics if the engine does not report them (Bun). */
export function heapSpacesPart(naming: Naming): Part {
  try {
    getHeapSpaceStatistics();
  } catch {
    return { metrics: [] };
  }
  const common = commonLabels(naming.labels, ['space']);
  const spaces = new Map<string, readonly GaugeSeries[]>();
  const read = () => {
    for (const space of getHeapSpaceStatistics()) {
      const [totalBytes, usedBytes, availableBytes] = findSpace(space.space_name.replace(/_space$/, ''));
      totalBytes.set(space.space_size);
      usedBytes.set(space.space_used_size);
      availableBytes.set(space.space_available_size);
    }
  };
  const update = oncePerScrape(read);
  const metrics = [
    { name: 'nodejs_heap_space_size_total_bytes', help: 'Memory that a space of the heap has, in bytes' },
    { name: 'nodejs_heap_space_size_used_bytes', help: 'Memory that objects in a space of the heap take, in bytes' },
    { name: 'nodejs_heap_space_size_available_bytes', help: 'Memory that is free in a space of the heap, in bytes' },
  ].map((description) => makeGauge(naming, { ...description, own: ['space'] }, update));
  const findSpace = (space: string): readonly GaugeSeries[] => {
    let series = spaces.get(space);
    if (series === undefined) {
      series = metrics.map((gauge) => gauge.labels({ space, ...common }));
      spaces.set(space, series);
    }
    return series;
  };
  return { metrics, refresh: read };
}
