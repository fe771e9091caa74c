/**
 * What the doors of frameworks share: requests of `node:http` as a door takes them, and bodies as streams. Knows no
 * framework.
 */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { addon, type NativeBody } from '../native/addon';
import { type DoorRequest, piecesOf } from './door';

/** A request of `node:http`. @param target where it is not the request's own */
export function doorRequest(request: IncomingMessage, target: string = request.url ?? '/'): DoorRequest {
  return {
    method: request.method ?? 'GET',
    target,
    peer: request.socket?.remoteAddress,
    header: (name) => {
      const value = request.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    headers: () => request.headers,
  };
}

/** A body for a response that sends a `Buffer` or a stream; empty for HEAD, whose headers tell the length. */
export function sendable(method: string, body: Buffer | NativeBody): Buffer | Readable {
  if (method === 'HEAD') {
    release(body);
    return Buffer.alloc(0);
  }
  if (!(body instanceof addon.NativeBody)) return body;
  const stream = Readable.from(piecesOf(body), { objectMode: false });
  // A stream that is destroyed before it was read has not begun with the pieces, and would not end them.
  return stream.once('close', () => release(body));
}

/** A body for a `Response`; none for HEAD. */
export function fetchBody(method: string, body: Buffer | NativeBody): Buffer | ReadableStream<Uint8Array> | null {
  if (method === 'HEAD') {
    release(body);
    return null;
  }
  if (!(body instanceof addon.NativeBody)) return body;
  const pieces = piecesOf(body)[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const { done, value } = await pieces.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: async () => {
        await pieces.return?.();
        release(body);
      },
    },
    // The memory of a piece that nobody has asked for is better left where it is.
    { highWaterMark: 0 },
  );
}

/** Gives native memory back; once or more often. */
function release(body: Buffer | NativeBody): void {
  if (body instanceof addon.NativeBody) body.release();
}
