/**
 * Logs the library's warnings, and keeps errors of measuring code away from the user's call: the call continues, and one
 * warning says what failed. Knows neither collectors nor SDKs.
 */
import { messageOf } from './errors';
import { asPromise, isThenable } from './read';
import type { Logger } from './types';

/** The default logger: Node.js' process warnings. */
export const processLogger: Logger = { warn: emitWarning };

const ownEmitWarning = process.emitWarning;

/** Emits a warning of the process. Neither a replaced `process.emitWarning` nor a listener of warnings may end the process. */
function emitWarning(message: string): void {
  if (process.emitWarning !== ownEmitWarning || process.listenerCount('warning') === 0) {
    guarded(() => process.emitWarning(message, WARNING_NAME), ignore);
    return;
  }
  // Node.js would emit an event, and an error of the program's listener would end the process: so it is emitted here.
  const warning = Object.assign(new Error(message), { name: WARNING_NAME });
  process.nextTick(() => guarded(() => process.emit('warning', warning), ignore));
}

const WARNING_NAME = 'PrometheusMetricsWarning';

/**
 * Calls a callback of the program. A thrown error goes to `failed`, and so does the rejection of a promise: a callback may be
 * an async function, though its type says otherwise, and an unhandled rejection ends the process.
 */
export function guarded<R>(callback: () => R, failed: (error: unknown) => void): R | undefined {
  try {
    const result = callback();
    if (isThenable(result)) asPromise(result).then(undefined, failed);
    return result;
  } catch (error) {
    failed(error);
    return undefined;
  }
}

function ignore(): void {}

/** Logs through the program's logger. If it throws or rejects, the warning goes to Node.js' warnings instead. */
export function warnThrough(logger: Logger, message: string): void {
  guarded(
    () => logger.warn(message),
    () => processLogger.warn(message),
  );
}

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
