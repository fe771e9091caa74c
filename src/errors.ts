/**
 * Every error that the library throws, with its stable code. Messages are prom-client's where it has one,
 * because people's tests match them.
 */
import { inspect } from 'node:util';

/** The codes of errors. A code is never reused for something else. */
export type MetricsErrorCode =
  /** A metric of that name, or one that writes the same samples, is registered already. */
  | 'DUPLICATE_METRIC'
  /** The name is missing, or not `[a-zA-Z_:][a-zA-Z0-9_:]*`. */
  | 'INVALID_METRIC_NAME'
  /** A label name is not `[a-zA-Z_][a-zA-Z0-9_]*`, is reserved for the type, or comes twice. */
  | 'INVALID_LABEL_NAME'
  /** An exemplar's labels exceed 128 characters. */
  | 'INVALID_LABEL_VALUE'
  /** The metric exists with another type, other labels or other buckets. */
  | 'TYPE_MISMATCH'
  /** Buckets are not finite numbers in ascending order. */
  | 'INVALID_BUCKETS'
  /** Not a number, or one that the type cannot hold. */
  | 'INVALID_VALUE'
  /** A counter was given a negative number. */
  | 'NEGATIVE_INCREMENT'
  /** A label that the metric does not have. */
  | 'UNKNOWN_LABEL'
  /** More or fewer label values than the metric has labels. */
  | 'LABEL_COUNT'
  /** A label set beyond a limit whose policy is to throw. */
  | 'CARDINALITY_LIMIT'
  /** A `collect()` callback threw. */
  | 'COLLECTOR_FAILED'
  /** A `collect()` callback took longer than the scrape may. */
  | 'COLLECTOR_TIMEOUT'
  /** An option has a type or value that it cannot have. */
  | 'INVALID_CONFIG'
  /** A text is no exposition. */
  | 'INVALID_EXPOSITION'
  /** An address or socket cannot be listened on. */
  | 'BIND_FAILED'
  /** No addon for this platform was found. */
  | 'ADDON_NOT_FOUND'
  /** The JavaScript engine refused something, memory most likely. */
  | 'ENGINE';

const brand = Symbol.for('@llm-devops/prometheus-metrics.error');

/**
 * What all errors of this library have in common: `error instanceof MetricsError` holds for each, though some are
 * `TypeError`s, as prom-client's are.
 */
export abstract class MetricsError extends Error {
  abstract readonly code: MetricsErrorCode;

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && brand in value;
  }
}

/** A metric or registry could not be made or registered. */
export class RegistrationError extends Error {
  readonly [brand] = true;
  constructor(
    readonly code: MetricsErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** A value was refused. Nothing was recorded. */
export class ValueError extends TypeError {
  readonly [brand] = true;
  constructor(
    readonly code: MetricsErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** A counter was given a negative number. Nothing was recorded. */
export class NegativeIncrementError extends Error {
  readonly [brand] = true;
  readonly code: MetricsErrorCode = 'NEGATIVE_INCREMENT';
  constructor() {
    super('It is not possible to decrease a counter');
  }
}

/** Labels were refused. Nothing was recorded. */
export class LabelError extends Error {
  readonly [brand] = true;
  constructor(
    readonly code: MetricsErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** A label set beyond a limit whose policy is to throw. Nothing was recorded. */
export class CardinalityError extends Error {
  readonly [brand] = true;
  readonly code: MetricsErrorCode = 'CARDINALITY_LIMIT';
}

/** An option or the installation is wrong. */
export class ConfigurationError extends TypeError {
  readonly [brand] = true;
  constructor(
    readonly code: MetricsErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** An endpoint could not be started. */
export class EndpointError extends Error {
  readonly [brand] = true;
  constructor(
    readonly code: MetricsErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** A text is no exposition of the format that it was read as. */
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

/** What a value is, for "Expected X but received Y". */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return `${JSON.stringify(value)} of type string`;
  if (typeof value === 'object') return `an object of type ${value.constructor?.name ?? 'Object'}`;
  // Its text would be the whole of what it does: some four pages for a class.
  if (typeof value === 'function') return `${value.name === '' ? 'one' : value.name} of type function`;
  return `${String(value)} of type ${typeof value}`;
}

/** A value for an error message, as `console.log` prints it, cut after 200 characters. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : inspect(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** @throws {ConfigurationError} `INVALID_CONFIG` for an option that cannot have this value */
export function refuseOption(expected: string, name: string, value: unknown): never {
  throw new ConfigurationError('INVALID_CONFIG', `Expected ${expected} for ${name} but received ${describe(value)}`);
}

/** What somebody threw says, whatever it was: its own getters and inspectors may throw again. */
export function messageOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message) : inspect(thrown);
  } catch {
    return 'something that cannot be shown';
  }
}

/** Runs a call into the addon and turns its errors into ours. */
export function native<R>(call: () => R): R {
  try {
    return call();
  } catch (error) {
    throw translate(error);
  }
}

/** Awaits a promise of the addon, whose errors have their code before the message, and turns them into ours. */
export async function nativeAsync<R>(call: () => Promise<R>): Promise<R> {
  try {
    return await call();
  } catch (error) {
    const [, code, message] = /^([A-Z_]+): (.*)$/s.exec((error as Error).message ?? '') ?? [];
    throw code === undefined ? translate(error) : translate({ code, message });
  }
}

function translate(error: unknown): unknown {
  const { code, message } = error as { code?: MetricsErrorCode; message: string };
  switch (code) {
    case 'INVALID_CONFIG':
      return new ConfigurationError(code, message);
    case 'BIND_FAILED':
      return new EndpointError(code, message);
    case 'INVALID_LABEL_VALUE':
      return new LabelError(code, message);
    case 'DUPLICATE_METRIC':
    case 'INVALID_METRIC_NAME':
    case 'INVALID_LABEL_NAME':
    case 'TYPE_MISMATCH':
    case 'INVALID_BUCKETS':
      return new RegistrationError(code, message);
    default:
      return error;
  }
}
