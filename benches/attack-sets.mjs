// Makes the label sets of an attack and the loops that record them. A set is a number: numbers below SEEN are the sets
// that the service expects, every other set comes once. Existing and new values are made in the same way, at the same
// call site and with the same length, so only the limit distinguishes them.

import { LABEL_NAMES, LAP, wideOrder } from './inputs.mjs';

/** The number of label sets before the attack. It is also the limit. */
export const SEEN = 10_000;

/** The existing set that each call of a lap records to. */
export const seenOrder = Int32Array.from(wideOrder);

const PIECE = 10_000;
/** `0000` to `9999`. Two of them make eight digits without converting a number. */
const pieces = Array.from({ length: PIECE }, (_, index) => String(index).padStart(4, '0'));

/** The two halves of each value, joined at call time. */
const METHODS = ['GET', 'PUT', 'PAT', 'POS', 'DEL'].map((method) => [method.slice(0, 1), method.slice(1)]);
const STATUSES = ['200', '201', '204', '301', '400', '404', '429', '500'].map((status) => [status[0], status.slice(1)]);
const CODES = STATUSES.map((halves) => Number(halves.join('')));

const ROUTE = '/v1/accounts/';

const joined = ([head, tail]) => head + tail;
const digits = (n) => pieces[Math.floor(n / PIECE)] + pieces[n % PIECE];

/**
 * One entry per shape: `fresh(n)` makes the label set n from strings that the engine has never hashed. Each shape is
 * written out, because a loop over label names would cost more than the measured call.
 */
export const shapes = {
  oneNew: (n) => ({
    method: joined(METHODS[n % 5]),
    route: ROUTE + digits(n),
    status: joined(STATUSES[n % 8]),
  }),
  allNew: (n) => ({
    method: `PUT-${digits(n)}`,
    route: ROUTE + digits(n),
    status: `404-${digits(n)}`,
  }),
  numberBeside: (n) => ({
    method: joined(METHODS[n % 5]),
    route: ROUTE + digits(n),
    status: CODES[n % 8],
  }),
  numberNew: (n) => ({
    method: joined(METHODS[n % 5]),
    route: n,
    status: joined(STATUSES[n % 8]),
  }),
};

/**
 * The loops of a shape over `record(labels)`. Each loop goes through the set numbers of a lap. `kept` works on existing
 * sets only: it uses the same strings that created the series.
 */
export function loopsOf(shape, record) {
  const make = shapes[shape];
  const columns = keptColumns(make);
  const [methods, routes, statuses] = LABEL_NAMES.map((name) => columns[name]);
  return {
    fresh(numbers) {
      for (let i = 0; i < numbers.length; i++) record(make(numbers[i]));
    },
    kept(numbers) {
      for (let i = 0; i < numbers.length; i++) {
        const n = numbers[i];
        record({ method: methods[n], route: routes[n], status: statuses[n] });
      }
    },
  };
}

/** Set numbers that were not used yet; `next()` returns a lap of them. */
export function unseen(first) {
  const numbers = new Int32Array(LAP);
  let from = first;
  return () => {
    for (let i = 0; i < LAP; i++) numbers[i] = from + i;
    from += LAP;
    return numbers;
  };
}

/** The existing sets as columns. Equal values are the same string object, as in a real program. */
function keptColumns(make) {
  const known = new Map();
  const one = (value) => {
    if (!known.has(value)) known.set(value, value);
    return known.get(value);
  };
  const sets = Array.from({ length: SEEN }, (_, n) => make(n));
  return Object.fromEntries(LABEL_NAMES.map((name) => [name, sets.map((set) => one(set[name]))]));
}
