/**
 * Reads bodies from native memory in pieces and says when a piece may be read: few in a turn of the event loop. Must not
 * know any server or framework.
 */
import { setImmediate } from 'node:timers';
import type { NativeBody } from '../native/addon';

/**
 * Bodies are sent in pieces, because writing 10 MB at once blocks the event loop for milliseconds. The first ones are small,
 * for clients that do not read.
 */
const PIECE_BYTES = 32 * 1024;
/** Pieces grow up to this size for a client that reads each at once. Copying and writing one takes a tenth of a millisecond. */
const LARGEST_PIECE_BYTES = 128 * 1024;

/**
 * Yields a body piece by piece. The native memory is freed after the last piece, or when the reader stops.
 *
 * @param taken called when the reader asks for the next piece
 * @param isSent true if the reader has sent all pieces, so that the next one may use the same buffer. Otherwise each piece
 *   gets a buffer of its own, because a reader may hold several. Buffers count as memory of the engine, which collects its
 *   whole heap once there are some 64 MB of them: beside 1,000,000 series this takes a tenth of a second
 */
export async function* piecesOf(
  body: NativeBody,
  taken: () => void,
  isSent: () => boolean = () => false,
): AsyncGenerator<Buffer, void, undefined> {
  const answer = ++answers;
  let buffer: Buffer | undefined;
  try {
    for (let at = 0; at < body.length; ) {
      // Let the event loop turn between two pieces, even if the reader is fast.
      if (at > 0 || waiting.size > 0) await nextTurn(answer);
      if (buffer === undefined || !isSent()) buffer = Buffer.allocUnsafeSlow(PIECE_BYTES);
      else if (buffer.length < LARGEST_PIECE_BYTES) buffer = Buffer.allocUnsafeSlow(buffer.length * 2);
      const count = body.read(at, buffer);
      if (count === 0) return;
      at += count;
      yield buffer.subarray(0, count);
      taken();
    }
  } finally {
    body.release();
  }
}

/** Answers that wait for a turn, by their number; first the one that has waited for longest. */
const waiting = new Map<number, () => void>();
let answers = 0;

function nextTurn(answer: number): Promise<void> {
  return new Promise((resolve) => {
    waiting.set(answer, resolve);
    if (waiting.size === 1) setImmediate(resume);
  });
}

/**
 * Copies a piece of two answers: of the one that has waited for longest, and of the newest. So a scraper need not wait for
 * hundreds of clients that came before and fill the buffers of the system without reading. No more than two in a turn of
 * the event loop, because Node.js accepts one connection a turn.
 */
function resume(): void {
  let newest = 0;
  for (const answer of waiting.keys()) newest = Math.max(newest, answer);
  const [oldest = newest] = waiting.keys();
  copy(oldest);
  copy(newest);
  if (waiting.size > 0) setImmediate(resume);
}

function copy(answer: number): void {
  const next = waiting.get(answer);
  waiting.delete(answer);
  next?.();
}
