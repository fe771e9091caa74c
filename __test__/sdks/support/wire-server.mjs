// A local HTTP server that stands in for a provider: answers what it was told to, in the order it was told, whole or as
// server-sent events, slowly, in pieces that split characters, cut off half way; and keeps a ledger of what it was asked.
// Knows no provider's format.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export class WireServer {
  /** What was asked, in order: `{ method, path, headers, body }`, the body parsed where it is JSON. */
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

  /** What is answered when there are no more answers. */
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

/** A whole answer. */
export function json(body, { status = 200, headers = {} } = {}) {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

/**
 * Server-sent events. Each event is a value to send as JSON, a string to send as it is, or `{ event, data }`.
 *
 * @param pieceBytes how the bytes are cut into pieces, whatever characters that splits; each event is a piece without it
 * @param gapMs what passes between two pieces
 * @param end `end`, `cut` to break the connection, or `hang` to send nothing more and leave it open
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

/** Takes the request and never answers. */
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
