// Metrics filled with as many series as a bench asks for, their values changed on demand, and the exposition checked
// against what was recorded. It calls libraries through their adapters and times nothing.

import { columns, LABEL_NAMES, latencies, totals } from './inputs.mjs';

/** The default buckets, `+Inf`, `_sum` and `_count`. */
const LINES_A_HISTOGRAM = 14;

/** What a series of each kind is, and what is recorded to series `index` in step `step`. */
const kinds = {
  /** Counts, as counters usually are. */
  counters: { metric: 'counter', record: 'add', value: (index, step) => 1 + ((index + step) % 7) },
  /** Costs or seconds: sums with long decimals, which take longer to print. */
  costs: { metric: 'counter', record: 'add', value: (index, step) => ((index + step) % 97) * 0.0137 },
  histograms: { metric: 'histogram', record: 'observe', value: (index, step) => latencies[(index + step) & 1023] },
};

/** One metric of `size` series with three labels, each recorded to once. */
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

  /** Records to every series once; `step` makes the values differ from one round to the next. */
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

  /** Throws unless `text` holds every series and the totals of all that was recorded. */
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

/** Sums made in another order differ in their last bits. */
function expectNear(found, expected, what) {
  if (Math.abs(found - expected) <= Math.abs(expected) * 1e-9) return;
  throw new Error(`Expected ${expected} for ${what} of the exposition but found ${found}`);
}
