/**
 * Reads an exposition from a URL, a file or the standard input, within a time and a size.
 */
import { createReadStream } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { api } from '../realm';
import type { Exposition, ExpositionFormat } from '../testing/parse';
import { CommandError, numberOf, textOf, textsOf, type Values } from './values';

export interface Source {
  /** The URL without credentials, the file, or `stdin`. */
  readonly name: string;
  readonly body: Uint8Array;
  /** By the content type; undefined if it must be guessed. */
  readonly format: ExpositionFormat | undefined;
  /** Of a URL only: seconds until the whole body was there, and the content type (`''` if missing). */
  readonly scrape?: { readonly seconds: number; readonly contentType: string };
}

const TEXT = 'text/plain;version=0.0.4';
const OPENMETRICS = 'application/openmetrics-text;version=1.0.0';
const ACCEPT: Readonly<Record<string, string>> = {
  '': `${OPENMETRICS};q=0.7,${TEXT};q=0.5,*/*;q=0.1`,
  text: `${TEXT},*/*;q=0.1`,
  openmetrics: `${OPENMETRICS},*/*;q=0.1`,
};
const REDIRECTS_MAX = 5;
const MAX_BYTES = 33_554_432;

export async function readSource(target: string, values: Values): Promise<Source> {
  const maxBytes = numberOf(values, 'max-bytes', MAX_BYTES, 1);
  if (/^https?:\/\//i.test(target)) return scrape(target, values, maxBytes);
  const name = target === '-' ? 'stdin' : target;
  try {
    const body = await readAll(target === '-' ? process.stdin : createReadStream(target), maxBytes);
    return { name, body, format: undefined };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const hint = code === 'ENOENT' && /^[\w.-]+(?::\d+|\/)/.test(target) ? `; for a URL, write http://${target}` : '';
    throw new CommandError(`Expected to read ${name} but failed: ${(error as Error).message}${hint}`);
  }
}

/** @throws {ExpositionError} for an invalid exposition */
export function parsed({ body, format }: Source, strict: boolean): Exposition {
  return api.testing().parseExposition(body, format === undefined ? { strict } : { format, strict });
}

/** @throws {CommandError} for an invalid exposition */
export async function readExposition(target: string, values: Values): Promise<Exposition> {
  const source = await readSource(target, values);
  try {
    return parsed(source, false);
  } catch (error) {
    throw new CommandError(`${source.name}: ${(error as Error).message}`);
  }
}

/** A source as messages show it: a URL has no credentials. */
export function nameOf(target: string): string {
  if (!/^https?:\/\//i.test(target) || !URL.canParse(target)) return target;
  return Object.assign(new URL(target), { username: '', password: '' }).href;
}

async function scrape(target: string, values: Values, maxBytes: number): Promise<Source> {
  const timeout = numberOf(values, 'timeout', 10, 0.001);
  const { url, headers } = request(target, values);
  const signal = AbortSignal.timeout(Math.min(timeout * 1000, 2 ** 31 - 1));
  const start = performance.now();
  const name = nameOf(target);
  try {
    const response = await follow(url, headers, { signal, rejectUnauthorized: values.insecure !== true });
    const body = await bodyOf(response, maxBytes);
    const contentType = response.headers['content-type'] ?? '';
    return {
      name,
      body,
      format: formatOf(contentType),
      scrape: { seconds: (performance.now() - start) / 1000, contentType },
    };
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    const why = signal.aborted ? `no complete answer within ${timeout} s (--timeout)` : message || code;
    throw new CommandError(`Expected to scrape ${name} but failed: ${why}`);
  }
}

function request(target: string, values: Values): { url: URL; headers: http.OutgoingHttpHeaders } {
  const format = textOf(values, 'format') ?? '';
  if (!Object.hasOwn(ACCEPT, format)) {
    throw new CommandError(`Expected text or openmetrics for --format but received ${JSON.stringify(format)}`);
  }
  if (!URL.canParse(target)) throw new CommandError(`Expected a URL but received ${JSON.stringify(target)}`);
  const headers: http.OutgoingHttpHeaders = { accept: ACCEPT[format], 'accept-encoding': 'gzip' };
  for (const header of textsOf(values, 'header')) {
    const [, name, value] = /^([\w!#$%&'*+.^`|~-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/.exec(header) ?? [];
    if (name === undefined) throw new CommandError("Expected 'name: value' for --header, with a valid name and value");
    headers[name.toLowerCase()] = value;
  }
  return { url: new URL(target), headers };
}

async function follow(
  url: URL,
  headers: http.OutgoingHttpHeaders,
  options: https.RequestOptions,
  left = REDIRECTS_MAX,
): Promise<http.IncomingMessage> {
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    const { get } = url.protocol === 'https:' ? https : http;
    // Without an agent, no idle connection keeps the process alive.
    get(url, { ...options, headers, agent: false }, resolve).on('error', reject);
  });
  const { statusCode = 0, statusMessage = '' } = response;
  if (statusCode === 200) return response;
  response.destroy();
  const { location } = response.headers;
  if (statusCode < 300 || statusCode >= 400 || location === undefined) {
    const hint = statusCode === 401 ? '; give credentials in the URL or with --header' : '';
    throw new Error(`HTTP ${statusCode} ${statusMessage}${hint}`);
  }
  if (left === 0) throw new Error(`more than ${REDIRECTS_MAX} redirects`);
  const next = new URL(location, url);
  if (!/^https?:$/.test(next.protocol)) throw new Error(`a redirect to ${next.protocol}`);
  const isSame = next.origin === url.origin;
  if (isSame) [next.username, next.password] = [url.username, url.password];
  // Another server must not see credentials.
  const { accept, 'accept-encoding': encoding } = headers;
  return follow(next, isSame ? headers : { accept, 'accept-encoding': encoding }, options, left - 1);
}

function bodyOf(response: http.IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const type = response.headers['content-type'] ?? '';
  if (/\b(?:html|json|protobuf)\b/.test(type)) {
    response.destroy();
    throw new Error(`Expected an exposition but received ${type}; the path is often /metrics`);
  }
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return readAll(response, maxBytes);
  if (encoding !== 'gzip') throw new Error(`unknown content encoding ${encoding}`);
  // The reader of the last stream gets the errors of both.
  return readAll(
    pipeline(response, createGunzip(), () => {}),
    maxBytes,
  );
}

async function readAll(stream: Readable, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > maxBytes) throw new Error(`more than ${maxBytes} bytes (--max-bytes)`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function formatOf(contentType: string): ExpositionFormat | undefined {
  if (contentType.startsWith('application/openmetrics-text')) return 'openmetrics';
  return contentType.startsWith('text/plain') ? 'text' : undefined;
}
