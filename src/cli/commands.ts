/**
 * Lists what each command runs.
 */
import { check } from './check';
import { dashboard } from './dashboard';
import { demo } from './demo';
import { diff } from './diff';
import { docs } from './docs';
import type { CommandName } from './help';
import { rules } from './rules';
import type { Values } from './values';
import { watch } from './watch';

export { similarNames } from '../similar-names';
export type { Values } from './values';

/** Each takes operands and options, and returns the exit code. */
export const run: Readonly<Record<CommandName, (operands: string[], values: Values) => Promise<number>>> = {
  check,
  diff,
  docs,
  dashboard,
  watch,
  demo,
  rules,
};
