/**
 * Declares the options and the response of a scrape; checks the first and converts the second.
 */
import { ConfigurationError, describe } from '../errors';
import type { Answer } from '../native/addon';
import { checkOptionNames, optionNames } from '../options';

/** Options of a scrape. */
export interface ScrapeOptions {
  /** The `Accept` header of the request. @default text 0.0.4 */
  accept?: string | undefined;
  /** The `Accept-Encoding` header of the request. @default no compression */
  acceptEncoding?: string | undefined;
  /** Names of the families to show; an empty list shows all. @default [] */
  names?: readonly string[] | undefined;
  /** Milliseconds that collectors may take, above 0. @default 10000 */
  timeoutMs?: number | undefined;
  /**
   * `process` shows all threads, and all processes after `shareProcesses()`; `own` only this thread. Only the default
   * registry can show more than its thread.
   *
   * @default 'process' in the main thread, 'own' in a worker thread
   */
  scope?: 'process' | 'own' | undefined;
}

const OPTIONS = optionNames<ScrapeOptions>('scrape', {
  accept: true,
  acceptEncoding: true,
  names: true,
  timeoutMs: true,
  scope: true,
});

/** The answer to a scrape. */
export interface ScrapeResponse {
  status: number;
  /** Headers by name in lower case. */
  headers: Record<string, string>;
  body: Buffer;
}

/** Checks all options but `timeoutMs`. @throws {ConfigurationError} `INVALID_CONFIG` */
export function checkScrapeOptions(options: ScrapeOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new ConfigurationError('INVALID_CONFIG', `Expected options but received ${describe(options)}`);
  }
  checkOptionNames(options, OPTIONS);
  checkHeader('accept', options.accept);
  checkHeader('acceptEncoding', options.acceptEncoding);
  checkScope(options.scope);
}

/** @throws {ConfigurationError} `INVALID_CONFIG` for an unknown scope */
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

/** Converts the core's answer to a response. */
export function toResponse({ status, headers, body }: Answer): ScrapeResponse {
  return { status, headers: toHeaders(headers), body: body.take() };
}

/** Converts headers given as names and values in turn. @internal */
export function toHeaders(flat: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let at = 0; at < flat.length; at += 2) headers[flat[at]] = flat[at + 1];
  return headers;
}
