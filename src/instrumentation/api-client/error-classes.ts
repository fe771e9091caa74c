/**
 * The classes of errors without a status that a client throws. The client's class has them as statics, so they are known in
 * minified programs too, and in programs that have several copies of an SDK.
 */
import type { ErrorClasses } from '../../collectors/error-type';
import { read } from '../../read';

const STATICS = [
  ['APIUserAbortError', 'cancelled'],
  ['APIConnectionTimeoutError', 'timeout'],
  ['APIConnectionError', 'connection'],
] as const;

const cached = new WeakMap<object, ErrorClasses>();

/** The classes of a client, the most special first. */
export function errorClassesOf(client: unknown): ErrorClasses {
  const made = read(client, 'constructor');
  if (typeof made !== 'function') return [];
  let classes = cached.get(made);
  if (classes === undefined) {
    classes = STATICS.map(([name, type]) => [read(made, name), type] as const);
    cached.set(made, classes);
  }
  return classes;
}
