/**
 * Finds the error type of a thrown value: from its HTTP status, the provider's code and type, and the name of its
 * constructor. Not from `error.name`, which SDKs leave at "Error". Only reads fields; a getter that throws counts as
 * missing. To map a new failure to an error type, add it to a table below, and for Rust to
 * `crate/core/src/collectors/error_type.rs`.
 */
import { addon } from '../native/addon';
import { read } from '../read';
import { OTHER } from './label-values';
import type { AgentErrorType, LlmErrorType, LlmStatus } from './words';

/** Codes and types in the error bodies of providers, and codes of Node.js. */
const BY_CODE: Readonly<Record<string, AgentErrorType>> = {
  insufficient_quota: 'quota_exceeded',
  billing_error: 'quota_exceeded',
  billing_hard_limit_reached: 'quota_exceeded',
  rate_limit_exceeded: 'rate_limit',
  rate_limit_error: 'rate_limit',
  overloaded_error: 'overloaded',
  context_length_exceeded: 'context_length',
  content_filter: 'content_filter',
  content_policy_violation: 'content_filter',
  moderation_blocked: 'content_filter',
  authentication_error: 'authentication',
  invalid_api_key: 'authentication',
  permission_error: 'permission',
  not_found_error: 'not_found',
  model_not_found: 'not_found',
  request_too_large: 'request_too_large',
  invalid_request_error: 'invalid_request',
  api_error: 'server_error',
  server_error: 'server_error',
  ECONNREFUSED: 'connection',
  ECONNRESET: 'connection',
  ENOTFOUND: 'connection',
  EPIPE: 'connection',
  EAI_AGAIN: 'connection',
  ETIMEDOUT: 'timeout',
  UND_ERR_SOCKET: 'connection',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  ABORT_ERR: 'cancelled',
  '-32000': 'connection',
  '-32001': 'timeout',
};

/** The words themselves are codes too: a program's own errors may name their type. `other` would hide their cause. */
function ownCodes(): [string, AgentErrorType][] {
  const { words } = addon.labelWords().find(({ name }) => name === 'AgentErrorType') ?? { words: [] };
  return words.filter((word) => word !== OTHER).map((word) => [word, word as AgentErrorType]);
}

const CODES = new Map<string, AgentErrorType>([...ownCodes(), ...Object.entries(BY_CODE)]);

const BY_STATUS: Readonly<Record<number, LlmErrorType>> = {
  400: 'invalid_request',
  401: 'authentication',
  402: 'quota_exceeded',
  403: 'permission',
  404: 'not_found',
  408: 'timeout',
  409: 'invalid_request',
  412: 'invalid_request',
  413: 'request_too_large',
  422: 'invalid_request',
  429: 'rate_limit',
  431: 'request_too_large',
  499: 'cancelled',
  503: 'overloaded',
  504: 'timeout',
  529: 'overloaded',
};

/** Names of constructors. */
const BY_CONSTRUCTOR: readonly (readonly [RegExp, LlmErrorType])[] = [
  [/Abort(ed)?Error$/, 'cancelled'],
  [/Timeout(Error)?$/, 'timeout'],
  [/Connect(ion)?Error$/, 'connection'],
  [/(TypeValidation|JSONParse|JSONParsing|NoObjectGenerated|InvalidResponseData)Error$/, 'invalid_response'],
  [/^SyntaxError$/, 'invalid_response'],
  [/ContentFilter.*Error$/, 'content_filter'],
];

/** Names of the constructors of errors that frameworks throw to stop an agent. */
const STOPS: readonly (readonly [RegExp, AgentErrorType])[] = [
  [/(GraphRecursion|MaxTurnsExceeded)Error$/, 'max_steps'],
  [/GuardrailTripwireTriggered$|^TripWire$/, 'guardrail'],
];

/** How many nested errors are read. */
const DEPTH_MAX = 5;

/** The type of a thrown error. Types that only agents have are found by `code` alone. */
export function errorTypeOf(thrown: unknown): AgentErrorType {
  for (let at = thrown, depth = 0; at !== undefined && at !== null && depth < DEPTH_MAX; depth++) {
    const type = ownType(at);
    // A timer that ends an operation aborts it: the platform's AbortError has the TimeoutError as its cause.
    if (type === 'cancelled' && ownType(read(at, 'cause')) === 'timeout') return 'timeout';
    if (type !== undefined) return type;
    // Retry wrappers keep the last attempt's error, other wrappers the cause.
    at = read(at, 'lastError') ?? read(at, 'cause');
  }
  return 'other';
}

/** The error type of an agent's end, from the thrown error or from the word for it. */
export function classifyAgentError(error: unknown): string {
  if (typeof error === 'string') return error;
  // A minifier changes the constructor's name but not the code.
  if (read(error, 'lc_error_code') === 'GRAPH_RECURSION_LIMIT') return 'max_steps';
  return named(error, STOPS) ?? errorTypeOf(error);
}

/** The error type of a report, from the thrown error or from the word for it. */
export function reportedType(error: unknown): string {
  return typeof error === 'string' ? error : errorTypeOf(error);
}

/** An abort by a timer is a timeout. Any other abort was made by the caller, for a reason of its own. */
export function abortTypeOf(reason: unknown): 'timeout' | 'cancelled' {
  return errorTypeOf(reason) === 'timeout' ? 'timeout' : 'cancelled';
}

function ownType(thrown: unknown): AgentErrorType | undefined {
  const body = read(thrown, 'error');
  const codes = [
    read(thrown, 'code'),
    read(thrown, 'type'),
    read(body, 'code'),
    read(body, 'type'),
    read(read(body, 'error'), 'type'),
  ];
  const status = Number(read(thrown, 'status') ?? read(thrown, 'statusCode'));
  // A code is more precise than a status, except `invalid_request`: providers use it for many errors.
  for (const code of codes) {
    const type = CODES.get(typeof code === 'string' || typeof code === 'number' ? String(code) : '');
    if (type !== undefined && type !== 'invalid_request') return type;
  }
  const byStatus = BY_STATUS[status] ?? (status >= 500 && status < 600 ? 'server_error' : undefined);
  if (byStatus !== undefined) return byStatus;
  const byName = named(thrown, BY_CONSTRUCTOR);
  if (byName !== undefined) return byName;
  // The platform's own abort and timeout are `DOMException`s: only their name differs.
  const name = read(thrown, 'name');
  if (name === 'AbortError') return 'cancelled';
  if (name === 'TimeoutError') return 'timeout';
  return codes.includes('invalid_request_error') ? 'invalid_request' : undefined;
}

function named<T>(thrown: unknown, types: readonly (readonly [RegExp, T])[]): T | undefined {
  const maker = read(read(thrown, 'constructor'), 'name');
  return typeof maker === 'string' ? types.find(([pattern]) => pattern.test(maker))?.[1] : undefined;
}

/** The status of a request that failed with this error type. */
export function toStatus(type: string): LlmStatus {
  return type === 'timeout' || type === 'cancelled' ? type : 'error';
}
