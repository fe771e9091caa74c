// Makes the values and label sets that benches record. A fixed seed gives each library the same calls. Sums are exact
// in binary, so totals are compared without a tolerance.

/** Calls in one lap through the inputs. Totals are known per lap. */
export const LAP = 16_384;

export const LABEL_NAMES = ['method', 'route', 'status'];

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const STATUSES = ['200', '201', '204', '301', '400', '404', '429', '500'];

/** Quarters up to 4; one in four is a whole number, as with counts, tokens and dollars. */
export const amounts = pseudoRandom(1_024, 16).map((step) => (step + 1) / 4);

/** Latencies in seconds, in steps of 1/1,024, most below a second. They fall into all default buckets. */
export const latencies = pseudoRandom(1_024, 1_024).map(
  (step, index) => (index % 16 === 0 ? step * 12 + 1 : step + 1) / 1_024,
);

/** Ten thousand label sets. */
export const wide = columns(10_000);

/** The set that each call of the lap records to: all 10,000, in an order that a prefetcher cannot guess. */
export const wideOrder = shuffled(10_000).concat(pseudoRandom(LAP - 10_000, 10_000));

/** Eight of those sets, as a busy route would record to. */
export const hot = pick(wide, (index) => index * 1_237, 8);

/** Each label value in two halves, joined at call time to a string that the engine has never hashed. */
export function halves(values) {
  const cut = (value) => Math.ceil(value.length / 2);
  return {
    heads: values.map((value) => value.slice(0, cut(value))),
    tails: values.map((value) => value.slice(cut(value))),
  };
}

/** `size` label sets as columns. Equal values are the same string object, as in a real program. */
export function columns(size) {
  const routes = Array.from({ length: Math.ceil(size / 40) }, (_, index) => `/v1/accounts/${index}`);
  const column = (value) => Array.from({ length: size }, (_, index) => value(index));
  return {
    method: column((index) => METHODS[index % 5]),
    route: column((index) => routes[Math.floor(index / 40)]),
    status: column((index) => STATUSES[Math.floor(index / 5) % 8]),
  };
}

/** The samples of one exposition by name, without labels: number of lines and sum. */
export function totals(text) {
  const found = new Map();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const name = line.slice(0, line.search(/[{ ]/));
    const entry = found.get(name) ?? { lines: 0, sum: 0 };
    entry.lines++;
    entry.sum += Number(line.slice(line.lastIndexOf(' ') + 1));
    found.set(name, entry);
  }
  return found;
}

function pick(sets, at, size) {
  const take = (values) => Array.from({ length: size }, (_, index) => values[at(index)]);
  return { method: take(sets.method), route: take(sets.route), status: take(sets.status) };
}

function shuffled(size) {
  const order = Array.from({ length: size }, (_, index) => index);
  pseudoRandom(size, 2 ** 31).forEach((number, index) => {
    const other = number % size;
    [order[index], order[other]] = [order[other], order[index]];
  });
  return order;
}

/** xorshift32: small, and the same on every platform. */
function pseudoRandom(length, below) {
  let state = 0x9e3779b9;
  return Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  });
}
