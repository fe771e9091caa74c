// The gateway: takes chat completions as OpenAI's clients send them, passes them to the model server, and passes
// the answer back, streamed or whole. Each request is one Call.

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Call } from './call.mjs';
import { CallError } from './call-error.mjs';
import { parseJson, readBody, writeError, writeJson } from './http-json.mjs';
import { MODELS, OTHER_MODEL } from './models.mjs';
import { formatEvent, readEvents } from './sse.mjs';

/**
 * @param modelServerUrl the base URL of a server that speaks OpenAI's chat completions.
 * @param timeoutMs what a request may take from its start to the end of its answer.
 * @param onCallEnd is told of each call that ended, with the request's id.
 */
export function createGateway({ modelServerUrl, timeoutMs, onCallEnd = () => {} }) {
  return createServer((request, response) => {
    if (request.url !== '/v1/chat/completions') {
      writeError(response, 404, 'not_found', 'Try POST /v1/chat/completions');
    } else if (request.method !== 'POST') {
      writeError(response.setHeader('allow', 'POST'), 405, 'invalid_request', 'Expected POST');
    } else {
      // A client that leaves before its request is complete ends here too; there is nobody to answer.
      completeChat(request, response, { modelServerUrl, timeoutMs, onCallEnd }).catch(() => response.destroy());
    }
  });
}

async function completeChat(request, response, { modelServerUrl, timeoutMs, onCallEnd }) {
  const id = request.headers['x-request-id'] ?? randomUUID();
  response.setHeader('x-request-id', id);

  // What is no chat request at all is refused before it counts as a call.
  const body = await readBody(request);
  if (body === undefined) {
    return writeError(response.setHeader('connection', 'close'), 413, 'request_too_large', 'The limit is 1 MiB');
  }
  const chat = parseJson(body);
  if (typeof chat?.model !== 'string' || !Array.isArray(chat.messages)) {
    return writeError(response, 400, 'invalid_request', 'Expected a JSON object with model and messages');
  }

  const call = new Call(MODELS.get(chat.model) ?? OTHER_MODEL, (record) => {
    onCallEnd({ id, stream: chat.stream === true, ...record });
  });
  const abort = new AbortController();
  const deadline = setTimeout(() => {
    abort.abort(new CallError('timeout', 504, `No complete answer within ${timeoutMs} ms`));
  }, timeoutMs);
  const onClose = () => {
    if (!response.writableEnded) abort.abort(new CallError('cancelled', 499, 'The client left'));
  };
  response.once('close', onClose);
  // The client may have left while its request was parsed; then 'close' is over.
  if (response.destroyed) onClose();

  try {
    if (!MODELS.has(chat.model)) throw new CallError('not_found', 404, `No model ${chat.model}`);
    const answer = chat.stream === true ? relayStream : relayWhole;
    await answer({ url: `${modelServerUrl}/v1/chat/completions`, chat, response, call, signal: abort.signal });
  } catch (error) {
    const failure = CallError.from(error, { signal: abort.signal, chunks: call.chunks });
    call.fail(failure.type);
    answerFailure(response, failure);
  } finally {
    clearTimeout(deadline);
  }
}

async function relayWhole({ url, chat, response, call, signal }) {
  const answer = await askModel(url, chat, signal);
  const text = await answer.text();
  call.succeed(JSON.parse(text).usage);
  writeJson(response, 200, text);
}

async function relayStream({ url, chat, response, call, signal }) {
  // A stream reports its usage only when asked to. The gateway always asks, as it counts tokens, and keeps the
  // extra chunk from clients that did not.
  const clientWantsUsage = chat.stream_options?.include_usage === true;
  const answer = await askModel(url, { ...chat, stream_options: { include_usage: true } }, signal);
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });

  let usage;
  let complete = false;
  for await (const payload of readEvents(answer.body)) {
    if (payload === '[DONE]') {
      complete = true;
      continue;
    }
    const chunk = JSON.parse(payload);
    if (chunk.error) throw new CallError('stream_interrupted', 502, chunk.error.message);
    usage = chunk.usage ?? usage;
    if (chunk.choices.length === 0 && !clientWantsUsage) continue;
    call.chunk(Boolean(chunk.choices[0]?.delta.content));
    // A slow reader holds the model back instead of filling this process's memory.
    if (!response.write(formatEvent(payload))) await once(response, 'drain', { signal });
  }
  if (!complete) throw new CallError('stream_interrupted', 502, 'The model server stopped half way');
  call.succeed(usage);
  response.end(formatEvent('[DONE]'));
}

async function askModel(url, chat, signal) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(chat),
    signal,
  });
  if (answer.ok) return answer;
  const text = await answer.text();
  throw CallError.fromStatus(answer.status, parseJson(text)?.error?.message ?? 'The model server refused');
}

function answerFailure(response, { type, httpStatus, message }) {
  if (response.destroyed) return;
  if (!response.headersSent) return writeError(response, httpStatus, type, message);
  // The status is long sent; a stream says in its last event that it is not complete, and ends without [DONE].
  response.end(formatEvent(JSON.stringify({ error: { type, message } })));
}
