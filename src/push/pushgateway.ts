/**
 * Sends the exposition of a registry to a Pushgateway: prom-client's class, with its arguments, answers and messages.
 * Depends on registries only through `metrics()`.
 */

import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { clearTimeout, setTimeout } from 'node:timers';
import { urlToHttpOptions } from 'node:url';
import { ConfigurationError, describe, EndpointError } from '../errors';
import { Registry } from '../registry/registry';
import type { RegistryContentType } from '../types';

/** The job and the other labels that name a group of metrics in a Pushgateway. */
export interface PushgatewayParameters {
  /** The value of the label `job`. */
  jobName: string;
  /** Further labels of the group; labels whose value is `undefined` or `null` are left out. @default {} */
  groupings?: { [name: string]: string };
}

/** Options of `new Pushgateway()`; the others go to `http.request()`, such as `agent`, `auth` and `headers`. */
export interface PushgatewayOptions {
  /** False to allow requests without `jobName`, for services that are only similar to a Pushgateway. @default true */
  requireJobName?: boolean;
  /**
   * Milliseconds that a connection may be silent, and that one request may take altogether, there at least 1000; 0 for
   * no limit.
   *
   * @default 30000
   */
  timeout?: number;
  [option: string]: unknown;
}

/** The answer of a Pushgateway, and its body as text. */
export interface PushgatewayAnswer {
  resp: IncomingMessage;
  body: string;
}

type Headers = Record<string, unknown>;

/** Options of a request, and the part of them that this module reads. */
interface RequestParameters {
  method: string;
  headers?: Headers;
}

const TIMEOUT_MS = 30_000;

/** A request may always take this long, as long as it makes progress: the shortest limits are meant for silence. */
const WHOLE_MS_MIN = 1000;

/** Limit of an answer's body, in characters. A Pushgateway answers with nothing or one line. */
const BODY_MAX = 1 << 20;

/** Pushes metrics to a Pushgateway, for jobs that end before they can be scraped. */
export class Pushgateway<_T extends RegistryContentType = RegistryContentType> {
  readonly registry: Registry;
  readonly gatewayUrl: string;
  readonly requireJobName: boolean;
  readonly requestOptions: Record<string, unknown>;

  /**
   * @param url the address of the Pushgateway, `http:` or `https:`, with a path if it has one
   * @param options options of the class and of `http.request()`, or the registry
   * @param registry the registry whose metrics are pushed; the default registry if missing
   */
  constructor(url: string, options?: PushgatewayOptions | Registry | null, registry?: Registry) {
    const isRegistry = options instanceof Registry;
    const { requireJobName = true, ...requestOptions } = (isRegistry ? {} : options) ?? {};
    this.registry = (isRegistry ? options : registry) ?? Registry.globalRegistry;
    this.gatewayUrl = url;
    this.requireJobName = requireJobName;
    this.requestOptions = requestOptions;
  }

  /**
   * Replaces the metrics of the group that have the same names (POST).
   *
   * @throws {ConfigurationError} `INVALID_CONFIG` at once for a missing `jobName`
   * @throws {EndpointError} `PUSH_FAILED` for an answer with status 300 or above, one that is incomplete or too large, or
   *   none in time; errors of the connection are Node.js' own
   */
  pushAdd(parameters?: PushgatewayParameters): Promise<PushgatewayAnswer> {
    return this.#send('POST', parameters);
  }

  /** Replaces all metrics of the group (PUT). Errors as in `pushAdd()`. */
  push(parameters?: PushgatewayParameters): Promise<PushgatewayAnswer> {
    return this.#send('PUT', parameters);
  }

  /** Deletes the group (DELETE). Errors as in `pushAdd()`. */
  delete(parameters?: PushgatewayParameters): Promise<PushgatewayAnswer> {
    return this.#send('DELETE', parameters);
  }

  #send(method: string, { jobName, groupings }: Partial<PushgatewayParameters> = {}): Promise<PushgatewayAnswer> {
    if (this.requireJobName && !jobName) {
      throw new ConfigurationError('INVALID_CONFIG', 'Missing jobName parameter');
    }
    return this.#request(method, jobName ? groupPath({ job: jobName, ...groupings }) : '');
  }

  async #request(method: string, group: string): Promise<PushgatewayAnswer> {
    const url = new URL(this.gatewayUrl);
    const isSecure = url.protocol === 'https:';
    if (!isSecure && url.protocol !== 'http:') {
      throw new ConfigurationError('INVALID_CONFIG', `Expected an http: or https: URL but received "${url.protocol}"`);
    }
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/metrics${group}`;
    const timeoutMs = checkedTimeout(this.requestOptions.timeout ?? TIMEOUT_MS);
    const options: RequestParameters = { ...this.requestOptions, method };
    const encoding = headerNamed(options, 'content-encoding');
    if (method === 'DELETE' && encoding !== undefined) {
      const { [encoding]: _, ...others } = options.headers as Headers;
      options.headers = others;
    }
    // Loaded here: most programs push nothing. Its function is read at each call, because tests replace it: by assigning
    // it, or by mocking the module under this name.
    // biome-ignore lint/style/useNodejsImportProtocol: Jest mocks `http` and `node:http` separately
    const http: typeof import('node:http') = isSecure ? require('https') : require('http');
    return exchange(
      (answered) => {
        const request = http.request(url, options as RequestOptions, answered);
        addOptions(url, options);
        return request;
      },
      method === 'DELETE' ? undefined : (request) => this.#body(request, options, encoding),
      timeoutMs,
    );
  }

  /** The body of a request; adds the header that describes it. */
  async #body(request: ClientRequest, options: RequestParameters, encoding?: string): Promise<string | Buffer> {
    const text = await this.registry.metrics();
    if (!request.headersSent && headerNamed(options, 'content-type') === undefined) {
      // The peers need no such method, so mocks of programs may lack it.
      request.setHeader?.('Content-Type', this.registry.contentType);
    }
    if (encoding === undefined || options.headers?.[encoding] !== 'gzip') return text;
    const zlib: typeof import('node:zlib') = require('node:zlib');
    return new Promise((resolve, reject) => {
      zlib.gzip(text, (error, bytes) => (error === null ? resolve(bytes) : reject(error)));
    });
  }
}

/** The names that prom-client has for options. */
export declare namespace Pushgateway {
  export type Options = PushgatewayOptions;
  export type Parameters = PushgatewayParameters;
}

/**
 * Adds the members of prom-client's argument of `http.request()`, one object with the parts of the URL and the options.
 * The successor's arguments are a URL and the options; mocks of programs read either. Called after the request has begun:
 * Node.js takes an object with a `path` for options.
 */
function addOptions(url: URL, options: RequestParameters): void {
  for (const [name, value] of Object.entries({ ...urlToHttpOptions(url), ...options })) {
    // The setters of other members, such as `host`, would change the URL.
    if (!(name in url)) Object.defineProperty(url, name, { value, enumerable: true });
  }
}

/** The name of a header as the program spelled it. */
function headerNamed({ headers = {} }: RequestParameters, wanted: string): string | undefined {
  return Object.keys(headers).find((name) => name.toLowerCase() === wanted);
}

/** The labels of a group as a path. `job` comes first. */
function groupPath(labels: Record<string, unknown>): string {
  const present = Object.entries(labels).filter(([, value]) => value !== undefined && value !== null);
  return present.map(([name, value]) => `/${encodeURIComponent(name)}${valuePath(String(value))}`).join('');
}

/** A path cannot hold these values otherwise: servers decode `%2F`, and clean `//`, `/./` and `/../` away. */
const NEEDS_BASE64 = /^\.{0,2}$|\//;

function valuePath(value: string): string {
  if (!NEEDS_BASE64.test(value)) return `/${encodeURIComponent(value.toWellFormed())}`;
  // A Pushgateway reads one padding character as the empty text.
  return `@base64/${Buffer.from(value).toString('base64url') || '='}`;
}

function checkedTimeout(timeout: unknown): number {
  if (typeof timeout === 'number' && timeout >= 0) return timeout;
  throw new ConfigurationError('INVALID_CONFIG', `Expected milliseconds for timeout but received ${describe(timeout)}`);
}

/** Sends one request and reads the answer. Settles in any case: the connection may be cut, and the server may be slow. */
function exchange(
  start: (answered: (resp: IncomingMessage) => void) => ClientRequest,
  bodyOf: ((request: ClientRequest) => Promise<string | Buffer>) | undefined,
  timeoutMs: number,
): Promise<PushgatewayAnswer> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    let timer: NodeJS.Timeout | undefined;
    const over = () => {
      clearTimeout(timer);
      isOver = true;
    };
    const fail = (error: Error) => {
      if (isOver) return;
      over();
      reject(error);
      request.destroy(error);
    };
    const timedOut = () => fail(refused('Pushgateway request timed out'));
    const request = start((resp) => {
      let text = '';
      resp.setEncoding('utf8');
      resp.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > BODY_MAX) fail(refused('Expected an answer of at most 1 MiB but received more'));
      });
      resp.on('end', () => {
        over();
        const status = resp.statusCode as number;
        if (status < 300) resolve({ resp, body: text });
        else reject(Object.assign(refused(`push failed with status ${status}, ${text}`), { status, body: text }));
      });
      const cut = () => fail(refused('Expected a complete answer but the connection was closed before its end'));
      resp.on('error', cut);
      resp.on('close', cut);
    });
    request.on('error', fail);
    request.on('timeout', timedOut);
    const end = (body?: string | Buffer) => {
      // What the program's own collectors took does not count. The socket keeps the process alive, not the timer. A mock
      // without `destroy()` has no time to lose.
      if (timeoutMs > 0 && !isOver && 'destroy' in request) {
        timer = setTimeout(timedOut, Math.max(timeoutMs, WHOLE_MS_MIN)).unref();
      }
      request.end(body);
    };
    if (bodyOf === undefined) end();
    else bodyOf(request).then(end).catch(fail);
  });
}

const refused = (message: string) => new EndpointError('PUSH_FAILED', message);
