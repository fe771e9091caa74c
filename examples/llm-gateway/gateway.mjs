// The gateway: takes requests as OpenAI's clients send them, asks a model, and passes the answer back, streamed or whole.

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
 * @param timeoutMs what a request may take from its start to the end of its answer.
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
      // A client that leaves before its request is complete ends here too; there is nobody to answer.
      serve(request, response, { route, ask, cache, timeoutMs }).catch(() => response.destroy());
    }
  });
}

async function serve(request, response, { route, ask, cache, timeoutMs }) {
  const id = request.headers['x-request-id'] ?? randomUUID();
  response.setHeader('x-request-id', id);

  // What is no request to a model at all is refused before it counts as one.
  const text = await readBody(request);
  if (text === undefined) {
    return writeError(response.setHeader('connection', 'close'), 413, 'request_too_large', 'The limit is 1 MiB');
  }
  const body = parseJson(text);
  if (typeof body?.model !== 'string' || body[route.input] == null) {
    return writeError(response, 400, 'invalid_request', `Expected a JSON object with model and ${route.input}`);
  }
  if (MODELS.get(body.model)?.path !== request.url) {
    // Nobody knows the name, so the collector counts it as `other`: clients cannot invent series.
    const { operation } = route;
    llm.recordRequest({ model: body.model, provider: 'other', operation, errorType: 'not_found' });
    return writeError(response, 404, 'not_found', `No model ${body.model}`);
  }
  if (!passes(textOf(body), 'input')) return writeError(response, 400, 'content_filter', 'A guardrail refused it');

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

/** How long a client is waited for: until the deadline, or until it leaves. */
function patienceOf(response, timeoutMs) {
  const abort = new AbortController();
  const deadline = setTimeout(() => {
    abort.abort(new CallError(504, 'timeout', `No complete answer within ${timeoutMs} ms`));
  }, timeoutMs);
  const onClose = () => {
    if (!response.writableEnded) abort.abort(new CallError(499, 'cancelled', 'The client left'));
  };
  response.once('close', onClose);
  // The client may have left while its request was parsed; then 'close' is over.
  if (response.destroyed) onClose();
  return { signal: abort.signal, release: () => clearTimeout(deadline) };
}

async function relayStream(ask, body, { response, signal, id }) {
  // A stream reports its usage only when asked to. The gateway always asks, as it counts tokens, and keeps the
  // extra chunk from clients that did not.
  const passesUsage = body.stream_options?.include_usage === true;
  const read = (answer, call) => relayChunks(answer, call, { response, signal, passesUsage });
  await ask({ ...body, stream_options: { include_usage: true } }, { signal, id, read });
  response.end(formatEvent('[DONE]'));
}

/** Passes chunks on as they come. @returns what they said of the answer as a whole. */
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
    // The first chunk only names the role: the time to the first token ends with the first one that says something.
    call.chunk(Boolean(choice?.delta.content ?? choice?.delta.tool_calls));
    // A slow reader holds the model back instead of filling this process's memory.
    if (!response.write(formatEvent(payload))) await once(response, 'drain', { signal });
  }
  if (!complete) throw new CallError(502, 'stream_interrupted', 'The model server stopped half way');
  return whole;
}

function answerFailure(response, { status, type, message }) {
  if (response.destroyed) return;
  if (!response.headersSent) return writeError(response, status, type, message);
  // The status is long sent; a stream says in its last event that it is not complete, and ends without [DONE].
  response.end(formatEvent(JSON.stringify({ error: { type, message } })));
}
