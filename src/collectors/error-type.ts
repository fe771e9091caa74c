/**
 * What went wrong, from what was thrown: HTTP status, the provider's code and type, and the constructor's name. Not
 * `error.name`, which SDKs leave at "Error". Reads fields and calls nothing; a getter that throws says nothing.
 */
import { read } from '../read';
import type { AgentErrorType, LlmErrorType, LlmStatus } from './words';

/** Codes and types of providers' error bodies. */
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

/** Our own words that no provider has, for programs whose errors say by themselves what they are. */
const WORDS: readonly AgentErrorType[] = [
  'rate_limit',
  'quota_exceeded',
  'overloaded',
  'timeout',
  'connection',
  'authentication',
  'permission',
  'not_found',
  'context_length',
  'cancelled',
  'stream_interrupted',
  'invalid_response',
  'tool_error',
  'max_steps',
  'guardrail',
  'unknown_tool',
];
const CODES = new Map<string, AgentErrorType>([
  ...Object.entries(BY_CODE),
  ...WORDS.map((word) => [word, word] as const),
]);

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

/** Constructors' names that say what happened. */
const BY_CONSTRUCTOR: readonly (readonly [RegExp, LlmErrorType])[] = [
  [/Abort(ed)?Error$/, 'cancelled'],
  [/Timeout(Error)?$/, 'timeout'],
  [/Connect(ion)?Error$/, 'connection'],
  [/(TypeValidation|JSONParse|JSONParsing|NoObjectGenerated|InvalidResponseData)Error$/, 'invalid_response'],
  [/^SyntaxError$/, 'invalid_response'],
  [/ContentFilter.*Error$/, 'content_filter'],
];

/** Constructors' names of what frameworks throw where they stop an agent. */
const STOPS: readonly (readonly [RegExp, AgentErrorType])[] = [
  [/(GraphRecursion|MaxTurnsExceeded)Error$/, 'max_steps'],
  [/GuardrailTripwireTriggered$|^TripWire$/, 'guardrail'],
];

/** Errors within errors that are looked into. */
const DEPTH_MAX = 5;

/** The kind of error that something thrown is; one of an agent's own kinds only where its `code` says so. */
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

/** The kind of error that an agent ended with: what was thrown, or the word for it. */
export function agentErrorOf(error: unknown): string {
  if (typeof error === 'string') return error;
  // A minifier leaves the code.
  if (read(error, 'lc_error_code') === 'GRAPH_RECURSION_LIMIT') return 'max_steps';
  return named(error, STOPS) ?? errorTypeOf(error);
}

/** The kind of error that is reported: what was thrown, or the word for it. */
export function reportedType(error: unknown): string {
  return typeof error === 'string' ? error : errorTypeOf(error);
}

/** What an abort was: the caller's, whatever reason was given for it, unless a timer made it. */
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
  // A code says more than a status, but for the catch-all that invalid requests have.
  for (const code of codes) {
    const type = CODES.get(typeof code === 'string' || typeof code === 'number' ? String(code) : '');
    if (type !== undefined && type !== 'invalid_request') return type;
  }
  const byStatus = BY_STATUS[status] ?? (status >= 500 && status < 600 ? 'server_error' : undefined);
  if (byStatus !== undefined) return byStatus;
  const byName = named(thrown, BY_CONSTRUCTOR);
  if (byName !== undefined) return byName;
  // The platform's own abort and timeout are `DOMException`s, which have nothing but a name.
  const name = read(thrown, 'name');
  if (name === 'AbortError') return 'cancelled';
  if (name === 'TimeoutError') return 'timeout';
  return codes.includes('invalid_request_error') ? 'invalid_request' : undefined;
}

function named<T>(thrown: unknown, types: readonly (readonly [RegExp, T])[]): T | undefined {
  const maker = read(read(thrown, 'constructor'), 'name');
  return typeof maker === 'string' ? types.find(([pattern]) => pattern.test(maker))?.[1] : undefined;
}

/** The outcome of a request that failed so. */
export function statusOf(type: string): LlmStatus {
  return type === 'timeout' || type === 'cancelled' ? type : 'error';
}
