// The floor of the loops that record.mjs times: the same loops with the same label objects, but with a bare
// `Float64Array` add in place of the library's call. It shows how much of a figure is the caller's own work.

import { amounts, halves, hot, latencies, wide, wideOrder } from './inputs.mjs';

/** Receives label objects, so that the compiler cannot remove the unused ones. */
export let lastLabels;

/** By case id: a function that returns its loop. `cells` holds the totals. */
export const loops = {
  'counter-ones': add(amounts),
  counter: add(amounts),
  'counter-child': add(amounts),
  'counter-children': (cells) => (calls) => {
    for (let i = 0; i < calls; i++) cells[i & 7] += amounts[i & 1023];
  },
  'counter-hot': label(hot, amounts, (i) => i & 7),
  'counter-wide': label(wide, amounts, (i) => wideOrder[i & 16383]),
  'counter-hot-fresh': labelFresh(hot, (i) => i & 7),
  'counter-wide-fresh': labelFresh(wide, (i) => wideOrder[i & 16383]),
  histogram: add(latencies),
  'histogram-child': add(latencies),
  'histogram-hot': label(hot, latencies, (i) => i & 7),
  'histogram-wide': label(wide, latencies, (i) => wideOrder[i & 16383]),
  gauge: (cells, cell) => (calls) => {
    for (let i = 0; i < calls; i++) cells[cell] = amounts[i & 1023];
  },
};

function add(values) {
  return (cells, cell) => (calls) => {
    for (let i = 0; i < calls; i++) cells[cell] += values[i & 1023];
  };
}

function label({ method, route, status }, values, pick) {
  return (cells, cell) => (calls) => {
    for (let i = 0; i < calls; i++) {
      const at = pick(i);
      lastLabels = { method: method[at], route: route[at], status: status[at] };
      cells[cell] += values[i & 1023];
    }
  };
}

function labelFresh(sets, pick) {
  const [method, route, status] = [halves(sets.method), halves(sets.route), halves(sets.status)];
  return (cells, cell) => (calls) => {
    for (let i = 0; i < calls; i++) {
      const at = pick(i);
      lastLabels = {
        method: method.heads[at] + method.tails[at],
        route: route.heads[at] + route.tails[at],
        status: status.heads[at] + status.tails[at],
      };
      cells[cell] += amounts[i & 1023];
    }
  };
}
