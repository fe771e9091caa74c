// Shares what the benches of clusters need: the histograms of a worker, and a watch on the event loop.

import { createRequire } from 'node:module';
import { options } from './harness.mjs';
import { libraryById } from './libraries.mjs';

export const HISTOGRAMS = options.quick ? 500 : 2000;

/** Opens a library in a worker and gives it the histograms, the same in all workers. */
export function withHistograms(library) {
  const client = createRequire(import.meta.url)(libraryById(library).requires[0]);
  const histogram = new client.Histogram({ name: 'request_seconds', help: 'Time', labelNames: ['route', 'method'] });
  for (let series = 0; series < HISTOGRAMS; series++) {
    const labels = { route: `/route/${series}`, method: series % 2 === 0 ? 'GET' : 'POST' };
    for (let value = 0; value < 5; value++) histogram.observe(labels, (series % 7) * value * 0.1);
  }
  return client;
}

/** Watches the turns of the event loop; returns what ends that and tells the longest gap. */
export function watchLoop() {
  let last = performance.now();
  let longest = 0;
  let isOver = false;
  const turn = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  return () => {
    isOver = true;
    turn();
    return longest;
  };
}
