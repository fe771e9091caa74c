/**
 * Defines every error that the library throws: the table of stable codes, and the classes. Messages that prom-client
 * also has are prom-client's, because people's tests match them.
 */
import { inspect, types } from 'node:util';

/** The class of each error; `warning` for codes that are never thrown, only logged. */
type ErrorClass =
  | 'CardinalityError'
  | 'ConfigurationError'
  | 'EndpointError'
  | 'ExpositionError'
  | 'LabelError'
  | 'MetricsError'
  | 'NegativeIncrementError'
  | 'RegistrationError'
  | 'ValueError'
  | 'warning';

/**
 * All codes, each with its class. A code is never reused for something else. The table in docs/recording.md is written from
 * here, with the comments as meanings, and the core's error kinds have the same codes; tests hold both.
 */
export const ERRORS = {
  /** A metric of this name, or one that writes the same sample name, is already registered. */
  DUPLICATE_METRIC: 'RegistrationError',
  /** The metric name is missing, does not match the rule of its registry (`[a-zA-Z_:][a-zA-Z0-9_:]*`), or does not end with the unit. */
  INVALID_METRIC_NAME: 'RegistrationError',
  /**
   * A label name does not match the rule of its registry (`[a-zA-Z_][a-zA-Z0-9_]*`), is given twice, also when escaped, or is
   * reserved: `__name__`, `le` on a histogram, `quantile` on a summary, both as default labels.
   */
  INVALID_LABEL_NAME: 'RegistrationError',
  /** A label value cannot be converted to a string, or the labels of an exemplar exceed 128 characters. */
  INVALID_LABEL_VALUE: 'LabelError',
  /** A method such as `registry.counter()` found a metric with another type, other labels, buckets, percentiles or states. */
  TYPE_MISMATCH: 'RegistrationError',
  /** The buckets of a histogram are not finite numbers in ascending order. */
  INVALID_BUCKETS: 'RegistrationError',
  /** The value is not a number, or not one that the metric type can hold; nothing was recorded. */
  INVALID_VALUE: 'ValueError',
  /** `counter.inc()` was called with a negative number; nothing was recorded. */
  NEGATIVE_INCREMENT: 'NegativeIncrementError',
  /** A call names a label that is not in the `labelNames` of the metric; nothing was recorded. */
  UNKNOWN_LABEL: 'LabelError',
  /** `labels()` or `remove()` got more or fewer values than the metric has labels. */
  LABEL_COUNT: 'LabelError',
  /** A new label set is over a limit whose policy is `throw`; nothing was recorded. */
  CARDINALITY_LIMIT: 'CardinalityError',
  /** A `collect()` callback threw an error or rejected; its metric keeps the values it had. */
  COLLECTOR_FAILED: 'warning',
  /** A `collect()` callback took longer than the scrape allows; its metric keeps the values it had. */
  COLLECTOR_TIMEOUT: 'warning',
  /**
   * An option has an unknown name, or an option or an argument has an invalid type or value. (A missing `help` is a
   * `RegistrationError`, as in prom-client.)
   */
  INVALID_CONFIG: 'ConfigurationError',
  /** `parseExposition()`, `diffSnapshots()` or `replay()` got an invalid text; the error has `line` and `column`. */
  INVALID_EXPOSITION: 'ExpositionError',
  /** A worker of a cluster registry did not answer in time, or answered with an error. */
  CLUSTER_FAILED: 'EndpointError',
  /**
   * A Pushgateway answered with an error, whose number and text are `status` and `body`, or did not answer in full or in
   * time. A pusher's receiver did not accept what `flush()` pushed, or not in time.
   */
  PUSH_FAILED: 'EndpointError',
  /** `startExporter()` could not listen on the address or socket. */
  BIND_FAILED: 'EndpointError',
  /** `require()` or `import` found no native addon for this platform. */
  ADDON_NOT_FOUND: 'ConfigurationError',
  /** The JavaScript engine refused a request of the addon, usually for lack of memory. */
  ENGINE: 'MetricsError',
} as const satisfies Record<string, ErrorClass>;

/** The stable code of an error, in its `code` property. */
export type MetricsErrorCode = keyof typeof ERRORS;

const brand = Symbol.for('@llm-devops/prometheus-metrics.error');

/**
 * The common type of all errors of this library: `error instanceof MetricsError` is true for each of them. Some are
 * also a `TypeError`, as in prom-client, so they do not inherit from this class.
 */
export abstract class MetricsError extends Error {
  abstract readonly code: MetricsErrorCode;

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && brand in value;
  }
}

/** A metric or registry could not be created or registered. */
export class RegistrationError extends Error {
  readonly [brand] = true;
  constructor(
    readonly code: MetricsErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** A value is invalid. Nothing was recorded. The code is `INVALID_VALUE`. */
export class ValueError extends TypeError {
  readonly [brand] = true;
  constructor(
    readonly code: MetricsErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** A counter got a negative number. Nothing was recorded. The code is `NEGATIVE_INCREMENT`. */
export class NegativeIncrementError extends Error {
  readonly [brand] = true;
  readonly code: MetricsErrorCode = 'NEGATIVE_INCREMENT';
  constructor() {
    super('It is not possible to decrease a counter');
  }
}

/** Labels are invalid. Nothing was recorded. */
export class LabelError extends Error {
  readonly [brand] = true;
  constructor(
    readonly code: MetricsErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** A label set is over a limit whose policy is `throw`. Nothing was recorded. The code is `CARDINALITY_LIMIT`. */
export class CardinalityError extends Error {
  readonly [brand] = true;
  readonly code: MetricsErrorCode = 'CARDINALITY_LIMIT';
}

/** An option or argument is invalid, or the addon is missing. */
export class ConfigurationError extends TypeError {
  readonly [brand] = true;
  constructor(
    readonly code: MetricsErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** An endpoint could not be started, a Pushgateway did not take what was pushed, or a worker did not answer. */
export class EndpointError extends Error {
  readonly [brand] = true;
  constructor(
    readonly code: MetricsErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** The JavaScript engine refused a request of the addon. Programs see it as a `MetricsError` with the code `ENGINE`. */
class EngineError extends Error {
  readonly [brand] = true;
  constructor(
    readonly code: MetricsErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** A text could not be parsed as an exposition. The code is `INVALID_EXPOSITION`. */
export class ExpositionError extends Error {
  readonly [brand] = true;
  readonly code: MetricsErrorCode = 'INVALID_EXPOSITION';
  constructor(
    message: string,
    /** The line, from 1. */
    readonly line: number,
    /** The column, from 1, in characters. */
    readonly column: number,
  ) {
    super(message);
  }
}

/** A value and its type, for messages of the form "Expected X but received Y". A proxy may refuse to be read. */
export function describe(value: unknown): string {
  try {
    return described(value);
  } catch {
    return UNREADABLE;
  }
}

function described(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return `${JSON.stringify(value)} of type string`;
  if (typeof value === 'object') return `an object of type ${value.constructor?.name ?? 'Object'}`;
  // String(fn) is the function's whole source.
  if (typeof value === 'function') return `${value.name === '' ? 'one' : value.name} of type function`;
  return `${String(value)} of type ${typeof value}`;
}

/** A value for an error message, as `console.log` prints it, cut after 200 characters. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : printed(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** Throws the error of an option that has an invalid value. @throws {ConfigurationError} `INVALID_CONFIG` */
export function refuseOption(expected: string, name: string, value: unknown): never {
  throw new ConfigurationError('INVALID_CONFIG', `Expected ${expected} for ${name} but received ${describe(value)}`);
}

const UNREADABLE = 'something that cannot be shown';

/** True for errors of any realm, and for the classes of libraries that only inherit from `Error`. */
function isError(thrown: unknown): thrown is Error {
  if (typeof thrown !== 'object' || thrown === null) return false;
  return types.isNativeError(thrown) || ('message' in thrown && 'stack' in thrown);
}

/** True if an address could not be bound because another listener has it. The error may be of another copy of the library. */
export function isPortInUse(error: unknown): error is EndpointError {
  return (error as Partial<EndpointError> | undefined)?.code === 'BIND_FAILED' && /in use/i.test(messageOf(error));
}

/** The message of a thrown value of any type. Its getters and its `inspect` method may throw too. */
export function messageOf(thrown: unknown): string {
  try {
    if (isError(thrown)) return String(thrown.message);
  } catch {
    return UNREADABLE;
  }
  return printed(thrown);
}

function printed(value: unknown): string {
  try {
    return inspect(value);
  } catch {
    return UNREADABLE;
  }
}

/** Calls the addon and translates its errors into the classes of this file. */
export function native<R>(call: () => R): R {
  try {
    return call();
  } catch (error) {
    throw translate(error);
  }
}

/** Like `native()`, for a promise of the addon. The messages of such errors begin with the code. */
export async function nativeAsync<R>(call: () => Promise<R>): Promise<R> {
  try {
    return await call();
  } catch (error) {
    const [, code, message] = /^([A-Z_]+): (.*)$/s.exec(messageOf(error)) ?? [];
    throw code === undefined ? translate(error) : translate({ code, message });
  }
}

/** The classes of the errors that the addon throws. Errors of the other classes are only made in JavaScript. */
const CONSTRUCTORS: { readonly [name in ErrorClass]?: new (code: MetricsErrorCode, message: string) => Error } = {
  ConfigurationError,
  EndpointError,
  LabelError,
  RegistrationError,
  ValueError,
  MetricsError: EngineError,
};

function translate(error: unknown): unknown {
  const { code, message } = Object(error) as { code?: unknown; message: string };
  // Node-API's own code for errors without a better one, such as missing memory.
  if (code === 'GenericFailure') return new EngineError('ENGINE', message);
  if (typeof code !== 'string' || !Object.hasOwn(ERRORS, code)) return error;
  const known = code as MetricsErrorCode;
  const Class = CONSTRUCTORS[ERRORS[known]];
  return Class === undefined ? error : new Class(known, message);
}
