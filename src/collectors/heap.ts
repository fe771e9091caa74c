/**
 * Shows the memory of the JavaScript engine.
 */
// biome-ignore lint/style/useNodejsImportProtocol: Jest mocks `v8` and `node:v8` separately
import { getHeapSpaceStatistics } from 'v8';
import type { GaugeSeries } from '../metrics/gauge';
import { commonLabels, commonSeries, makeGauge, type Naming, oncePerScrape, type Part } from './part';

/** The heap as a whole, in bytes. Tests of programs replace `process.memoryUsage()`. */
export function heapPart(naming: Naming): Part {
  const read = () => {
    const { heapTotal, heapUsed, external } = process.memoryUsage();
    totalBytes.set(heapTotal);
    usedBytes.set(heapUsed);
    externalBytes.set(external);
  };
  const update = oncePerScrape(read);
  const metrics = [
    { name: 'nodejs_heap_size_total_bytes', help: 'Process heap size from Node.js in bytes.' },
    { name: 'nodejs_heap_size_used_bytes', help: 'Process heap size used from Node.js in bytes.' },
    { name: 'nodejs_external_memory_bytes', help: 'Node.js external memory size in bytes.' },
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
    { name: 'nodejs_heap_space_size_total_bytes', help: 'Process heap space size total from Node.js in bytes.' },
    { name: 'nodejs_heap_space_size_used_bytes', help: 'Process heap space size used from Node.js in bytes.' },
    {
      name: 'nodejs_heap_space_size_available_bytes',
      help: 'Process heap space size available from Node.js in bytes.',
    },
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
