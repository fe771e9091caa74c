/**
 * What is asked of an SDK's endpoints: how a whole answer and a stream's chunks are read. Each SDK says it for its own; the
 * machinery that both share knows nothing else of them.
 */
import type { LlmEnd } from '../../collectors/llm/request';
import type { LlmOperation, MediaUnit } from '../../collectors/words';
import type { RateLimitHeaders } from '../rate-limits';

/** How a request ended, as its answer says. */
export interface Answered {
  readonly end: LlmEnd;
  /** What went wrong, where an answer of status 200 says that something did: a word or an error's fields. */
  readonly failure?: unknown;
  /** Images, seconds of audio or characters. */
  readonly media?: { readonly unit: MediaUnit; readonly amount: number } | undefined;
}

/** Reads one stream. */
export interface Reading {
  /**
   * Takes a chunk.
   *
   * @returns whether it has content: one that only names a role, or the usage, has none
   */
  chunk(chunk: unknown): boolean;
  /** Whether the answer is complete, whatever comes after. */
  readonly complete: boolean;
  /** What is known of the answer so far. */
  answered(): Answered;
}

/** How an endpoint is called and answers. */
export interface Endpoint {
  /** Where it is on a client, `chat.completions`; the class has the resource at `Chat.Completions`. */
  readonly resource: string;
  readonly method: string;
  readonly operation: LlmOperation;
  /** Reads a whole answer. */
  answered(answer: unknown, body: Readonly<Record<string, unknown>>): Answered;
  /** Reads a stream. @default streams of this endpoint are not read */
  reading?: (() => Reading) | undefined;
  /** What is asked in place of what the user asks. @default nothing */
  asking?: ((body: Readonly<Record<string, unknown>>) => unknown) | undefined;
}

/** An SDK. */
export interface Sdk {
  /** As warnings name it. */
  readonly name: string;
  /** Who answers where the client names no address. */
  readonly provider: string;
  readonly endpoints: readonly Endpoint[];
  /** Methods of the client, the first of which that is there makes one attempt of a request. */
  readonly attempt: readonly string[];
  readonly rateLimits: readonly RateLimitHeaders[];
}
