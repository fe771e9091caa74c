/**
 * Maps what providers, gateways and Node.js say about a failed request to error types: codes, HTTP statuses and texts.
 * All integrations use these tables. A new code goes into the first table, and for Rust programs also into
 * `crate/core/src/collectors/error_type.rs`; each row has a case in `__test__/instrumentation/failures.json`.
 */
import type { AgentErrorType, LlmErrorType } from './words';

/**
 * Codes, types and names, in lower case: of an error object, of the body of an answer, of an event. They say more than an
 * HTTP status.
 */
export const BY_CODE: Readonly<Record<string, AgentErrorType>> = {
  // OpenAI, Anthropic and servers with their APIs
  insufficient_quota: 'quota_exceeded',
  billing_error: 'quota_exceeded',
  billing_hard_limit_reached: 'quota_exceeded',
  billing_not_active: 'quota_exceeded',
  insufficient_credits: 'quota_exceeded',
  rate_limit_exceeded: 'rate_limit',
  rate_limit_error: 'rate_limit',
  rate_limit_reached: 'rate_limit',
  rate_limited: 'rate_limit',
  too_many_requests: 'rate_limit',
  tokens_exceeded: 'rate_limit',
  overloaded_error: 'overloaded',
  engine_overloaded: 'overloaded',
  engine_overloaded_error: 'overloaded',
  provider_overloaded: 'overloaded',
  service_unavailable: 'overloaded',
  service_tier_capacity_exceeded: 'overloaded',
  context_length_exceeded: 'context_length',
  context_window_exceeded: 'context_length',
  string_above_max_length: 'context_length',
  content_filter: 'content_filter',
  content_filtered: 'content_filter',
  content_policy_violation: 'content_filter',
  responsibleaipolicyviolation: 'content_filter',
  image_content_policy_violation: 'content_filter',
  moderation_blocked: 'content_filter',
  data_inspection_failed: 'content_filter',
  authentication_error: 'authentication',
  invalid_api_key: 'authentication',
  invalid_authentication_error: 'authentication',
  permission_error: 'permission',
  permission_denied_error: 'permission',
  unsupported_country_region_territory: 'permission',
  not_found_error: 'not_found',
  model_not_found: 'not_found',
  deploymentnotfound: 'not_found',
  resource_not_found_error: 'not_found',
  request_too_large: 'request_too_large',
  api_error: 'server_error',
  server_error: 'server_error',
  internal_server_error: 'server_error',
  internal_error: 'server_error',
  timeout_error: 'timeout',
  vector_store_timeout: 'timeout',
  // The words of gRPC, which Google's APIs use
  resource_exhausted: 'rate_limit',
  unavailable: 'overloaded',
  deadline_exceeded: 'timeout',
  unauthenticated: 'authentication',
  permission_denied: 'permission',
  internal: 'server_error',
  // Amazon
  throttlingexception: 'rate_limit',
  toomanyrequestsexception: 'rate_limit',
  servicequotaexceededexception: 'quota_exceeded',
  serviceunavailableexception: 'overloaded',
  modelnotreadyexception: 'overloaded',
  modeltimeoutexception: 'timeout',
  accessdeniedexception: 'permission',
  unrecognizedclientexception: 'authentication',
  expiredtokenexception: 'authentication',
  resourcenotfoundexception: 'not_found',
  internalserverexception: 'server_error',
  modelstreamerrorexception: 'server_error',
  // Node.js, the platform and the Model Context Protocol
  econnrefused: 'connection',
  econnreset: 'connection',
  econnaborted: 'connection',
  enotfound: 'connection',
  ehostunreach: 'connection',
  enetunreach: 'connection',
  epipe: 'connection',
  eai_again: 'connection',
  etimedout: 'timeout',
  esockettimedout: 'timeout',
  und_err_socket: 'connection',
  und_err_closed: 'connection',
  und_err_connect_timeout: 'timeout',
  und_err_headers_timeout: 'timeout',
  und_err_body_timeout: 'timeout',
  abort_err: 'cancelled',
  aborterror: 'cancelled',
  timeouterror: 'timeout',
  '-32000': 'connection',
  '-32001': 'timeout',
};

/** Codes that providers use for many kinds of failures. Texts and statuses say more. */
export const VAGUE_CODES: Readonly<Record<string, LlmErrorType>> = {
  invalid_request_error: 'invalid_request',
  invalid_request: 'invalid_request',
  invalid_prompt: 'invalid_request',
  invalid_argument: 'invalid_request',
  failed_precondition: 'invalid_request',
  badrequesterror: 'invalid_request',
  validationexception: 'invalid_request',
  cancelled: 'cancelled',
};

export const BY_STATUS: Readonly<Record<number, LlmErrorType>> = {
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
  524: 'timeout',
  529: 'overloaded',
};

/** Failures that only the text tells: servers give them a vague code and a status such as 400. */
export const BY_PROVIDER_TEXT: readonly (readonly [RegExp, LlmErrorType])[] = [
  [/maximum context length|context_length_exceeded|context (window|length)\b.{0,60}\bexceed/i, 'context_length'],
  [/exceeds?\b.{0,60}\b(context (window|length|size)|maximum (input )?(token|prompt) )/i, 'context_length'],
  [
    /prompt is too long|input is too long|too many (input )?tokens|reduce the length of the (messages|prompt|input)/i,
    'context_length',
  ],
  [/token count .{0,40}exceeds the maximum|input length .{0,80}exceed/i, 'context_length'],
  [
    /credit balance is too low|insufficient_quota|exceeded your current quota|insufficient (balance|credits|funds)/i,
    'quota_exceeded',
  ],
  [/PerDay|quota exceeded for .{0,80}per day|requires more credits|billing (hard )?limit/i, 'quota_exceeded'],
  [/API_KEY_INVALID|(incorrect|invalid) (x-)?api[ -]key|API key (expired|not valid|not found)/i, 'authentication'],
  [
    /content_filter|content management policy|content (safety )?policy|flagged (as|by|for) .{0,60}(policy|moderation|unsafe)/i,
    'content_filter',
  ],
];

/** Texts of clients and frameworks, for failures that reach us as a text alone. */
export const BY_CLIENT_TEXT: readonly (readonly [RegExp, AgentErrorType])[] = [
  [/max turns\b.*\bexceeded/i, 'max_steps'],
  [/guardrail\b.*\btriggered/i, 'guardrail'],
  [/\btool\b.*\bnot found/i, 'unknown_tool'],
  [/rate.?limit|RESOURCE_EXHAUSTED|too many requests/i, 'rate_limit'],
  [/overloaded/i, 'overloaded'],
  [/manually rejected|rejected by user/i, 'permission'],
  [/\baborted\b|AbortError/i, 'cancelled'],
  [/timed out|TimeoutError/i, 'timeout'],
  [/connection error|cannot connect|fetch failed|ECONNRE|socket hang up|terminated/i, 'connection'],
  [/invalid JSON|not valid JSON|JSON\.parse|in JSON at position|end of JSON input/i, 'invalid_response'],
];

/** The whole messages of SDKs' errors that have no status and no code. A minifier changes their classes' names, not these. */
export const BY_MESSAGE: Readonly<Record<string, LlmErrorType>> = {
  'Request was aborted.': 'cancelled',
  'Request timed out.': 'timeout',
  'Connection error.': 'connection',
  'This operation was aborted': 'cancelled',
  'The operation was aborted due to timeout': 'timeout',
  'fetch failed': 'connection',
  terminated: 'connection',
};
