// Fills metrics with the requested number of series, changes their values on demand, and checks the exposition against
// the recorded values. It calls libraries through their adapters and times nothing.

import { columns, LABEL_NAMES, latencies, totals } from './inputs.mjs';

/** The default buckets, `+Inf`, `_sum` and `_count`. */
const LINES_A_HISTOGRAM = 14;

/** For each kind: the metric, and the value that is recorded to series `index` in step `step`. */
const kinds = {
  /** Integers, the usual values of counters. */
  counters: { metric: 'counter', record: 'add', value: (index, step) => 1 + ((index + step) % 7) },
  /** Costs or seconds: sums with many decimals, which take longer to print. */
  costs: { metric: 'counter', record: 'add', value: (index, step) => ((index + step) % 97) * 0.0137 },
  histograms: { metric: 'histogram', record: 'observe', value: (index, step) => latencies[(index + step) & 1023] },
};

/** One metric with `size` series and three labels; each series is recorded to once. */
export function populate(library, kind, size) {
  const { metric: type, record, value } = kinds[kind];
  const name = type === 'counter' ? 'bench_requests_total' : 'bench_seconds';
  const metric = library[type](name, LABEL_NAMES);
  const { method, route, status } = columns(size);
  let recorded = 0;
  let sum = 0;
  let next = 0;

  function touch(index, step) {
    const amount = value(index, step);
    library[record](metric, { method: method[index], route: route[index], status: status[index] }, amount);
    recorded++;
    sum += amount;
  }

  /** Records to every series once. `step` changes the values from round to round. */
  function touchAll(step) {
    for (let index = 0; index < size; index++) touch(index, step);
  }

  /** Records to the next `count` series in turn. */
  function touchSome(count) {
    for (let done = 0; done < count; done++) {
      touch(next, recorded);
      next = next + 1 === size ? 0 : next + 1;
    }
  }

  /** Throws if a series or a recorded total is missing in `text`. */
  function verify(text) {
    const found = totals(text);
    const of = (suffix) => found.get(name + suffix) ?? { lines: 0, sum: 0 };
    if (type === 'counter') {
      expectNear(of('').lines, size, 'series');
      return expectNear(of('').sum, sum, 'total');
    }
    expectNear(of('_bucket').lines + of('_sum').lines + of('_count').lines, size * LINES_A_HISTOGRAM, 'lines');
    expectNear(of('_count').sum, recorded, 'count');
    expectNear(of('_sum').sum, sum, 'sum');
  }

  touchAll(0);
  return { touchAll, touchSome, verify, lines: type === 'counter' ? size : size * LINES_A_HISTOGRAM };
}

/** Sums made in another order differ in the last bits. */
function expectNear(found, expected, what) {
  if (Math.abs(found - expected) <= Math.abs(expected) * 1e-9) return;
  throw new Error(`Expected ${expected} for ${what} of the exposition but found ${found}`);
}
