/**
 * Converts requests of `node:http` for a door, and a door's bodies to streams. Must not know any framework.
 */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { addon, type NativeBody } from '../native/addon';
import { type DoorRequest, piecesOf } from './door';

/** Converts a request of `node:http`. @param target path and query, if a framework has changed them */
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

/** A body for frameworks that send a `Buffer` or a stream. Empty for HEAD, whose headers have the length. */
export function sendable(method: string, body: Buffer | NativeBody): Buffer | Readable {
  if (method === 'HEAD') {
    release(body);
    return Buffer.alloc(0);
  }
  if (!(body instanceof addon.NativeBody)) return body;
  const stream = Readable.from(piecesOf(body), { objectMode: false });
  // If the stream is destroyed before it is read, the generator never starts, and its `finally` does not run.
  return stream.once('close', () => release(body));
}

/** A body for a `Response`; null for HEAD. */
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
    // Copy a piece only when it is requested, to save memory.
    { highWaterMark: 0 },
  );
}

/** Frees native memory. May be called more than once. */
function release(body: Buffer | NativeBody): void {
  if (body instanceof addon.NativeBody) body.release();
}
