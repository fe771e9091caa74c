/**
 * Refuses options with unknown names, which would otherwise be ignored without a word. It must not know any single option
 * or check a value: the module that declares an options type also lists its names.
 */
import { ConfigurationError } from './errors';
import { similarNames } from './similar-names';
import { warnOnce } from './warnings';

/** The names of the options of one function or class. */
export interface OptionNames {
  /** The function, class or option that takes them, as messages show it. */
  readonly of: string;
  readonly names: readonly string[];
}

/**
 * Lists the names of an options type. The compiler accepts only a complete list: a name that the type has and the list has
 * not is an error, and so is the reverse.
 */
export function optionNames<T extends object>(of: string, names: { readonly [K in keyof T]-?: true }): OptionNames {
  return { of, names: Object.keys(names) };
}

/**
 * Checks the names of all options. Does nothing for a value that is not an object: the check of the values refuses it.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` with the most similar name
 */
export function checkOptionNames(options: unknown, known: OptionNames): void {
  for (const name of unknownNames(options, known)) throw unknownOption(name, known);
}

/**
 * Warns of names that look misspelled, once each. For functions that prom-client has too: it ignores unknown names, and
 * programs written for it pass some, such as the options of its earlier versions.
 */
export function warnOfMisspelledNames(options: unknown, known: OptionNames): void {
  for (const name of unknownNames(options, known)) {
    const [near] = similarNames(name, known.names);
    if (near !== undefined) warnOnce(`Unknown option "${name}" for ${known.of} is ignored. Did you mean "${near}"?`);
  }
}

function unknownNames(options: unknown, { names }: OptionNames): string[] {
  if (typeof options !== 'object' || options === null) return [];
  return Object.keys(options).filter((name) => !names.includes(name));
}

/** Longer lists of names are not shown. */
const NAMES_SHOWN = 20;

function unknownOption(name: string, { of, names }: OptionNames): ConfigurationError {
  const [near] = similarNames(name, names);
  const list = names.length > NAMES_SHOWN ? '' : ` Known options: ${names.join(', ')}`;
  const help = near === undefined ? `.${list}` : `. Did you mean "${near}"?`;
  return new ConfigurationError('INVALID_CONFIG', `Unknown option "${name}" for ${of}${help}`);
}
