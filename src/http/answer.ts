/**
 * Converts requests of `node:http` for a door, and a door's bodies to streams. Must not know any framework.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { addon, type NativeBody } from '../native/addon';
import type { Deliveries } from './deliveries';
import { type DoorRequest, piecesOf } from './door';
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
): void {
  // The response of a pipelined request has no socket before its turn, and no event if that turn never comes.
  const socket = response.socket === null ? response.req?.socket : undefined;
  let isOver = false;
  const over = (): void => {
    if (isOver) return;
    isOver = true;
    end();
    response.removeListener('finish', over).removeListener('close', over);
    socket?.removeListener('close', over);
    release(body);
    ended();
  };
  const end = deliveries.begin(body instanceof addon.NativeBody, () => {
    over();
    response.destroy();
  });
  response.once('finish', over).once('close', over);
  socket?.once('close', over);
}

/** A body for frameworks that send a `Buffer` or a stream. Empty for HEAD, whose headers have the length. */
export function sendable(
  method: string,
  body: Buffer | NativeBody,
  deliveries: Deliveries,
  response: ServerResponse,
): Buffer | Readable {
  if (method === 'HEAD') {
    release(body);
    return Buffer.alloc(0);
  }
  if (!(body instanceof addon.NativeBody)) {
    watch(deliveries, response, body);
    return body;
  }
  const stream = Readable.from(piecesOf(body), { objectMode: false });
  // If the stream is destroyed before it is read, the generator never starts, and its `finally` does not run.
  stream.once('close', () => release(body));
  watch(deliveries, response, body, () => stream.destroy());
  return stream;
}

/** A body for a `Response`; null for HEAD. */
export function fetchBody(
  method: string,
  body: Buffer | NativeBody,
  deliveries: Deliveries,
): Buffer | ReadableStream<Uint8Array> | null {
  if (method === 'HEAD') {
    release(body);
    return null;
  }
  if (!(body instanceof addon.NativeBody)) return body;
  const pieces = piecesOf(body)[Symbol.asyncIterator]();
  let end = (): void => {};
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        end = deliveries.begin(true, () => {
          release(body);
          controller.error(new Error('The client has not read the exposition in time'));
        });
      },
      pull: async (controller) => {
        const { done, value } = await pieces.next();
        if (!done) return controller.enqueue(value);
        end();
        controller.close();
      },
      cancel: async () => {
        end();
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
