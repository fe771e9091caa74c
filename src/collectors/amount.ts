/**
 * Checks amounts that callers and providers report: a program without types may pass anything, and a provider nothing.
 */

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

/** The amount to add; 0 if the value is not one. */
export function amountOrZero(value: unknown): number {
  return isAmount(value) ? value : 0;
}
