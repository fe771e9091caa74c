/**
 * Logs the library's warnings, and keeps errors of measuring code away from the user's call: the call continues, and one
 * warning says what failed. Knows neither collectors nor SDKs.
 */
import { messageOf } from './errors';
import { asPromise, isThenable } from './read';
import type { Logger } from './types';

/** The default logger: Node.js' process warnings. */
export const processLogger: Logger = { warn: (message) => emitWarning(inOneLine(message)) };

/** Characters that end a line for some reader of logs, or change the direction of text. */
const UNFIT_FOR_LOGS = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu;

/** Every warning is one line, because a part of it may come from elsewhere: a name, a value, a message. */
function inOneLine(message: string): string {
  return message.replace(UNFIT_FOR_LOGS, ' ');
}

const ownEmitWarning = process.emitWarning;

/** Emits a warning of the process. Neither a replaced `process.emitWarning` nor a listener of warnings may end the process. */
function emitWarning(message: string): void {
  if (process.emitWarning !== ownEmitWarning || process.listenerCount('warning') === 0) {
    guarded(() => process.emitWarning(message, WARNING_NAME), ignore);
    return;
  }
  // Node.js would emit an event, and an error of the program's listener would end the process: so it is emitted here.
  // Not assigned: the prototype of errors may be frozen, by `node --frozen-intrinsics` for example.
  const warning = Object.defineProperty(new Error(message), 'name', {
    value: WARNING_NAME,
    configurable: true,
    writable: true,
  });
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
    () => logger.warn(inOneLine(message)),
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
    warnOfFailure(error);
    return undefined;
  }
}

/** Warns of an error in measuring code, once for each message. For code that each request runs, instead of `quietly()`. */
export function warnOfFailure(error: unknown): void {
  warnOnce(`Instrumentation failed: ${forLog(error)}`);
}

/** Limit of remembered messages: errors may have any text, so their number has no bound of its own. */
const REMEMBERED_MAX = 100;

/** Logs a message once in the life of the process. */
export function warnOnce(message: string): void {
  if (warned.has(message) || warned.size >= REMEMBERED_MAX) return;
  warned.add(message);
  processLogger.warn(message);
}

/** Characters of a foreign text in a warning, with the mark of a cut. */
const SHOWN_CHARACTERS = 201;

let redact = (text: string, characters: number): string => inOneLine(text).slice(0, characters);

/** Sets the function that hides secrets and control characters. The room that loads the addon calls it. */
export function redactWith(hide: typeof redact): void {
  redact = hide;
}

/** Characters of a foreign text that are looked at. A short cut could leave half of a secret, which looks like none. */
const SEEN_CHARACTERS = 4096;

/**
 * A secret with a name that tells it: `password=…`, `"apiKey": "…"`, `?access_token=…`, `Authorization: Basic …`. Values may be
 * in quotes, also in escaped ones.
 */
const NAMED_SECRET =
  /((?:pass(?:word|wd|phrase|code)?|pwd|secret|token|credentials?|sig(?:nature)?|auth(?:orization)?|(?:api|access|account|private|shared)[-_ ]?key|[?&]key)[\\"']{0,4}\s{0,8}[=:]\s{0,8})((?:basic|bearer|digest|token)\s{1,8})?(?:\\*"[^"]*"?|\\*'[^']*'?|[^\s"'\\&,;)}\]]+)/giu;

/** The beginning of a text without secrets whose names tell them. The core finds those that are told by their form. */
export function withoutNamedSecrets(text: string): string {
  return text.slice(0, SEEN_CHARACTERS).replace(NAMED_SECRET, '$1$2[secret]');
}

/** A text for a log: one line, without secrets. */
export function oneLine(text: string): string {
  return redact(withoutNamedSecrets(text), SHOWN_CHARACTERS);
}

/** The message of a thrown value for a log. It may have a connection string with a password. */
export function forLog(thrown: unknown): string {
  return oneLine(messageOf(thrown));
}

/** Warnings that requests can cause: at most one a minute for each subject. */
export class LimitedWarnings {
  readonly #log: (message: string) => void;
  readonly #now: () => number;
  readonly #last = new Map<string, number>();

  /** @param now milliseconds of any clock */
  constructor(log: (message: string) => void, now: () => number = Date.now) {
    this.#log = log;
    this.#now = now;
  }

  /**
   * @param subject what the warning is about, such as the name of a callback. A client must not be able to choose it
   * @param text the warning; texts of errors through `forLog()`
   */
  warn(subject: string, text: () => string): void {
    const now = this.#now();
    const last = this.#last.get(subject);
    // A clock may be set back.
    if (last !== undefined && Math.abs(now - last) < WARNING_INTERVAL_MS) return;
    this.#last.set(subject, now);
    this.#log(text());
  }
}
