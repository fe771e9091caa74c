/**
 * Logs the library's warnings, and keeps errors of measuring code away from the user's call: the call continues, and one
 * warning says what failed. Knows neither collectors nor SDKs.
 */
import { messageOf } from './errors';
import type { Logger } from './types';

/** The default logger: Node.js' process warnings. */
export const processLogger: Logger = {
  warn: (message) => process.emitWarning(message, 'PrometheusMetricsWarning'),
};

/** The time between two warnings about the same metric or collector. */
export const WARNING_INTERVAL_MS = 60_000;

const warned = new Set<string>();

/** Runs measuring code. An error becomes a warning, once for each message, and the result `undefined`. */
export function quietly<R>(measure: () => R): R | undefined {
  try {
    return measure();
  } catch (error) {
    warnOnce(`Instrumentation failed: ${messageOf(error)}`);
    return undefined;
  }
}

/** Limit of remembered messages: errors may have any text, so their number has no bound of its own. */
const REMEMBERED_MAX = 100;

/** Logs a message once in the life of the process. */
export function warnOnce(message: string): void {
  if (warned.has(message) || warned.size >= REMEMBERED_MAX) return;
  warned.add(message);
  processLogger.warn(message);
}
