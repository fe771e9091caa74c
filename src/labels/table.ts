/**
 * Finds the series of a label set. A tree with one level for each label, ordered from the fewest to the most distinct
 * values, so that there are few inner nodes. Values are never concatenated, so two label sets cannot collide. Knows
 * nothing of what a series is.
 */
import { inspect } from 'node:util';
import { LabelError } from '../errors';
import { isAlias, listAliases, toText } from './value';

/** Sizes at which the levels are sorted again. Above the last one, rebuilding the tree would block noticeably. */
const RECONSIDERED_AT = new Set([16, 64, 256, 1024, 4096]);

/** A node: the values of one label below one path. Most nodes have one child, which needs no `Map`. */
class Branch<S> {
  /** The text of the only child, and the child, while there is only one. */
  text: string | undefined = undefined;
  child: Branch<S> | S | undefined = undefined;
  /** All children, once there is a second key. */
  children: Map<unknown, Branch<S> | S> | null = null;

  get(key: unknown): Branch<S> | S | undefined {
    const { children } = this;
    if (children !== null) return children.get(key);
    return this.text === key ? this.child : undefined;
  }

  set(key: unknown, child: Branch<S> | S): void {
    if (this.children !== null) {
      this.children.set(key, child);
    } else if (this.child === undefined && typeof key === 'string') {
      this.text = key;
      this.child = child;
    } else {
      this.children = new Map();
      if (this.child !== undefined) this.children.set(this.text, this.child);
      this.children.set(key, child);
      this.text = this.child = undefined;
    }
  }

  /** Removes a text and its aliases; returns true if the node is empty afterwards. */
  delete(text: string): boolean {
    if (this.children === null) {
      if (this.text === text) this.text = this.child = undefined;
      return this.child === undefined;
    }
    for (const key of [text, ...listAliases(text)]) this.children.delete(key);
    return this.children.size === 0;
  }

  /** The children by their texts, without aliases. */
  *entries(): Generator<[string, Branch<S> | S]> {
    if (this.child !== undefined) yield [this.text as string, this.child];
    if (this.children === null) return;
    for (const [key, child] of this.children) if (typeof key === 'string') yield [key, child];
  }
}

/** Series by label values. `S` is any object. */
export class LabelTree<S extends object> {
  readonly #names: readonly string[];
  /** For each level the index of its label. */
  #order: number[];
  /** The root node; the series itself if the metric has no labels. */
  #root: Branch<S> | S | undefined;
  #size = 0;
  // The names of the first four levels. Fields, because an array would cost one more load for each label.
  #name0 = '';
  #name1 = '';
  #name2 = '';
  #name3 = '';
  /** Where the last search failed: the root at that time, the node, and the value that the node does not have. */
  #missedFrom: Branch<S> | undefined;
  #missedIn: Branch<S> | undefined;
  #missed: unknown;
  /** Array for the values in `#findMany()`; `null` while it is in use. */
  #scratch: unknown[] | null;

  constructor(names: readonly string[]) {
    this.#names = names;
    this.#order = names.map((_, index) => index);
    this.#scratch = names.map(() => undefined);
    this.#root = this.#emptyRoot();
    this.#nameLevels();
  }

  /**
   * The series of these labels, if it was found or inserted in this form before. Reads each enumerable label once, own
   * and inherited, and keeps no reference to the object.
   *
   * @throws {LabelError} `UNKNOWN_LABEL`
   */
  find(labels: object): S | undefined {
    // A proxy or an object without prototype would make the loops below slower for all later calls.
    if (!(labels instanceof Object)) return this.#walk(this.read(labels).values);
    switch (this.#names.length) {
      case 1:
        return this.#find1(labels as Record<string, unknown>);
      case 2:
        return this.#find2(labels as Record<string, unknown>);
      case 3:
        return this.#find3(labels as Record<string, unknown>);
      case 4:
        return this.#find4(labels as Record<string, unknown>);
      default:
        return this.#findMany(labels as Record<string, unknown>);
    }
  }

  // Root and names are read before the labels: a label may be a getter that records and so reorders the levels.

  #find1(labels: Record<string, unknown>): S | undefined {
    const root = this.#root as Branch<S>;
    const name0 = this.#name0;
    let a: unknown;
    for (const name in labels) {
      if (name === name0) a = labels[name];
      else this.#refuse(name, labels);
    }
    return (root.get(a) as S | undefined) ?? this.#miss(root, root, a);
  }

  #find2(labels: Record<string, unknown>): S | undefined {
    const root = this.#root as Branch<S>;
    const name0 = this.#name0;
    const name1 = this.#name1;
    let a: unknown;
    let b: unknown;
    for (const name in labels) {
      if (name === name0) a = labels[name];
      else if (name === name1) b = labels[name];
      else this.#refuse(name, labels);
    }
    const first = root.get(a) as Branch<S> | undefined;
    if (first === undefined) return this.#miss(root, root, a);
    return (first.get(b) as S | undefined) ?? this.#miss(root, first, b);
  }

  #find3(labels: Record<string, unknown>): S | undefined {
    const root = this.#root as Branch<S>;
    const name0 = this.#name0;
    const name1 = this.#name1;
    const name2 = this.#name2;
    let a: unknown;
    let b: unknown;
    let c: unknown;
    for (const name in labels) {
      if (name === name0) a = labels[name];
      else if (name === name1) b = labels[name];
      else if (name === name2) c = labels[name];
      else this.#refuse(name, labels);
    }
    const first = root.get(a) as Branch<S> | undefined;
    if (first === undefined) return this.#miss(root, root, a);
    const second = first.get(b) as Branch<S> | undefined;
    if (second === undefined) return this.#miss(root, first, b);
    return (second.get(c) as S | undefined) ?? this.#miss(root, second, c);
  }

  #find4(labels: Record<string, unknown>): S | undefined {
    const root = this.#root as Branch<S>;
    const name0 = this.#name0;
    const name1 = this.#name1;
    const name2 = this.#name2;
    const name3 = this.#name3;
    let a: unknown;
    let b: unknown;
    let c: unknown;
    let d: unknown;
    for (const name in labels) {
      if (name === name0) a = labels[name];
      else if (name === name1) b = labels[name];
      else if (name === name2) c = labels[name];
      else if (name === name3) d = labels[name];
      else this.#refuse(name, labels);
    }
    const first = root.get(a) as Branch<S> | undefined;
    if (first === undefined) return this.#miss(root, root, a);
    const second = first.get(b) as Branch<S> | undefined;
    if (second === undefined) return this.#miss(root, first, b);
    const third = second.get(c) as Branch<S> | undefined;
    if (third === undefined) return this.#miss(root, second, c);
    return (third.get(d) as S | undefined) ?? this.#miss(root, third, d);
  }

  #findMany(labels: Record<string, unknown>): S | undefined {
    // A label may be a getter that records and so enters this method again.
    const values = this.#scratch ?? new Array(this.#names.length);
    this.#scratch = null;
    values.fill(undefined);
    for (const name in labels) {
      const index = this.#names.indexOf(name);
      if (index < 0) this.#refuse(name, labels);
      else values[index] = labels[name];
    }
    const series = this.#walk(values);
    this.#scratch = values;
    return series;
  }

  /** The series of these texts, in the order of the label names. */
  get(texts: readonly string[]): S | undefined {
    return this.#walk(texts);
  }

  #walk(values: readonly unknown[]): S | undefined {
    const root = this.#root;
    let at = root;
    for (const label of this.#order) {
      const branch = at as Branch<S>;
      at = branch.get(values[label]);
      if (at === undefined) return this.#miss(root as Branch<S>, branch, values[label]);
    }
    return at as S | undefined;
  }

  #miss(root: Branch<S>, branch: Branch<S>, value: unknown): undefined {
    this.#missedFrom = root;
    this.#missedIn = branch;
    this.#missed = value;
  }

  /**
   * True if the label set that `find()` has just missed certainly has no series. `find()` compares values as they are
   * given, so it can miss a series whose label is the text `'5'` if it is given the number `5`. It found all values before
   * the one that it missed, so only that value matters: a string cannot have this problem, and a number, boolean, `null` or
   * `undefined` is looked up once more by its text. For other values the answer is false.
   */
  missesForSure(): boolean {
    const value = this.#missed;
    const branch = this.#takeMissedBranch();
    if (branch === undefined) return false;
    if (typeof value === 'string') return value.isWellFormed();
    return isAlias(value) && branch.get(toText('', value)) === undefined;
  }

  /** The index of the label that is looked up last: usually the one with the most values. */
  get lastLabel(): number {
    return this.#order[this.#order.length - 1];
  }

  /**
   * The text that `find()` has just not found, with the series that has `instead` in its place. `undefined` if there is
   * no such series, or if the missed value was not the last label's.
   */
  missedBeside(instead: string): { text: string; series: S } | undefined {
    const value = this.#missed;
    const series = this.#takeMissedBranch()?.get(instead);
    // An object may print differently each time, so it is not converted here.
    if (series === undefined || series instanceof Branch || !(typeof value === 'string' || isAlias(value))) {
      return undefined;
    }
    return { text: toText('', value), series };
  }

  /** The node at which the last search failed; `undefined` if the tree was rebuilt since. */
  #takeMissedBranch(): Branch<S> | undefined {
    const branch = this.#missedFrom === this.#root ? this.#missedIn : undefined;
    // Keeps no reference to the caller's values.
    this.#forgetMiss();
    return branch;
  }

  /**
   * Reads labels: their values in the order of the label names, and the order in which the caller gave them.
   *
   * @throws {LabelError} `UNKNOWN_LABEL`
   */
  read(labels: object): { values: unknown[]; order: number[] } {
    const values: unknown[] = new Array(this.#names.length).fill(undefined);
    const order: number[] = [];
    for (const name in labels) {
      if (isOfEveryObject(labels, name)) continue;
      const index = this.#names.indexOf(name);
      if (index < 0) throw unknownLabel(name, this.#names);
      values[index] = (labels as Record<string, unknown>)[name];
      order.push(index);
    }
    return { values, order };
  }

  /** Adds a series under its texts. */
  insert(texts: readonly string[], series: S): void {
    this.#put(texts, series);
    this.#size++;
    if (RECONSIDERED_AT.has(this.#size)) this.#reorder();
  }

  #put(texts: readonly string[], series: S): void {
    const last = this.#order.length - 1;
    if (last < 0) {
      this.#root = series;
      return;
    }
    let branch = this.#root as Branch<S>;
    for (let level = 0; level < last; level++) {
      const text = texts[this.#order[level]];
      let next = branch.get(text) as Branch<S> | undefined;
      if (next === undefined) {
        next = new Branch<S>();
        branch.set(text, next);
      }
      branch = next;
    }
    branch.set(texts[this.#order[last]], series);
  }

  /** Indexes values beside their texts, so that `find()` needs no conversion next time. */
  alias(values: readonly unknown[], texts: readonly string[]): void {
    if (!values.some(isAlias)) return;
    let branch = this.#root as Branch<S>;
    for (const label of this.#order) {
      const child = branch.get(texts[label]);
      if (child === undefined) return;
      if (values[label] !== texts[label] && isAlias(values[label])) branch.set(values[label], child);
      branch = child as Branch<S>;
    }
  }

  /** Removes a series and returns it. */
  delete(texts: readonly string[]): S | undefined {
    const series = this.get(texts);
    if (series === undefined) return undefined;
    this.#size--;
    if (this.#order.length === 0) {
      this.#root = undefined;
      return series;
    }
    const path = [this.#root as Branch<S>];
    for (const label of this.#order.slice(0, -1)) {
      path.push(path[path.length - 1].get(texts[label]) as Branch<S>);
    }
    for (let level = path.length - 1; level >= 0; level--) {
      if (!path[level].delete(texts[this.#order[level]])) break;
    }
    return series;
  }

  /** All series with their texts, in no particular order. */
  *entries(): Generator<[string[], S]> {
    if (this.#size === 0) return;
    const texts: string[] = new Array(this.#names.length).fill('');
    if (this.#order.length === 0) yield [texts, this.#root as S];
    else yield* this.#entriesBelow(this.#root as Branch<S>, 0, texts);
  }

  *#entriesBelow(branch: Branch<S>, level: number, texts: string[]): Generator<[string[], S]> {
    for (const [text, child] of branch.entries()) {
      texts[this.#order[level]] = text;
      if (level === this.#order.length - 1) yield [[...texts], child as S];
      else yield* this.#entriesBelow(child as Branch<S>, level + 1, texts);
    }
  }

  clear(): void {
    this.#forgetMiss();
    this.#root = this.#emptyRoot();
    this.#size = 0;
  }

  /** Drops the last miss, which holds the root, and with it every series of a tree that is replaced. */
  #forgetMiss(): void {
    this.#missedFrom = this.#missedIn = this.#missed = undefined;
  }

  #emptyRoot(): Branch<S> | undefined {
    return this.#names.length === 0 ? undefined : new Branch<S>();
  }

  #reorder(): void {
    if (this.#names.length < 2) return;
    const all = [...this.entries()];
    const distinct = this.#names.map((_, label) => new Set(all.map(([texts]) => texts[label])).size);
    const order = [...this.#order].sort((a, b) => distinct[a] - distinct[b]);
    if (order.every((label, level) => label === this.#order[level])) return;
    this.#order = order;
    this.#nameLevels();
    this.#forgetMiss();
    this.#root = this.#emptyRoot();
    for (const [texts, series] of all) this.#put(texts, series);
  }

  #nameLevels(): void {
    [this.#name0 = '', this.#name1 = '', this.#name2 = '', this.#name3 = ''] = this.#order.map(
      (label) => this.#names[label],
    );
  }

  /** Refuses an unknown label. A property that some program has added to every object is no label. */
  #refuse(name: string, labels: object): void {
    if (!isOfEveryObject(labels, name)) throw unknownLabel(name, this.#names);
  }
}

/** True for an enumerable property of `Object.prototype`, of any realm. Reads no value. */
function isOfEveryObject(labels: object, name: string): boolean {
  let holder: object | null = labels;
  while (holder !== null && !Object.hasOwn(holder, name)) holder = Object.getPrototypeOf(holder);
  return holder !== null && holder !== labels && Object.hasOwn(holder, 'isPrototypeOf');
}

/** The error for a label that the metric does not have. */
export function unknownLabel(name: string, names: readonly string[]): LabelError {
  return new LabelError(
    'UNKNOWN_LABEL',
    `Added label "${name}" is not included in initial labelset: ${inspect(names)}`,
  );
}
