// A local HTTP server that simulates a provider. It sends prepared answers in order: whole, as server-sent events,
// slowly, in pieces that split characters, or cut in the middle. It records the requests. It knows no provider's
// format.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export class WireServer {
  /** The requests in order: `{ method, path, headers, body }`; a JSON body is parsed. */
  requests = [];
  #server = createServer((request, response) => this.#serve(request, response).catch(() => response.destroy()));
  #answers = [];
  #usual;

  static async start(t) {
    const wire = new WireServer();
    wire.#server.listen(0, '127.0.0.1');
    await once(wire.#server, 'listening');
    t.teardown(() => wire.close());
    return wire;
  }

  /** `http://127.0.0.1:<port>` */
  get url() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  /** Adds answers: made by `json`, `events`, `silence`, `cut`, or functions of request and response. */
  answer(...answers) {
    this.#answers.push(...answers);
    return this;
  }

  /** Forgets the answers that were prepared and not sent. */
  clear() {
    this.#answers.length = 0;
  }

  /** The answer if no prepared answer is left. */
  always(answer) {
    this.#usual = answer;
    return this;
  }

  close() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #serve(request, response) {
    const parts = [];
    for await (const part of request) parts.push(part);
    const text = Buffer.concat(parts).toString();
    const { method, url: path, headers } = request;
    this.requests.push({ method, path, headers, body: parsed(text) });
    const answer = this.#answers.shift() ?? this.#usual;
    if (answer === undefined) {
      response.writeHead(599).end('no answer was prepared');
      return;
    }
    await answer(response, this.requests.at(-1));
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A complete answer. */
export function json(body, { status = 200, headers = {} } = {}) {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

/**
 * Server-sent events. Each event is a value to send as JSON, a string to send unchanged, or `{ event, data }`.
 *
 * @param pieceBytes the size of the pieces in bytes, which may split characters; without it, each event is one piece
 * @param gapMs the pause between two pieces
 * @param end `end`, `cut` to break the connection, or `hang` to leave it open without sending more
 */
export function events(list, { status = 200, headers = {}, pieceBytes, gapMs = 0, end = 'end' } = {}) {
  return async (response) => {
    response.writeHead(status, { 'content-type': 'text/event-stream', ...headers });
    response.flushHeaders();
    for (const piece of piecesOf(list, pieceBytes)) {
      response.write(piece);
      await sleep(gapMs);
      if (response.destroyed) return;
    }
    if (end === 'end') response.end();
    if (end === 'cut') response.destroy();
  };
}

/** Accepts the request and never answers. */
export function silence() {
  return () => {};
}

/** Breaks the connection before an answer. */
export function cut() {
  return (response) => response.destroy();
}

function piecesOf(list, pieceBytes) {
  const texts = list.map(textOf);
  if (pieceBytes === undefined) return texts;
  const bytes = Buffer.from(texts.join(''));
  const pieces = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) pieces.push(bytes.subarray(at, at + pieceBytes));
  return pieces;
}

function textOf(event) {
  if (typeof event === 'string') return `data: ${event}\n\n`;
  const named = typeof event.event === 'string' && 'data' in event;
  const payload = named ? event.data : event;
  const lines = `data: ${typeof payload === 'string' ? payload : JSON.stringify(payload)}\n\n`;
  return named ? `event: ${event.event}\n${lines}` : lines;
}
