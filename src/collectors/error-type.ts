/**
 * Finds the error type of a failure, whichever SDK or framework reports it: from the classes that the client itself names,
 * codes, texts and HTTP statuses, of the thrown error and of the body it holds. Only reads fields; a getter that throws
 * counts as missing. The tables stand in `failure-tables.ts`.
 */
import { addon } from '../native/addon';
import { read } from '../read';
import { BY_CLIENT_TEXT, BY_CODE, BY_MESSAGE, BY_PROVIDER_TEXT, BY_STATUS, VAGUE_CODES } from './failure-tables';
import { OTHER } from './label-values';
import type { AgentErrorType, LlmErrorType, LlmStatus } from './words';

/** A client's own classes of errors, from their most special to their most general. */
export type ErrorClasses = readonly (readonly [errorClass: unknown, type: LlmErrorType])[];

/** The words themselves are codes too: a program's own errors may name their type. `other` would hide their cause. */
function ownCodes(): [string, AgentErrorType][] {
  const { words } = addon.labelWords().find(({ name }) => name === 'AgentErrorType') ?? { words: [] };
  return words.filter((word) => word !== OTHER).map((word) => [word, word as AgentErrorType]);
}

const CODES = new Map<string, AgentErrorType>([...ownCodes(), ...Object.entries(BY_CODE)]);
for (const vague of Object.keys(VAGUE_CODES)) CODES.delete(vague);

/** Names of the constructors of errors that programs define themselves. Errors of SDKs are known by the above. */
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
/** Characters of a text that are searched. The reason stands at its beginning. */
const TEXT_MAX = 4000;
/** Where an error keeps the body of the answer: SDKs, the package `ai`, HTTP clients. */
const BODIES = ['error', 'data', 'body'] as const;

/** The type of a failure. Types that only agents have are found by `code` alone. */
export function errorTypeOf(failure: unknown, classes: ErrorClasses = []): AgentErrorType {
  for (let at = failure, depth = 0; at !== undefined && at !== null && depth < DEPTH_MAX; depth++) {
    const type = ownType(at, classes);
    // A timer that ends an operation aborts it: the platform's AbortError has the TimeoutError as its cause.
    if (type === 'cancelled' && ownType(read(at, 'cause'), classes) === 'timeout') return 'timeout';
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

/** The error type that a provider's text tells; nothing if it tells none. */
export function classifyProviderText(text: string): LlmErrorType | undefined {
  const searched = text.slice(0, TEXT_MAX);
  return BY_PROVIDER_TEXT.find(([pattern]) => pattern.test(searched))?.[1];
}

/** An HTTP status at the start of a message, after any error names. */
const STATUS = /^(?:\w*Error: )*([45]\d\d)\b/;

/** The error type of a failure of which only the text is known; nothing if no pattern matches. */
export function classifyErrorText(given: string): AgentErrorType | undefined {
  const text = given.slice(0, TEXT_MAX);
  const found = classifyProviderText(text) ?? BY_CLIENT_TEXT.find(([pattern]) => pattern.test(text))?.[1];
  if (found !== undefined) return found;
  const status = STATUS.exec(text)?.[1];
  return status === undefined ? undefined : errorTypeOf({ status: Number(status) });
}

/** The status of a request that failed with this error type. */
export function toStatus(type: string): LlmStatus {
  return type === 'timeout' || type === 'cancelled' ? type : 'error';
}

function ownType(failure: unknown, classes: ErrorClasses): AgentErrorType | undefined {
  const byClass = classes.find(([errorClass]) => isInstance(failure, errorClass));
  if (byClass !== undefined) return byClass[1];
  const parts = partsOf(failure);
  const codes = parts.flatMap(codesOf);
  for (const code of codes) {
    const type = CODES.get(code);
    if (type !== undefined) return type;
  }
  const texts = parts.flatMap(textsOf);
  for (const text of texts) {
    const type = classifyProviderText(text) ?? (Object.hasOwn(BY_MESSAGE, text) ? BY_MESSAGE[text] : undefined);
    if (type !== undefined) return type;
  }
  return statusType(parts, codes) ?? named(failure, BY_CONSTRUCTOR) ?? vagueType(codes);
}

function vagueType(codes: readonly string[]): LlmErrorType | undefined {
  const code = codes.find((given) => Object.hasOwn(VAGUE_CODES, given));
  return code === undefined ? undefined : VAGUE_CODES[code];
}

/** An HTTP status; gateways put it into the body too, as `code`. */
function statusType(parts: readonly unknown[], codes: readonly string[]): LlmErrorType | undefined {
  for (const part of parts) {
    const type = typeOfStatus(Number(read(part, 'status') ?? read(part, 'statusCode')));
    if (type !== undefined) return type;
  }
  for (const code of codes) {
    const type = typeOfStatus(Number(code));
    if (type !== undefined) return type;
  }
  return undefined;
}

function typeOfStatus(status: number): LlmErrorType | undefined {
  return BY_STATUS[status] ?? (status >= 500 && status < 600 ? 'server_error' : undefined);
}

/** The failure, the body that it holds, and the error within the body. */
function partsOf(failure: unknown): readonly unknown[] {
  const bodies = BODIES.map((name) => read(failure, name)).filter((body) => body !== undefined && body !== null);
  return [failure, ...bodies.flatMap((body) => [body, read(body, 'error')])];
}

function codesOf(part: unknown): string[] {
  const codes: string[] = [];
  const fields = [
    read(part, 'code'),
    read(part, 'type'),
    read(part, 'status'),
    read(part, 'name'),
    read(part, '__type'),
  ];
  for (const value of fields) {
    if (typeof value === 'string' || typeof value === 'number') codes.push(String(value).toLowerCase());
  }
  return codes;
}

function textsOf(part: unknown): string[] {
  if (typeof part === 'string') return [part];
  return [read(part, 'message'), read(part, 'detail')].filter((text) => typeof text === 'string');
}

function isInstance(failure: unknown, errorClass: unknown): boolean {
  try {
    return typeof errorClass === 'function' && failure instanceof errorClass;
  } catch {
    return false;
  }
}

function named<T>(thrown: unknown, types: readonly (readonly [RegExp, T])[]): T | undefined {
  const maker = read(read(thrown, 'constructor'), 'name');
  return typeof maker === 'string' ? types.find(([pattern]) => pattern.test(maker))?.[1] : undefined;
}
