/**
 * What measuring does when it fails itself: the user's call goes on, and one warning says what is not measured. Knows neither
 * collectors nor SDKs.
 */
import { messageOf } from './errors';
import type { Logger } from './types';

/** The logger of the library where the application gives none: Node.js' process warnings. */
export const processLogger: Logger = {
  warn: (message) => process.emitWarning(message, 'PrometheusMetricsWarning'),
};

const warned = new Set<string>();

/** Runs what only measures. What it throws is warned of once a message, and gives nothing. */
export function quietly<R>(measure: () => R): R | undefined {
  try {
    return measure();
  } catch (error) {
    warnOnce(`Instrumentation failed: ${messageOf(error)}`);
    return undefined;
  }
}

/** Messages that are remembered; those of errors may hold anything. */
const REMEMBERED_MAX = 100;

/** Says something once a process. */
export function warnOnce(message: string): void {
  if (warned.has(message) || warned.size >= REMEMBERED_MAX) return;
  warned.add(message);
  processLogger.warn(message);
}
