/**
 * Types that describe an SDK and its endpoints: where a method is on the client, and how its answer and its stream are
 * read. `openai` and `anthropic` each implement them; the rest of this folder knows an SDK only by these types.
 */
import type { LlmEnd } from '../../collectors/llm/request';
import type { LlmOperation } from '../../collectors/words';
import type { RateLimitHeaders } from '../rate-limits';

/** The body of a request, as the caller passed it. */
export type RequestBody = Readonly<Record<string, unknown>>;

/** How a request ended, read from its answer. */
export interface AnswerEnd {
  readonly end: LlmEnd;
  /** Set if the answer has status 200 and still reports a failure: an error type, or an object with an error's fields. */
  readonly failure?: unknown;
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

/** A method of an SDK that calls a model. */
export interface Endpoint {
  /** Its place on a client, such as `chat.completions`; on the class the resource is `Chat.Completions`. */
  readonly resource: string;
  readonly method: string;
  readonly operation: LlmOperation;
  /** Reads a whole answer. */
  readEnd(answer: unknown, body: RequestBody): AnswerEnd;
  /** Makes the reader of one stream. @default streams of this endpoint are not read */
  chunkReader?: (() => ChunkReader) | undefined;
  /** Returns the body to send in place of the caller's; `undefined` leaves it unchanged. @default no change */
  changeBody?: ((body: RequestBody) => unknown) | undefined;
}

/** An SDK. */
export interface Sdk {
  /** The package's name, for warnings. */
  readonly name: string;
  /** The provider if the client has no base URL. */
  readonly provider: string;
  readonly endpoints: readonly Endpoint[];
  /** Names of the client's method that makes one attempt of a request. The first that exists is wrapped. */
  readonly attempt: readonly string[];
  readonly rateLimits: readonly RateLimitHeaders[];
}
