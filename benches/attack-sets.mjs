// The label sets of an attack, and the loops that record them. A set is a number: those below SEEN are the ones that a
// service means to have, all others come once. Seen and unseen values are made in the same way, in the same call site
// and of the same length, so that nothing but the limit tells them apart.

import { LABEL_NAMES, LAP, wideOrder } from './inputs.mjs';

/** Label sets that exist before the attack, and the limit. */
export const SEEN = 10_000;

/** Which of the seen sets the calls of a lap record to. */
export const seenOrder = Int32Array.from(wideOrder);

const PIECE = 10_000;
/** `0000` to `9999`: two of them are eight digits, without the time that printing a number takes. */
const pieces = Array.from({ length: PIECE }, (_, index) => String(index).padStart(4, '0'));

/** Two halves of each, joined at call time. */
const METHODS = ['GET', 'PUT', 'PAT', 'POS', 'DEL'].map((method) => [method.slice(0, 1), method.slice(1)]);
const STATUSES = ['200', '201', '204', '301', '400', '404', '429', '500'].map((status) => [status[0], status.slice(1)]);
const CODES = STATUSES.map((halves) => Number(halves.join('')));

const ROUTE = '/v1/accounts/';

const joined = ([head, tail]) => head + tail;
const digits = (n) => pieces[Math.floor(n / PIECE)] + pieces[n % PIECE];

/**
 * What an attack looks like: `fresh(n)` makes the label set n of strings that no engine has hashed before. Written out
 * by shape, because a loop over label names would cost more than what is measured.
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
 * The loops of a shape over `record(labels)`: each goes through the set numbers of a lap. `kept` is for seen sets only:
 * its strings exist before, and are those that made the series.
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

/** Set numbers that have not come yet: `next()` answers a lap of them. */
export function unseen(first) {
  const numbers = new Int32Array(LAP);
  let from = first;
  return () => {
    for (let i = 0; i < LAP; i++) numbers[i] = from + i;
    from += LAP;
    return numbers;
  };
}

/** The seen sets as columns. Values that repeat are one string, as they are in a program. */
function keptColumns(make) {
  const known = new Map();
  const one = (value) => {
    if (!known.has(value)) known.set(value, value);
    return known.get(value);
  };
  const sets = Array.from({ length: SEEN }, (_, n) => make(n));
  return Object.fromEntries(LABEL_NAMES.map((name) => [name, sets.map((set) => one(set[name]))]));
}
