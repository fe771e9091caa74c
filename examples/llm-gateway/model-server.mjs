// Simulates model servers: OpenAI's wire format, models of different speed, tokens one by one, and the failures of real
// servers. A request selects a failure in metadata.simulate: one outcome for all attempts, or a list with one per
// attempt.

import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseJson, readBody, writeError, writeJson } from './http-json.mjs';
import { embeddingOf, imagesOf, messageOf, usageOf } from './model-answers.mjs';
import { formatEvent } from './sse.mjs';

// Milliseconds. Shorter than real models take, so that a few seconds of traffic fill a dashboard.
const MODELS = new Map([
  ['gpt-4o-mini', { version: 'gpt-4o-mini-2024-07-18', firstTokenMs: [60, 220], tokenMs: [4, 12] }],
  ['claude-sonnet-4', { version: 'claude-sonnet-4-20250514', firstTokenMs: [120, 450], tokenMs: [6, 16] }],
  ['llama-3.3-70b', { version: 'llama-3.3-70b', firstTokenMs: [30, 140], tokenMs: [8, 24] }],
  [
    'o4-mini',
    { version: 'o4-mini-2025-04-16', firstTokenMs: [300, 900], tokenMs: [4, 10], reasons: true, searches: true },
  ],
  ['text-embedding-3-small', { version: 'text-embedding-3-small', firstTokenMs: [10, 40], answer: embeddingOf }],
  ['gpt-image-1', { version: 'gpt-image-1', firstTokenMs: [400, 900], answer: imagesOf }],
]);

const REFUSALS = new Map([
  ['rate_limit', [429, 'rate_limit_error', 'Rate limit reached, try again later']],
  ['server_error', [500, 'server_error', 'The server had an error while processing your request']],
  ['overloaded', [529, 'overloaded_error', 'The engine is currently overloaded']],
  ['context_length', [400, 'context_length_exceeded', 'This conversation is longer than the model can read']],
]);

/** How long a client should wait before it tries again. Real servers ask for seconds. */
const RETRY_AFTER_MS = 50;

/** Limits per model and minute. */
const LIMITS = { requests: 150, tokens: 200_000 };

export function createModelServer() {
  const minutes = new Map();
  return createServer((request, response) => {
    // The client may leave at any time. Then every pause ends with an error, which ends this answer.
    const left = new AbortController();
    response.once('close', () => left.abort());
    answer(request, response, { minutes, signal: left.signal }).catch(() => response.destroy());
  });
}

async function answer(request, response, { minutes, signal }) {
  const asked = parseJson(await readBody(request));
  const model = MODELS.get(asked?.model);
  if (model === undefined) return writeError(response, 404, 'model_not_found', 'No such model');

  const outcome = outcomeOf(asked.metadata?.simulate, Number(request.headers['x-attempt'] ?? 0));
  const refusal = REFUSALS.get(outcome);
  const message = messageOf(asked, model, outcome);
  const usage = usageOf(asked, model, message);
  tellLimits(response, minutes, {
    model: asked.model,
    tokens: usage.total_tokens,
    exhausted: outcome === 'rate_limit',
  });
  if (refusal !== undefined) {
    await sleep(between([5, 20]), undefined, { signal });
    response.setHeader('retry-after', '1').setHeader('retry-after-ms', String(RETRY_AFTER_MS));
    return writeError(response, ...refusal);
  }
  if (outcome === 'hang') return;

  await sleep(between(model.firstTokenMs), undefined, { signal });
  const head = { created: Math.floor(Date.now() / 1000), model: model.version };
  if (model.answer !== undefined) return writeJson(response, 200, { ...head, ...model.answer(asked, usage) });
  const spoken = { head, message, usage: outcome === 'no_usage' ? undefined : usage, model, outcome };
  if (asked.stream) return streamAnswer(spoken, asked, response, signal);

  if (outcome === 'cut') return response.destroy();
  await sleep(message.words.length * between(model.tokenMs), undefined, { signal });
  const { words, finish_reason, tool_calls } = message;
  const whole = { role: 'assistant', content: words.join(' '), tool_calls };
  const choices = [{ index: 0, message: whole, finish_reason }];
  writeJson(response, 200, { ...head, object: 'chat.completion', choices, usage: spoken.usage });
}

async function streamAnswer({ head, message, usage, model, outcome }, asked, response, signal) {
  const send = (choices, more) => {
    response.write(formatEvent(JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...more })));
  };
  const choice = (delta, finish_reason = null) => [{ index: 0, delta, finish_reason }];

  response.writeHead(200, { 'content-type': 'text/event-stream' });
  send(choice({ role: 'assistant', content: '' }));
  for (const [position, word] of message.words.entries()) {
    if (position === 5 && outcome === 'stall') return;
    if (position === 5 && outcome === 'cut') return response.destroy();
    send(choice({ content: position === 0 ? word : ` ${word}` }));
    await sleep(between(model.tokenMs), undefined, { signal });
  }
  send(choice({}, message.finish_reason));
  if (asked.stream_options?.include_usage && usage !== undefined) send([], { usage });
  response.end(formatEvent('[DONE]'));
}

/** One outcome for all attempts, or one per attempt; the last one applies to all further attempts. */
function outcomeOf(simulate, attempt) {
  return [simulate].flat().at(attempt) ?? [simulate].flat().at(-1) ?? 'ok';
}

function tellLimits(response, minutes, { model, tokens, exhausted }) {
  const now = Date.now();
  const minute = Math.floor(now / 60_000);
  const resetSeconds = ((minute + 1) * 60_000 - now) / 1000;
  const used = minutes.get(model)?.minute === minute ? minutes.get(model) : { minute, requests: 0, tokens: 0 };
  used.requests += 1;
  used.tokens += tokens;
  minutes.set(model, used);
  for (const [resource, limit] of Object.entries(LIMITS)) {
    const remaining = exhausted ? 0 : Math.max(0, limit - used[resource]);
    response.setHeader(`x-ratelimit-limit-${resource}`, String(limit));
    response.setHeader(`x-ratelimit-remaining-${resource}`, String(remaining));
    response.setHeader(`x-ratelimit-reset-${resource}`, `${resetSeconds}s`);
  }
}

function between([low, high]) {
  return low + Math.floor(Math.random() * (high - low + 1));
}
