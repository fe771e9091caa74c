// Attacks one library in a process with a bounded heap. It records in steps, so that the bench knows how far the
// library got when the process dies. It calls the library through the adapter that all libraries share.

import { SEEN, shapes } from './attack-sets.mjs';
import { LABEL_NAMES } from './inputs.mjs';
import { openLibrary } from './libraries.mjs';

/** Heap of the process, in MiB. */
export const HEAP_MB = 1_024;

/** The calls that the bench makes to the process. */
export function underAttack({ library: id }) {
  // For libraries with a limit, it is exactly the number of existing series.
  const library = openLibrary(id, SEEN, 0);
  const counter = library.counter('bench_attacked_total', LABEL_NAMES);
  const make = shapes.oneNew;
  let next = 0;
  return {
    /** Records this many sets, each for the first time; returns nanoseconds per call and bytes. */
    record(sets) {
      const start = process.hrtime.bigint();
      for (const end = next + sets; next < end; next++) library.add(counter, make(next), 1);
      const ns = Number(process.hrtime.bigint() - start) / sets;
      globalThis.gc();
      const { heapUsed, rss } = process.memoryUsage();
      return { ns, heap: heapUsed, resident: rss };
    },
    /** Scrapes; returns milliseconds, bytes and series. */
    async scrape() {
      const start = process.hrtime.bigint();
      const text = await library.scrapes['metrics()']();
      const ms = Number(process.hrtime.bigint() - start) / 1e6;
      return { ms, bytes: text.length, series: countSeries(text) };
    },
  };
}

function countSeries(text) {
  let found = 0;
  for (let at = text.indexOf('bench_attacked_total{'); at >= 0; at = text.indexOf('\nbench_attacked_total{', at + 1)) {
    found++;
  }
  return found;
}
