/**
 * Counts the resources, handles and requests that keep the event loop busy, by type and in all.
 */
import type { Gauge, GaugeSeries } from '../metrics/gauge';
import type { AnyLabels } from '../types';
import { commonLabels, commonSeries, makeGauge, type Naming, oncePerScrape, type Part } from './part';

/** Functions of `process` without types. Other runtimes do not have them. */
const undocumented = process as { _getActiveHandles?(): object[]; _getActiveRequests?(): object[] };

/** Resources that keep the event loop alive. */
export function resourcesPart(naming: Naming): Part {
  if (typeof process.getActiveResourcesInfo !== 'function') return { metrics: [] };
  return countedPart(
    naming,
    {
      name: 'nodejs_active_resources',
      help: 'Number of active resources that are currently keeping the event loop alive, grouped by async resource type.',
      totalHelp: 'Total number of active resources.',
    },
    () => process.getActiveResourcesInfo(),
    (type) => type,
  );
}

/** Handles of libuv: sockets, servers, child processes. */
export function handlesPart(naming: Naming): Part {
  const { _getActiveHandles: list } = undocumented;
  if (typeof list !== 'function') return { metrics: [] };
  const description = {
    name: 'nodejs_active_handles',
    help: 'Number of active libuv handles grouped by handle type. Every handle type is C++ class name.',
    totalHelp: 'Total number of active handles.',
  };
  return countedPart(naming, description, () => list.call(process), readClass);
}

/** Requests of libuv: file operations, look-ups, writes. */
export function requestsPart(naming: Naming): Part {
  const { _getActiveRequests: list } = undocumented;
  if (typeof list !== 'function') return { metrics: [] };
  const description = {
    name: 'nodejs_active_requests',
    help: 'Number of active libuv requests grouped by request type. Every request type is C++ class name.',
    totalHelp: 'Total number of active requests.',
  };
  return countedPart(naming, description, () => list.call(process), readClass);
}

function readClass(object: object | null): string | undefined {
  return object?.constructor?.name;
}

/** A gauge by type and a gauge of the total. The list is made once a scrape: it costs 0.25 µs a handle. */
function countedPart<E>(
  naming: Naming,
  { name, help, totalHelp }: { name: string; help: string; totalHelp: string },
  list: () => readonly E[],
  typeOf: (entry: E) => string | undefined,
): Part {
  const read = () => {
    const entries = list();
    const counts = new Map<string, number>();
    for (const entry of entries) {
      const type = typeOf(entry);
      if (type !== undefined) counts.set(type, (counts.get(type) ?? 0) + 1);
    }
    byType.set(counts);
    inAll.set(entries.length);
  };
  const update = oncePerScrape(read);
  const gauge = makeGauge(naming, { name, help, own: ['type'] }, update);
  const total = makeGauge(naming, { name: `${name}_total`, help: totalHelp }, update);
  const byType = new CountsByType(gauge, commonLabels(naming.labels, ['type']));
  const inAll = commonSeries(total, naming);
  return { metrics: [gauge, total], refresh: read };
}

/** The series of a gauge with a label `type`. A type without entries has no series. */
class CountsByType {
  readonly #gauge: Gauge;
  readonly #labels: AnyLabels;
  readonly #series = new Map<string, GaugeSeries>();

  constructor(gauge: Gauge, labels: AnyLabels) {
    this.#gauge = gauge;
    this.#labels = labels;
  }

  set(counts: ReadonlyMap<string, number>): void {
    for (const type of this.#series.keys()) {
      if (counts.has(type)) continue;
      this.#gauge.remove({ type, ...this.#labels });
      this.#series.delete(type);
    }
    for (const [type, count] of counts) this.#of(type).set(count);
  }

  #of(type: string): GaugeSeries {
    let series = this.#series.get(type);
    if (series === undefined) {
      series = this.#gauge.labels({ type, ...this.#labels });
      this.#series.set(type, series);
    }
    return series;
  }
}
