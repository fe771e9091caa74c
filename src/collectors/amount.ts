/**
 * Amounts that callers and providers report: a program without types may give anything, and a provider nothing.
 */

/** Whether an amount was reported: absent and null say that it was not, which is not the same as zero. */
export function isAmount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Number.POSITIVE_INFINITY;
}

/** An amount; nothing for what is none. */
export function amountIn(value: unknown): number | undefined {
  return isAmount(value) ? value : undefined;
}

/** Seconds of what is reported in milliseconds, if it is. */
export function secondsOf(ms: unknown): number | undefined {
  return isAmount(ms) ? ms / 1000 : undefined;
}

/** An amount to add: zero for what is none. */
export function amountOf(value: unknown): number {
  return isAmount(value) ? value : 0;
}
