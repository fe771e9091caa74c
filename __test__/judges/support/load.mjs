// The load client: sends a fixed list of requests to the gateway and keeps the ledger of what came back. It judges
// by status, body and chunks only; the gateway's log adds the two times that no client can know exactly.

import { performance } from 'node:perf_hooks';
import { countTokens } from '../../../examples/llm-gateway/model-server.mjs';
import { readEvents } from '../../../examples/llm-gateway/sse.mjs';
import { GATEWAY_TIMEOUT_MS } from './gateway.mjs';
import { Ledger } from './ledger.mjs';

export const MODELS = { 'gpt-4o-mini': 'openai', 'claude-sonnet-4': 'anthropic', 'llama-3.3-70b': 'vllm' };

/** Chunks that the model server sends before it stalls or is cut: the role, then five words. */
const CHUNKS_BEFORE_STALL = 6;
const AT_ONCE = 24;

/** One round of requests; each is sent to each model. `leaves` is when its client goes away. */
const ROUND = [
  ...Array(9).fill({ simulate: 'ok' }),
  ...Array(9).fill({ simulate: 'ok', stream: true, usage: true }),
  ...Array(3).fill({ simulate: 'ok', stream: true }),
  { simulate: 'rate_limit' },
  { simulate: 'rate_limit', stream: true },
  { simulate: 'server_error' },
  { simulate: 'server_error', stream: true },
  { simulate: 'overloaded' },
  { simulate: 'hang' },
  { simulate: 'hang', leaves: { afterMs: 250 } },
  { simulate: 'stall', stream: true },
  { simulate: 'stall', stream: true, leaves: { afterChunks: CHUNKS_BEFORE_STALL } },
  { simulate: 'stall', stream: true, leaves: { afterChunks: CHUNKS_BEFORE_STALL } },
  { simulate: 'cut', stream: true },
  { simulate: 'cut' },
];

/** What is no call, or a call for a model that does not exist. */
const STRANGE = ['no-such-model', 'no-json'];

/** @returns {Promise<{ledger: Ledger, sent: number, byStatus: object}>} when the last call is in the gateway's log. */
export async function sendLoad(gateway, { rounds }) {
  const plan = [];
  for (let round = 0; round < rounds; round++) {
    for (const request of ROUND) for (const model of Object.keys(MODELS)) plan.push({ ...request, model });
    for (const strange of STRANGE) plan.push({ strange });
  }

  const outcomes = new Map();
  const waiting = plan.map((request, position) => ({ ...request, id: `request-${position}` }));
  const worker = async () => {
    for (let request = waiting.shift(); request !== undefined; request = waiting.shift()) {
      const outcome = await send(gateway.chatUrl, request);
      if (outcome === undefined) continue;
      outcomes.set(request.id, outcome);
      checkAgainstLog(outcome, await gateway.callOf(request.id));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));

  const ledger = new Ledger(MODELS);
  const byStatus = {};
  for (const { id, durationSeconds, firstTokenSeconds } of gateway.calls) {
    const outcome = outcomes.get(id);
    if (outcome === undefined) throw new Error(`The gateway logged a call nobody made: ${id}`);
    ledger.record({ ...outcome, durationSeconds, firstTokenSeconds });
    const { status, model } = outcome;
    byStatus[status] = { ...byStatus[status], [model]: (byStatus[status]?.[model] ?? 0) + 1 };
  }
  return { ledger, sent: plan.length, byStatus };
}

/** Sends one request. @returns what the client saw of it, or undefined where it was no call. */
async function send(chatUrl, { id, model, stream = false, usage = false, simulate, leaves, strange }) {
  const messages = [
    { role: 'user', content: `Please answer ${id} in a few words, ${'really '.repeat(id.length % 4)}few` },
  ];
  const chat = { model, messages, stream, metadata: { simulate } };
  if (usage) chat.stream_options = { include_usage: true };
  if (strange === 'no-such-model') chat.model = 'gpt-17';
  const left = new AbortController();
  if (leaves?.afterMs !== undefined) setTimeout(() => left.abort(), leaves.afterMs);

  const seen = strange ? { model: 'other', provider: 'other' } : { model, provider: MODELS[model] };
  seen.chunks = 0;
  const started = performance.now();
  try {
    const answer = await fetch(chatUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': id },
      body: strange === 'no-json' ? '{"model":' : JSON.stringify(chat),
      signal: left.signal,
    });
    if (strange === 'no-json') return await expectRefusal(answer);
    if (answer.headers.get('x-request-id') !== id) throw new Error(`Request ${id} got the answer of another`);
    if (answer.ok && stream) await readStream(answer, seen, { left, leaves, messages });
    else readWhole(answer.status, await answer.json(), seen);
    seen.elapsedSeconds = (performance.now() - started) / 1000;
  } catch (error) {
    if (!left.signal.aborted) throw error;
    Object.assign(seen, { status: 'cancelled', errorType: 'cancelled' });
    if (seen.chunks > 0) seen.interrupted = 'client';
  }
  return seen;
}

function readWhole(httpStatus, body, seen) {
  if (httpStatus !== 200) return noteFailure(body.error.type, seen);
  seen.status = 'success';
  seen.usage = { input: body.usage.prompt_tokens, output: body.usage.completion_tokens };
}

async function readStream(answer, seen, { left, leaves, messages }) {
  let words = 0;
  let usage;
  for await (const payload of readEvents(answer.body)) {
    if (payload === '[DONE]') {
      seen.status = 'success';
      continue;
    }
    const event = JSON.parse(payload);
    if (event.error !== undefined) {
      noteFailure(event.error.type, seen);
      seen.interrupted = seen.status === 'timeout' ? 'timeout' : 'provider';
      continue;
    }
    seen.chunks += 1;
    if (event.choices[0]?.delta.content) words += 1;
    usage = event.usage ?? usage;
    if (seen.chunks === leaves?.afterChunks) left.abort();
  }
  if (seen.status === undefined) throw new Error('A stream ended without [DONE] and without an error');
  if (seen.status !== 'success') return;
  // A client that did not ask for usage counts for itself: a token is a word there and back.
  seen.usage = usage
    ? { input: usage.prompt_tokens, output: usage.completion_tokens }
    : { input: countTokens(messages), output: words };
}

function noteFailure(errorType, seen) {
  seen.errorType = errorType;
  seen.status = errorType === 'timeout' ? 'timeout' : 'error';
}

async function expectRefusal(answer) {
  if (answer.status !== 400) throw new Error(`Expected 400 for a body that is no JSON but received ${answer.status}`);
  await answer.text();
}

/** The log must tell of the same call; its times must fit around what the client's own watch says. */
function checkAgainstLog(seen, logged) {
  for (const field of ['model', 'provider', 'status', 'errorType', 'chunks']) {
    if (seen[field] !== logged[field]) {
      throw new Error(`Call ${logged.id}: the client saw ${field} ${seen[field]}, the gateway logged ${logged[field]}`);
    }
  }
  const { durationSeconds, firstTokenSeconds } = logged;
  const latest = seen.elapsedSeconds ?? Infinity;
  // The gateway's timer counts whole milliseconds and may fire within the last of them.
  const earliest = seen.status === 'timeout' ? (GATEWAY_TIMEOUT_MS - 2) / 1000 : 0;
  if (!(durationSeconds > earliest && durationSeconds < latest)) {
    throw new Error(`Call ${logged.id} took ${durationSeconds} s by the log, not within ${earliest} and ${latest} s`);
  }
  if ((firstTokenSeconds !== undefined) !== seen.chunks > 1) {
    throw new Error(`Call ${logged.id} with ${seen.chunks} chunks has ${firstTokenSeconds} s to its first token`);
  }
  if (firstTokenSeconds !== undefined && !(firstTokenSeconds > 0 && firstTokenSeconds <= durationSeconds)) {
    throw new Error(`Call ${logged.id} had its first token after ${firstTokenSeconds} of ${durationSeconds} s`);
  }
}
