/**
 * Reads values of options, and has the error for wrong ones and for unreadable sources.
 */

import { shown } from './terminal';

/** Options as the argument parser returns them. */
export type Values = { readonly [option: string]: string | boolean | string[] | undefined };

/** An error for the user: its message is printed without a stack. */
export class CommandError extends Error {
  readonly exitCode = 2;

  constructor(message: string) {
    // Servers write parts of some messages.
    super(message.split('\n').map(shown).join('\n'));
  }
}

/** A number of at least `least`. */
export function numberOf(values: Values, option: string, fallback: number, least: number): number {
  const text = values[option];
  if (text === undefined) return fallback;
  const number = text === '' ? Number.NaN : Number(text);
  if (number >= least && number <= Number.MAX_SAFE_INTEGER) return number;
  throw new CommandError(`Expected a number of at least ${least} for --${option} but received ${JSON.stringify(text)}`);
}

export function textOf(values: Values, option: string): string | undefined {
  return values[option] as string | undefined;
}

export function textsOf(values: Values, option: string): readonly string[] {
  return (values[option] ?? []) as string[];
}
