/**
 * Label values: what each type becomes, and which other values name the same series.
 */
import { describe, LabelError } from '../errors';

/** A lone surrogate has no UTF-8 form; U+FFFD stands for it, so that equal bytes are one series. */
function wellFormed(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed();
}

/** The text of a label value; `''` is no label. Objects are printed as `String()` prints them. */
export function textOf(name: string, value: unknown): string {
  switch (typeof value) {
    case 'string':
      return wellFormed(value);
    case 'undefined':
      return '';
    case 'number':
    case 'boolean':
    case 'bigint':
      return String(value);
    case 'object':
      if (value === null) return '';
  }
  try {
    return wellFormed(String(value));
  } catch {
    throw new LabelError(
      'INVALID_LABEL_VALUE',
      `Expected something that can be printed for the label "${name}" but received ${typeof value === 'symbol' ? value.toString() : describe(value)}`,
    );
  }
}

/** Labels as the core takes them: names and texts in turn. */
export function flatLabels(labels: object): string[] {
  return Object.entries(labels).flatMap(([name, value]) => [name, textOf(name, value)]);
}

/** The labels without those given as absent. */
export function presentLabels<V>(labels: Readonly<Record<string, V>>): Record<string, V> {
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== undefined && value !== null));
}

/** Whether a value may stand beside its text as a key of its own: few such values exist for one text. */
export function isAlias(value: unknown): boolean {
  return value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean';
}

/** The keys under which a text may have been aliased. */
export function aliasesOf(text: string): unknown[] {
  const aliases: unknown[] = text === '' ? [null, undefined] : [];
  if (text === 'true' || text === 'false') aliases.push(text === 'true');
  const number = Number(text);
  if (String(number) === text) aliases.push(number);
  return aliases;
}
