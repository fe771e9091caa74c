// The gateway: accepts requests from OpenAI's clients, asks a model, and passes the answer back, streamed or whole.

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { AnswerCache } from './answer-cache.mjs';
import { CallError } from './call-error.mjs';
import { passes, textOf } from './guardrail.mjs';
import { parseJson, readBody, writeError, writeJson } from './http-json.mjs';
import { llm } from './metrics.mjs';
import { MODELS, ROUTES } from './models.mjs';
import { formatEvent, readEvents } from './sse.mjs';

/**
 * @param ask asks a model (ask.mjs).
 * @param timeoutMs the time limit of a request, from its start to the end of its answer.
 */
export function createGateway({ ask, timeoutMs }) {
  const cache = new AnswerCache();
  return createServer((request, response) => {
    const route = ROUTES.get(request.url);
    if (route === undefined) {
      writeError(response, 404, 'not_found', `Try POST ${[...ROUTES.keys()].join(', ')}`);
    } else if (request.method !== 'POST') {
      writeError(response.setHeader('allow', 'POST'), 405, 'invalid_request', 'Expected POST');
    } else {
      // A client can also leave before its request is complete. Then there is no one to answer.
      serve(request, response, { route, ask, cache, timeoutMs }).catch(() => response.destroy());
    }
  });
}

async function serve(request, response, { route, ask, cache, timeoutMs }) {
  const id = request.headers['x-request-id'] ?? randomUUID();
  response.setHeader('x-request-id', id);

  // An invalid request is rejected before it counts as an LLM request.
  const text = await readBody(request);
  if (text === undefined) {
    return writeError(response.setHeader('connection', 'close'), 413, 'request_too_large', 'The limit is 1 MiB');
  }
  const body = parseJson(text);
  if (typeof body?.model !== 'string' || body[route.input] == null) {
    return writeError(response, 400, 'invalid_request', `Expected a JSON object with model and ${route.input}`);
  }
  if (MODELS.get(body.model)?.path !== request.url) {
    // The name is unknown, so the collector counts it as `other`: clients cannot create series.
    const { operation } = route;
    llm.recordRequest({ model: body.model, provider: 'other', operation, errorType: 'not_found' });
    return writeError(response, 404, 'not_found', `No model ${body.model}`);
  }
  if (!passes(textOf(body), 'input'))
    return writeError(response, 400, 'content_filter', 'A guardrail rejected the request');

  const cacheable = route.operation === 'chat' && body.stream !== true;
  const known = cacheable ? cache.find(body) : undefined;
  if (known !== undefined) return writeJson(response.setHeader('x-cache', 'hit'), 200, known);

  const { signal, release } = patienceOf(response, timeoutMs);
  try {
    if (body.stream === true) return await relayStream(ask, body, { response, signal, id });
    const answer = await ask(body, { signal, id });
    if (cacheable) cache.keep(body, answer);
    writeJson(response, 200, answer);
  } catch (error) {
    answerFailure(response, CallError.from(error, { signal, chunks: 0 }));
  } finally {
    release();
  }
}

/** A signal that aborts at the deadline, or when the client leaves. */
function patienceOf(response, timeoutMs) {
  const abort = new AbortController();
  const deadline = setTimeout(() => {
    abort.abort(new CallError(504, 'timeout', `No complete answer within ${timeoutMs} ms`));
  }, timeoutMs);
  const onClose = () => {
    if (!response.writableEnded) abort.abort(new CallError(499, 'cancelled', 'The client left'));
  };
  response.once('close', onClose);
  // The client may have left while its request was parsed. Then 'close' has already been emitted.
  if (response.destroyed) onClose();
  return { signal: abort.signal, release: () => clearTimeout(deadline) };
}

async function relayStream(ask, body, { response, signal, id }) {
  // A stream reports its usage only on request. The gateway always requests it to count tokens. It removes the extra
  // chunk for clients that did not request it.
  const passesUsage = body.stream_options?.include_usage === true;
  const read = (answer, call) => relayChunks(answer, call, { response, signal, passesUsage });
  await ask({ ...body, stream_options: { include_usage: true } }, { signal, id, read });
  response.end(formatEvent('[DONE]'));
}

/** Passes chunks on as they come. @returns the model, usage and finish reason that they report. */
async function relayChunks(answer, call, { response, signal, passesUsage }) {
  if (!response.headersSent) {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  }
  const whole = { model: undefined, usage: undefined, choices: [{ finish_reason: undefined }] };
  let complete = false;
  for await (const payload of readEvents(answer.body)) {
    if (payload === '[DONE]') {
      complete = true;
      continue;
    }
    const chunk = JSON.parse(payload);
    if (chunk.error) throw new CallError(502, 'stream_interrupted', chunk.error.message);
    const [choice] = chunk.choices;
    whole.model = chunk.model;
    whole.usage = chunk.usage ?? whole.usage;
    if (choice?.finish_reason) whole.choices = [choice];
    if (choice === undefined && !passesUsage) continue;
    // The first chunk contains only the role. The time to the first token ends with the first chunk that has content.
    call.chunk(Boolean(choice?.delta.content ?? choice?.delta.tool_calls));
    // A slow client slows the model down, so the process does not buffer the answer in memory.
    if (!response.write(formatEvent(payload))) await once(response, 'drain', { signal });
  }
  if (!complete)
    throw new CallError(502, 'stream_interrupted', 'The model server stopped before the end of the answer');
  return whole;
}

function answerFailure(response, { status, type, message }) {
  if (response.destroyed) return;
  if (!response.headersSent) return writeError(response, status, type, message);
  // The status was already sent. The last event of an incomplete stream is an error, and there is no [DONE].
  response.end(formatEvent(JSON.stringify({ error: { type, message } })));
}
