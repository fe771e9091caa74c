/**
 * A scrape on its way into the core and out of it: what a scraper may ask for, and what it gets.
 */
import { ConfigurationError, describe } from '../errors';
import type { Answer } from '../native/addon';

/** A scrape, as a scraper asks for it. */
export interface ScrapeOptions {
  /** The `Accept` header. */
  accept?: string | undefined;
  /** The `Accept-Encoding` header. */
  acceptEncoding?: string | undefined;
  /** Only these families; all where it is empty. */
  names?: readonly string[] | undefined;
  /** How long collectors may take. @default 10000 */
  timeoutMs?: number | undefined;
  /**
   * The default registry of the main thread shows the whole process: its own values and those of all worker threads.
   * A worker's shows its own, unless it asks for the process.
   */
  scope?: 'process' | 'own' | undefined;
}

/** The answer to a scrape. */
export interface ScrapeResponse {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: Buffer;
}

/** @throws {ConfigurationError} `INVALID_CONFIG` for options that are none; `timeoutMs` is checked where it is used */
export function checkScrapeOptions(options: ScrapeOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new ConfigurationError('INVALID_CONFIG', `Expected options but received ${describe(options)}`);
  }
  checkHeader('accept', options.accept);
  checkHeader('acceptEncoding', options.acceptEncoding);
  checkScope(options.scope);
}

/** @throws {ConfigurationError} `INVALID_CONFIG` for what is no scope */
export function checkScope(scope: unknown): void {
  if (scope === undefined || scope === 'process' || scope === 'own') return;
  throw new ConfigurationError(
    'INVALID_CONFIG',
    `Expected 'process' or 'own' for scope but received ${describe(scope)}`,
  );
}

function checkHeader(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'string') return;
  throw new ConfigurationError('INVALID_CONFIG', `Expected a string for ${name} but received ${describe(value)}`);
}

/** The answer as it is handed out. */
export function toResponse({ status, headers, body }: Answer): ScrapeResponse {
  return { status, headers: toHeaders(headers), body: body.take() };
}

/** Headers from names and values in turn. @internal */
export function toHeaders(flat: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let at = 0; at < flat.length; at += 2) headers[flat[at]] = flat[at + 1];
  return headers;
}
