/**
 * Converts requests of `node:http` for a door, and a door's bodies to streams. Must not know any framework.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { addon, type NativeBody } from '../native/addon';
import type { Deliveries, Delivery } from './deliveries';
import type { DoorRequest } from './door';
import { onSocketEnd } from './metrics/socket-end';
import { piecesOf } from './pieces';
import type { Place } from './place';

/**
 * Converts a request of `node:http`.
 *
 * @param target path and query as the client sent them, if a framework has changed them
 */
export function doorRequest(request: IncomingMessage, target: string = request.url ?? '/', place?: Place): DoorRequest {
  return {
    method: request.method ?? 'GET',
    target,
    place,
    peer: request.socket?.remoteAddress,
    isMisaddressed: hasHosts(request),
    header: (name) => {
      const value = request.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    headers: () => request.headers,
  };
}

/** True for several `Host` headers, of which Node.js shows the first. */
function hasHosts({ rawHeaders = [] }: IncomingMessage): boolean {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at].toLowerCase() === 'host') hosts++;
  return hosts > 1;
}

/**
 * Watches a response until the client has read it or has left. A client that takes too long is disconnected. The body's
 * memory is freed at the end.
 *
 * @param ended called once, at the end
 */
export function watch(
  deliveries: Deliveries,
  response: ServerResponse,
  body: Buffer | NativeBody,
  ended: () => void = () => {},
): Delivery {
  // The response of a pipelined request has no socket before its turn, and no event if that turn never comes.
  const socket = response.socket === null ? response.req?.socket : undefined;
  let forget = (): void => {};
  let isOver = false;
  const over = (): void => {
    if (isOver) return;
    isOver = true;
    delivery.end();
    // Not chained: responses of test kits return nothing.
    response.removeListener('finish', over);
    response.removeListener('close', over);
    forget();
    release(body);
    ended();
  };
  const delivery = deliveries.begin(body instanceof addon.NativeBody, () => {
    over();
    response.destroy();
  });
  response.once('finish', over);
  response.once('close', over);
  if (socket !== undefined && socket !== null) forget = onSocketEnd(socket, over);
  return delivery;
}

/**
 * A body for frameworks that send a `Buffer` or a stream. Empty for HEAD, whose headers have the length.
 *
 * @param response undefined in tests that call a middleware with a context of their own
 */
export function sendable(
  method: string,
  body: Buffer | NativeBody,
  deliveries: Deliveries,
  response: ServerResponse | undefined,
): Buffer | Readable {
  if (method === 'HEAD') {
    release(body);
    return Buffer.alloc(0);
  }
  if (!(body instanceof addon.NativeBody)) {
    if (response !== undefined) watch(deliveries, response, body);
    return body;
  }
  const delivery = response && watch(deliveries, response, body, () => stream.destroy());
  let isPiped = false;
  // True if the response was the only reader of the pieces, and has sent them.
  const isSent = (): boolean =>
    isPiped && stream.listenerCount('data') === 1 && stream.readableLength === 0 && hasSentAll(response);
  const stream = Readable.from(piecesOf(body, delivery?.moved ?? (() => {}), isSent), { objectMode: false });
  response?.once('pipe', (source) => {
    isPiped = source === stream;
  });
  // If the stream is destroyed before it is read, the generator never starts, and its `finally` does not run.
  return stream.once('close', () => release(body));
}

/**
 * True if everything that was written to a response is with the system. False if it cannot be known: middleware may have
 * replaced `write()`, to compress for example, and keep what it gets.
 */
export function hasSentAll(response: ServerResponse | undefined): boolean {
  if (response === undefined || response.writableLength !== 0 || !isGenuine(response)) return false;
  const { socket } = response;
  // A stream without a handle of the system may keep what it gets.
  return socket !== null && isGenuine(socket) && hasHandle(socket);
}

/** True for a socket of the system. */
function hasHandle(socket: object): boolean {
  const handle: unknown = Reflect.get(socket, '_handle');
  return typeof handle === 'object' && handle !== null;
}

/** True if `write()` and `writableLength` of a stream are of one class. */
function isGenuine(stream: object): boolean {
  let owner: object | null = stream;
  while (owner !== null && !Object.hasOwn(owner, 'write')) owner = Object.getPrototypeOf(owner);
  return owner !== null && Object.hasOwn(owner, 'writableLength');
}

/** A body for a `Response`; null for HEAD. @param outgoing the response of `node:http` beneath, if there is one */
export function fetchBody(
  method: string,
  body: Buffer | NativeBody,
  deliveries: Deliveries,
  outgoing: ServerResponse | undefined,
): Buffer | ReadableStream<Uint8Array> | null {
  if (method === 'HEAD') {
    release(body);
    return null;
  }
  // An error of the stream would be logged, and clients could cause any number of them.
  const node = outgoing && watch(deliveries, outgoing, body);
  if (!(body instanceof addon.NativeBody)) return body;
  let fail = (): void => {};
  const stop = (): void => {
    release(body);
    fail();
  };
  const delivery = node ?? deliveries.begin(true, stop);
  const pieces = piecesOf(body, delivery.moved)[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        fail = () => controller.error(new Error('The client has not read the exposition in time'));
      },
      pull: async (controller) => {
        const { done, value } = await pieces.next();
        if (!done) return controller.enqueue(value);
        delivery.end();
        controller.close();
      },
      cancel: async () => {
        delivery.end();
        await pieces.return?.();
        release(body);
      },
    },
    // Copy a piece only when it is requested, to save memory.
    { highWaterMark: 0 },
  );
}

/** Frees native memory. May be called more than once. */
export function release(body: Buffer | NativeBody): void {
  if (body instanceof addon.NativeBody) body.release();
}
