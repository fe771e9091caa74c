/**
 * Checks amounts that callers and providers report: a program without types may pass anything, and a provider nothing.
 */
import { describe, ValueError } from '../errors';

/** Whether an amount was reported. Undefined and null mean that it was not, which is not the same as 0. */
export function isAmount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY;
}

/** The amount; undefined if the value is not one. */
export function toAmount(value: unknown): number | undefined {
  return isAmount(value) ? value : undefined;
}

/** Milliseconds as seconds; undefined if the value is not an amount. */
export function toSeconds(ms: unknown): number | undefined {
  return isAmount(ms) ? ms / 1000 : undefined;
}

/**
 * A time as seconds since 1970.
 *
 * @throws {ValueError} `INVALID_VALUE` if it is neither a valid `Date` nor milliseconds since 1970
 */
export function toUnixSeconds(option: string, time: Date | number): number {
  const ms = typeof time === 'number' ? time : Number((time as Date | undefined)?.getTime?.());
  if (isAmount(ms)) return ms / 1000;
  throw new ValueError(
    'INVALID_VALUE',
    `Expected a Date or milliseconds since 1970 for ${option} but received ${describe(time)}`,
  );
}

/** The amount to add; 0 if the value is not one. */
export function amountOrZero(value: unknown): number {
  return isAmount(value) ? value : 0;
}
