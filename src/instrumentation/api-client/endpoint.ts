/**
 * Types that describe an SDK and its endpoints: which paths of the API call a model, and how an answer and a stream are
 * read, and which classes of errors a client has. `openai` and `anthropic` each implement the types; the rest of this folder
 * knows an SDK only by them.
 */
import type { ErrorClasses } from '../../collectors/error-type';
import type { LlmEnd } from '../../collectors/llm/request';
import type { LlmOperation } from '../../collectors/words';
import { read } from '../../read';
import type { RateLimitHeaders } from '../rate-limits';

/** The body of a request, as the caller passed it. */
export type RequestBody = Readonly<Record<string, unknown>>;

/** How a request ended, read from its answer. */
export interface AnswerEnd {
  readonly end: LlmEnd;
  /** Set if the answer has status 200 and still reports a failure: an error type, or an object with an error's fields. */
  readonly failure?: unknown;
  /** Names the answer. */
  readonly id?: string | undefined;
  /** True if the answer can be retrieved again later. It must not count again then. */
  readonly retrievable?: boolean;
}

/** Reads the chunks of one stream. */
export interface ChunkReader {
  /**
   * Takes a chunk.
   *
   * @returns false before the first content: a chunk may hold only a role or the usage
   */
  chunk(chunk: unknown): boolean;
  /** True once the answer is complete; later chunks cannot change that. */
  readonly complete: boolean;
  /** How the answer ended, from the chunks so far. */
  readEnd(): AnswerEnd;
}

/** A path of an API to which a request to a model is posted. */
export interface Endpoint {
  /** Such as `chat/completions`. What the SDK or a gateway puts before it is ignored. */
  readonly path: string;
  readonly operation: LlmOperation;
  /** Reads a whole answer. */
  readEnd(answer: unknown, body: RequestBody): AnswerEnd;
  /** Makes the reader of one stream. @default streams of this endpoint are not read */
  chunkReader?: (() => ChunkReader) | undefined;
  /** Returns the body to send in place of the caller's; `undefined` leaves it unchanged. @default no change */
  changeBody?: ((body: RequestBody) => unknown) | undefined;
}

/** A path of an API that tells the outcome of requests that were made earlier. */
export interface LaterEndpoint {
  readonly verb: Verb;
  readonly path: RegExp;
  /**
   * Reads an answer, or one line of a file of results.
   *
   * @param path of the request
   * @returns nothing while the requests have not ended
   */
  readOutcome(answer: unknown, path: string): LaterOutcome | undefined;
}

/** The methods of a client that send a request. Those of its resources call them. */
export type Verb = 'get' | 'post';

/** What an answer tells of requests that were made earlier. */
export interface LaterOutcome {
  /** Identifies what is told, which counts once however often it is retrieved. */
  readonly id: string;
  readonly model: string | undefined;
  readonly operation: LlmOperation;
  readonly answer: AnswerEnd;
  /** The requests that it tells: one, or the numbers of a batch. @default none: the request was counted when it was made */
  readonly requests?: 'one' | { readonly succeeded: number; readonly failed: number } | undefined;
}

/** An SDK. */
export interface Sdk {
  /** The package's name, for warnings. */
  readonly name: string;
  /** The provider if the client has no base URL. */
  readonly provider: string;
  readonly endpoints: readonly Endpoint[];
  readonly laterEndpoints: readonly LaterEndpoint[];
  /** Names of the client's method that makes one attempt of a request. The first that exists is wrapped. */
  readonly attempt: readonly string[];
  readonly rateLimits: readonly RateLimitHeaders[];
  /** The static member that only the SDK's main class has. Classes for other platforms share a base class with it. */
  readonly mainStatic: string;
  /** The provider whose client it is, for an unknown address. */
  readPlatform(client: unknown): string | undefined;
}

/** The endpoint of a path, which may have a query, a host, and segments of a gateway or a deployment before it. */
export function findEndpoint<E extends { readonly path: string }>(
  endpoints: readonly E[],
  path: unknown,
): E | undefined {
  const name = bare(path);
  for (const endpoint of endpoints) {
    if (name.endsWith(endpoint.path) && isWhole(name, endpoint.path)) return endpoint;
  }
  return undefined;
}

/** The path without its query. */
export function bare(path: unknown): string {
  if (typeof path !== 'string') return '';
  const query = path.indexOf('?');
  return query < 0 ? path : path.slice(0, query);
}

function isWhole(name: string, path: string): boolean {
  return name.length === path.length || name.charAt(name.length - path.length - 1) === '/';
}

/** The classes of errors without a status. They are statics of a client's class, so they are known in minified programs too. */
const STATICS = [
  ['APIUserAbortError', 'cancelled'],
  ['APIConnectionTimeoutError', 'timeout'],
  ['APIConnectionError', 'connection'],
] as const;

const cached = new WeakMap<object, ErrorClasses>();

/** The classes of a client, the most special first. */
export function errorClassesOf(client: unknown): ErrorClasses {
  const made = read(client, 'constructor');
  if (typeof made !== 'function') return [];
  let classes = cached.get(made);
  if (classes === undefined) {
    classes = STATICS.map(([name, type]) => [read(made, name), type] as const);
    cached.set(made, classes);
  }
  return classes;
}
