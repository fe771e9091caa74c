/**
 * Requests and responses of `node:http`, followed from the first to the end of the second: by whom they are recorded,
 * how many bytes went each way, how it ended. Knows no framework and no route.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Moment, now, secondsSince } from '../../clock';
import { classOf, type HttpRecorder, type MethodRecord, type StatusClass, UNMATCHED } from './recorder';

/** Finds the route of a request once its response has ended. */
export type RouteOf = (request: IncomingMessage, response: ServerResponse) => string | undefined;

/** Where a response keeps its exchange. */
const exchangeOf = Symbol('exchange');

interface FollowedResponse extends ServerResponse {
  [exchangeOf]?: Exchange;
}

/**
 * Records a request from now until its response has ended; once, however often it is called for the same response.
 *
 * @param routeOf the last one given counts
 */
export function follow(
  recorder: HttpRecorder,
  request: IncomingMessage,
  response: ServerResponse,
  routeOf: RouteOf,
): void {
  const followed: FollowedResponse = response;
  followed[exchangeOf] ??= new Exchange(request, response);
  followed[exchangeOf].observe(recorder, routeOf);
}

/** One recorder's view of an exchange. */
interface Observation {
  readonly recorder: HttpRecorder;
  readonly method: MethodRecord;
  readonly start: Moment;
  routeOf: RouteOf;
}

class Exchange {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #observations: Observation[] = [];
  #requestBytes: (() => number) | undefined;
  #responseBytes: (() => number) | undefined;
  #ended = false;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    response.on('finish', finished);
    response.on('close', closed);
    // A pipelined request's response gets its socket when its turn comes. If that never comes, it is told nothing.
    if (response.socket === null && isEmitter(request.socket)) {
      const end = () => this.end(false);
      request.socket.once('close', end);
      response.once('close', () => request.socket.removeListener('close', end));
    }
  }

  observe(recorder: HttpRecorder, routeOf: RouteOf): void {
    const known = this.#observations.find((observation) => observation.recorder === recorder);
    if (known !== undefined) known.routeOf = routeOf;
    if (known !== undefined || this.#ended) return;
    if (recorder.sizes) {
      this.#requestBytes ??= countReceived(this.#request);
      this.#responseBytes ??= countSent(this.#request, this.#response);
    }
    const method = recorder.begin(this.#request.method);
    this.#observations.push({ recorder, method, start: now(), routeOf });
    // The client may have gone while whatever stands before the recorder was busy.
    if (this.#response.destroyed || this.#response.writableFinished) this.end(this.#response.writableFinished);
  }

  end(finished: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    const statusClass = outcomeOf(this.#request, this.#response, finished);
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

/** HTTP/2's response says that it has finished also where its stream was reset. */
interface ResponseOfStream {
  readonly stream?: { readonly rstCode?: number };
}

function outcomeOf(request: IncomingMessage, response: ServerResponse, finished: boolean): StatusClass {
  const { stream } = response as ResponseOfStream;
  const complete = request.httpVersionMajor < 2 ? finished : response.writableEnded && stream?.rstCode === 0;
  if (complete) return classOf(response.statusCode);
  // Whoever took the connection over has answered on it himself.
  const { upgrade } = request as IncomingMessage & { upgrade?: boolean };
  return upgrade === true && !response.headersSent ? '1xx' : 'aborted';
}

function isEmitter(socket: unknown): boolean {
  return typeof (socket as { once?: unknown } | null)?.once === 'function';
}

/** Counts a request's body as it comes, without reading it in the application's place. */
function countReceived(request: IncomingMessage): () => number {
  const length = request.headers['content-length'];
  // HTTP/2 needs neither header.
  const announced = request.headers['transfer-encoding'] !== undefined || request.httpVersionMajor >= 2;
  if (!announced && (length === undefined || length === '0')) return none;
  let received = request.readableLength;
  const { push } = request;
  request.push = (chunk: Uint8Array | null, ...rest) => {
    received += chunk?.length ?? 0;
    return push.call(request, chunk, ...rest);
  };
  // What the application leaves unread Node.js throws away uncounted; a complete body is as long as it said.
  return () => (request.complete && length !== undefined ? Number(length) : received);
}

/** Counts a response's body as it is written: after compression, and without the framing of chunks. */
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
    // HTTP/2's calls `write()`, HTTP/1's does not.
    ending = true;
    try {
      return end.apply(response, args as Parameters<typeof end>);
    } finally {
      ending = false;
    }
  };
  return () => (isBodiless(request.method, response.statusCode) ? 0 : sent);
}

/** Whether Node.js sends no body, whatever is written. */
function isBodiless(method: string | undefined, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304 || status < 200;
}

function sizeOf(chunk: unknown, encoding: unknown): number {
  if (typeof chunk === 'string') {
    return Buffer.byteLength(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8');
  }
  return chunk instanceof Uint8Array ? chunk.byteLength : 0;
}

function none(): number {
  return 0;
}
