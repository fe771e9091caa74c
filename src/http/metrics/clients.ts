/**
 * Records the requests that the program sends, through Node.js' diagnostics channels: those of `node:http` and `node:https`,
 * and those of `fetch` and undici. Owns the metrics of clients. A request lasts until its response has been received.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import { type Moment, now, secondsSince } from '../../clock';
import { CappedNames } from '../../labels/capped-names';
import { OTHER } from '../../labels/value';
import type { Counter } from '../../metrics/counter';
import type { Gauge } from '../../metrics/gauge';
import type { Histogram } from '../../metrics/histogram';
import { onFirstUse, type WithRecorder } from '../../on-first-use';
import { Registry } from '../../registry/registry';
import { classifyStatus, METHODS } from './recorder';

/** Most values of the `host` label; requests to further hosts are recorded as `other`. */
const MAX_HOSTS = 100;
/** Most addresses whose host is remembered. */
const MAX_ORIGINS = 1000;

/** Also above ten seconds, because answers of models take that long. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const LABELS = ['method', 'host', 'status_class'] as const;

type ClientLabel = (typeof LABELS)[number];

/** A request of the program. */
interface SentRequest {
  readonly method: string;
  readonly host: string;
  readonly start: Moment;
  /** The status of the response; undefined before its head has arrived. */
  status?: number;
  hasEnded: boolean;
}

class ClientRecorder {
  readonly #requests: Counter<ClientLabel>;
  readonly #seconds: Histogram<ClientLabel>;
  readonly #active: Gauge<'host'>;
  readonly #hosts = new CappedNames(MAX_HOSTS);
  readonly #hostOfOrigin = new Map<string, string>();
  readonly #sent = new WeakMap<object, SentRequest>();

  constructor(registry: Registry) {
    this.#requests = registry.counter({
      name: 'llmdevops_http_client_requests_total',
      help: 'HTTP requests of the program that have ended',
      labelNames: LABELS,
    });
    this.#seconds = registry.histogram({
      name: 'llmdevops_http_client_request_duration_seconds',
      help: 'Time from sending an HTTP request to the end of its response',
      labelNames: LABELS,
      buckets: BUCKETS,
    });
    this.#active = registry.gauge({
      name: 'llmdevops_http_client_active_requests',
      help: 'HTTP requests of the program that have not ended',
      labelNames: ['host'],
    });
  }

  /**
   * @param key the request's object
   * @param host its host, with a port that is not the protocol's
   * @param start when it was made
   * @returns false for a request that was begun before, even if it has ended since
   */
  begin(key: object, method: string, host: string, start = now()): boolean {
    if (this.#sent.has(key)) return false;
    const request: SentRequest = {
      method: METHODS.has(method) ? method : OTHER,
      host: this.#hosts.admit(host),
      start,
      hasEnded: false,
    };
    this.#sent.set(key, request);
    this.#active.inc({ host: request.host });
    return true;
  }

  answered(key: object, status: number): void {
    const request = this.#sent.get(key);
    if (request !== undefined) request.status = status;
  }

  /** @param complete whether the whole response has arrived */
  end(key: object, complete: boolean): void {
    const request = this.#sent.get(key);
    if (request === undefined || request.hasEnded) return;
    request.hasEnded = true;
    const { method, host, start, status } = request;
    const labels = { method, host, status_class: classify(status, complete) };
    this.#active.dec({ host });
    this.#requests.inc(labels);
    this.#seconds.observe(labels, secondsSince(start));
  }

  /** The host of an origin such as `https://api.example.com`; `other` if the origin is invalid. */
  hostOf(origin: string): string {
    let host = this.#hostOfOrigin.get(origin);
    if (host === undefined) {
      host = URL.canParse(origin) ? new URL(origin).host : OTHER;
      if (this.#hostOfOrigin.size < MAX_ORIGINS) this.#hostOfOrigin.set(origin, host);
    }
    return host;
  }
}

/** `error`: no response came. `aborted`: it broke off. */
function classify(status: number | undefined, complete: boolean): string {
  if (status === undefined) return 'error';
  return complete ? classifyStatus(status) : 'aborted';
}

/** Records the requests of the program in the default registry, from now on. Registers the metrics at the first request. */
export function watchClients(): void {
  const withRecorder = onFirstUse(() => new ClientRecorder(Registry.globalRegistry));
  watchNodeClients(withRecorder);
  watchUndici(withRecorder);
}

/** `res` is the response, once its head has arrived. */
interface NodeRequest extends ClientRequest {
  readonly res?: IncomingMessage;
}

function ended(recorder: ClientRecorder, request: NodeRequest): void {
  const { res: response } = request;
  const status = response?.statusCode;
  if (status !== undefined) recorder.answered(request, status);
  // After a response below 200 the connection belongs to the program.
  recorder.end(request, response?.complete === true || (status !== undefined && status < 200));
}

/**
 * The address that a request is sent to. Its `host` header may be what a client of a reverse proxy has written, so only the
 * port is taken from there, and only if the name is the same.
 */
function originOf(request: NodeRequest): string {
  const { protocol, host } = request;
  // The zone of an IPv6 address is a name of this machine's network.
  const name = isIPv6(host) ? `[${host.replace(/%.*/, '')}]` : host;
  const [, named, port = ''] = /^(.*?)(:\d{1,5})?$/.exec(String(request.getHeader('host') ?? '')) ?? [];
  return `${protocol}//${name}${named?.toLowerCase() === name.toLowerCase() ? port : ''}`;
}

function watchNodeClients(withRecorder: WithRecorder<ClientRecorder>): void {
  const begin = (request: NodeRequest, start?: Moment): void => {
    withRecorder((recorder) => {
      if (!recorder.begin(request, request.method, recorder.hostOf(originOf(request)), start)) return;
      const end = () => withRecorder((same) => ended(same, request));
      // A response may come, and the connection close, before the program has sent all of its request.
      if (request.closed) end();
      else request.once('close', end);
    });
  };
  // A request that fails to make a connection at once throws, and reports nothing more. Others get a socket, or close.
  subscribe('http.client.request.created', (message) => {
    const { request } = message as { request: NodeRequest };
    const start = now();
    const beginOnce = () => begin(request, start);
    request.once('socket', beginOnce).once('close', beginOnce);
  });
  // Node.js 20 has only this channel, which reports a request when it has been sent.
  subscribe('http.client.request.start', (message) => begin((message as { request: NodeRequest }).request));
}

function watchUndici(withRecorder: WithRecorder<ClientRecorder>): void {
  interface Message {
    readonly request: { readonly method: string; readonly origin: string | URL; readonly upgrade?: unknown };
    readonly response: { readonly statusCode: number };
  }
  const on = (name: string, use: (recorder: ClientRecorder, message: Message) => void): void => {
    subscribe(`undici:request:${name}`, (message) => withRecorder((recorder) => use(recorder, message as Message)));
  };
  on('create', (recorder, { request }) => {
    // undici does not report the end of a connection that it has handed over.
    if (request.upgrade || request.method === 'CONNECT') return;
    recorder.begin(request, request.method, recorder.hostOf(String(request.origin)));
  });
  on('headers', (recorder, { request, response }) => recorder.answered(request, response.statusCode));
  on('trailers', (recorder, { request }) => recorder.end(request, true));
  on('error', (recorder, { request }) => recorder.end(request, false));
}
