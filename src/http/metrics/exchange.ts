/**
 * Follows a request of `node:http` to the end of its response, counts the bytes of both bodies, and reports the outcome to
 * its recorders. Must not know any framework or route.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { types } from 'node:util';
import { type Moment, now, secondsSince } from '../../clock';
import { classifyStatus, type HttpRecorder, type MethodRecord, type StatusClass, UNMATCHED } from './recorder';
import { onSocketEnd } from './socket-end';

/** Finds the route of a request, after its response has ended. */
export type RouteOf = (request: IncomingMessage, response: ServerResponse) => string | undefined;

/** The property of a response that holds its exchange. */
const exchangeOf = Symbol('exchange');

interface FollowedResponse extends ServerResponse {
  [exchangeOf]?: Exchange;
}

/**
 * Records a request from now until its response has ended, unless the recorder ignores it. Repeated calls for one response
 * and recorder record it once. If several recorders have the same metrics, the last one that does not yield records it.
 *
 * @param target the request's target as the client sent it; frameworks change `request.url`
 * @param routeOf replaces the function of an earlier call
 */
export function follow(
  recorder: HttpRecorder,
  request: IncomingMessage,
  response: ServerResponse,
  target: string | undefined,
  routeOf: RouteOf,
): void {
  const followed: FollowedResponse = response;
  if (recorder.ignores(request.method, target)) {
    followed[exchangeOf]?.ignore(recorder);
    return;
  }
  followed[exchangeOf] ??= new Exchange(request, response);
  followed[exchangeOf].observe(recorder, routeOf);
}

/** One recorder of an exchange. */
interface Observation {
  readonly recorder: HttpRecorder;
  readonly method: MethodRecord;
  readonly start: Moment;
  routeOf: RouteOf;
}

class Exchange {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #observations: readonly Observation[] = [];
  /** Recorders that ignore this request: one with the same metrics that yields must not record it either. */
  readonly #ignoring: HttpRecorder[] = [];
  #requestBytes: (() => number) | undefined;
  #responseBytes: (() => number) | undefined;
  #ended = false;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    response.on('finish', finished);
    response.on('close', closed);
    // The response of a pipelined request has no socket before its turn. If its turn never comes, it emits no event, so
    // listen to the request's socket.
    if (response.socket === null && isEmitter(request.socket)) {
      const end = () => this.end(false);
      const forget = onSocketEnd(request.socket, end);
      response.once('finish', forget).once('close', forget);
    }
  }

  observe(recorder: HttpRecorder, routeOf: RouteOf): void {
    const known = this.#observations.find((observation) => observation.recorder === recorder);
    if (known !== undefined) known.routeOf = routeOf;
    if (known !== undefined || this.#ended || this.#mustYield(recorder)) return;
    this.#leave(recorder);
    if (recorder.sizes) {
      this.#requestBytes ??= countReceived(this.#request);
      this.#responseBytes ??= countSent(this.#request, this.#response);
    }
    const method = recorder.begin(this.#request.method);
    this.#observations = [...this.#observations, { recorder, method, start: now(), routeOf }];
    // The client may have disconnected while middleware before the recorder was running.
    if (this.#response.destroyed || this.#response.writableFinished) this.end(this.#response.writableFinished);
  }

  ignore(recorder: HttpRecorder): void {
    this.#ignoring.push(recorder);
    this.#leave(recorder);
  }

  #mustYield(recorder: HttpRecorder): boolean {
    if (!recorder.yields) return false;
    const others = [...this.#ignoring, ...this.#observations.map((observation) => observation.recorder)];
    return others.some((other) => other.hasMetricsOf(recorder));
  }

  /** Ends what other recorders with the same metrics have begun. */
  #leave(recorder: HttpRecorder): void {
    if (this.#ended || this.#observations.length === 0) return;
    const left = this.#observations.filter((observation) => observation.recorder.hasMetricsOf(recorder));
    for (const { recorder: other, method } of left) other.leave(method);
    this.#observations = this.#observations.filter((observation) => !left.includes(observation));
  }

  end(finished: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    const statusClass = classifyOutcome(this.#request, this.#response, finished);
    const requestBytes = this.#requestBytes?.();
    const responseBytes = this.#responseBytes?.();
    for (const { recorder, method, start, routeOf } of this.#observations) {
      const route = recorder.guarded('route', () => routeOf(this.#request, this.#response)) || UNMATCHED;
      const seconds = secondsSince(start);
      recorder.end(method, { route, statusClass, seconds, requestBytes, responseBytes });
    }
  }
}

function finished(this: FollowedResponse): void {
  this[exchangeOf]?.end(true);
}

function closed(this: FollowedResponse): void {
  this[exchangeOf]?.end(this.writableFinished);
}

/** An HTTP/2 response emits `finish` even if its stream was reset; `rstCode` tells. */
interface ResponseOfStream {
  readonly stream?: { readonly rstCode?: number };
}

function classifyOutcome(request: IncomingMessage, response: ServerResponse, finished: boolean): StatusClass {
  const { stream } = response as ResponseOfStream;
  const complete = request.httpVersionMajor < 2 ? finished : response.writableEnded && stream?.rstCode === 0;
  if (complete) return classifyStatus(response.statusCode);
  // After an upgrade, other code has taken the connection over and answered on it.
  const { upgrade } = request as IncomingMessage & { upgrade?: boolean };
  return upgrade === true && !response.headersSent ? '1xx' : 'aborted';
}

function isEmitter(socket: unknown): boolean {
  return typeof (socket as { once?: unknown } | null)?.once === 'function';
}

/** Counts the bytes of a request's body as they arrive, without reading the body itself. */
function countReceived(request: IncomingMessage): () => number {
  const length = request.headers['content-length'];
  // An HTTP/2 request may have a body without either header.
  const announced = request.headers['transfer-encoding'] !== undefined || request.httpVersionMajor >= 2;
  if (!announced && (length === undefined || length === '0')) return zero;
  let received = request.readableLength;
  const { push } = request;
  request.push = (chunk: Uint8Array | null, ...rest) => {
    received += chunk?.length ?? 0;
    return push.call(request, chunk, ...rest);
  };
  // Node.js discards a body that the application does not read, so it is not counted. For a complete body, the
  // `content-length` is its length.
  return () => (request.complete && length !== undefined ? Number(length) : received);
}

/** Counts the bytes of a response's body as they are written: after compression, without the framing of chunks. */
function countSent(request: IncomingMessage, response: ServerResponse): () => number {
  let sent = 0;
  let ending = false;
  const { write, end } = response;
  response.write = (...args: unknown[]) => {
    if (!ending && !response.writableEnded) sent += sizeOf(args[0], args[1]);
    return write.apply(response, args as Parameters<typeof write>);
  };
  response.end = (...args: unknown[]) => {
    if (!response.writableEnded) sent += sizeOf(args[0], args[1]);
    // end() of HTTP/2 calls write(), that of HTTP/1 does not: do not count the chunk twice.
    ending = true;
    try {
      return end.apply(response, args as Parameters<typeof end>);
    } finally {
      ending = false;
    }
  };
  return () => (isBodiless(request.method, response.statusCode) ? 0 : sent);
}

/** True if Node.js never sends a body for this method or status. */
function isBodiless(method: string | undefined, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304 || status < 200;
}

function sizeOf(chunk: unknown, encoding: unknown): number {
  if (typeof chunk === 'string') {
    return Buffer.byteLength(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8');
  }
  return types.isUint8Array(chunk) ? chunk.byteLength : 0;
}

function zero(): number {
  return 0;
}
