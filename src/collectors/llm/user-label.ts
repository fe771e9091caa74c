/**
 * One label of the user's own on requests, tokens and cost, such as `tenant` or `feature`: its name, its limited values, and
 * where the value of a request comes from. It must not know series.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { refuseOption } from '../../errors';
import { CappedNames } from '../../labels/capped-names';
import { checkOptionNames, type OptionNames } from '../../options';
import { read } from '../../read';
import { readName } from '../label-values';

/** A value for the user's own label: `{ tenant: 'acme' }`. */
export type UserLabels = Readonly<Record<string, string>>;

/** The user's own label, and how many different values it may have: `{ tenant: { max: 100 } }`. */
export type UserLabelOption = Readonly<Record<string, { readonly max: number }>>;

const LIMIT: OptionNames = { of: 'labels', names: ['max'] };
/** More values than this would make a label that identifies a user. */
const MAX = 1000;
const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const TAKEN: ReadonlySet<string> = new Set(['model', 'provider', 'operation', 'status', 'type', 'le', 'quantile']);

let storage: AsyncLocalStorage<UserLabels> | undefined;

/** Runs a function whose requests, also across awaits, have these labels unless they name their own. */
export function runWithLabels<R>(labels: UserLabels, run: () => R): R {
  storage ??= new AsyncLocalStorage();
  return storage.run(labels, run);
}

/** The label of a collector. */
export class UserLabel {
  readonly #values: CappedNames;

  constructor(
    readonly name: string,
    readonly max: number,
  ) {
    this.#values = new CappedNames(max);
  }

  /**
   * The label's value for a request: the request's own, or that of the code around it; `other` above the limit.
   *
   * @returns undefined without a value: the series then has no such label
   */
  valueOf(given: UserLabels | undefined): string | undefined {
    const value = read(given, this.name) ?? read(storage?.getStore(), this.name);
    return value === undefined || value === null || value === '' ? undefined : this.#values.admit(readName(value));
  }
}

/** @throws {ConfigurationError} `INVALID_CONFIG` */
export function checkUserLabel(option: UserLabelOption | undefined): UserLabel | undefined {
  if (option === undefined) return undefined;
  if (typeof option !== 'object' || option === null) refuseOption('a label and its limit', 'labels', option);
  const [first, ...more] = Object.entries(option);
  if (first === undefined) return undefined;
  if (more.length > 0) refuseOption('one label: several would multiply the series', 'labels', option);
  const [name, limit] = first;
  if (!NAME.test(name) || name.startsWith('__') || TAKEN.has(name)) refuseOption('a free label name', 'labels', name);
  if (typeof limit !== 'object' || limit === null) refuseOption('{ max: 100 }', `labels.${name}`, limit);
  checkOptionNames(limit, LIMIT);
  const { max } = limit;
  if (!Number.isInteger(max) || max < 1 || max > MAX) {
    refuseOption(`a whole number from 1 to ${MAX}`, `labels.${name}.max`, max);
  }
  return new UserLabel(name, max);
}
