// A stand-in for a model server: OpenAI's wire format, three models with speeds of their own, tokens one by one,
// and the failures real ones have. A request may ask for one outcome: metadata.simulate names it.

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseJson, readBody, writeError, writeJson } from './http-json.mjs';
import { formatEvent } from './sse.mjs';

// Milliseconds. Shorter than real models take, so that a few seconds of traffic fill a dashboard.
const SPEEDS = new Map([
  ['gpt-4o-mini', { firstTokenMs: [60, 220], tokenMs: [4, 12] }],
  ['claude-sonnet-4', { firstTokenMs: [120, 450], tokenMs: [6, 16] }],
  ['llama-3.3-70b', { firstTokenMs: [30, 140], tokenMs: [8, 24] }],
]);

const WORDS = 'a model answers one token after another and the gateway counts what passes'.split(' ');

const REFUSALS = new Map([
  ['rate_limit', [429, 'Rate limit reached, try again later']],
  ['server_error', [500, 'The server had an error while processing your request']],
  ['overloaded', [503, 'The engine is currently overloaded']],
]);

/** How many tokens a conversation has. Real tokenizers differ; here a word is a token. */
export function countTokens(messages) {
  return messages.reduce((sum, { content }) => sum + content.split(/\s+/).filter(Boolean).length, 0);
}

export function createModelServer() {
  return createServer((request, response) => {
    // Whoever asked may leave at any time; then every pause ends with an error, and so does this answer.
    const left = new AbortController();
    response.once('close', () => left.abort());
    answerChat(request, response, left.signal).catch(() => response.destroy());
  });
}

async function answerChat(request, response, signal) {
  const chat = parseJson(await readBody(request));
  const speed = SPEEDS.get(chat?.model);
  if (speed === undefined) return writeError(response, 404, 'not_found', 'No such model');

  const outcome = chat.metadata?.simulate ?? randomOutcome();
  if (REFUSALS.has(outcome)) {
    await sleep(between([5, 20]), undefined, { signal });
    const [status, message] = REFUSALS.get(outcome);
    return writeError(response, status, outcome, message);
  }
  if (outcome === 'hang') return;

  const words = Array.from({ length: Math.min(between([8, 30]), chat.max_tokens ?? Infinity) }, randomWord);
  const answer = {
    id: `chatcmpl-${randomUUID()}`,
    created: Math.floor(Date.now() / 1000),
    model: chat.model,
    usage: usageOf(chat.messages, words),
  };
  await sleep(between(speed.firstTokenMs), undefined, { signal });
  if (chat.stream) return streamAnswer({ answer, words, chat, speed, outcome, response, signal });

  if (outcome === 'cut') return response.destroy();
  await sleep(words.length * between(speed.tokenMs), undefined, { signal });
  const message = { role: 'assistant', content: words.join(' ') };
  writeJson(response, 200, {
    ...answer,
    object: 'chat.completion',
    choices: [{ index: 0, message, finish_reason: 'stop' }],
  });
}

async function streamAnswer({ answer, words, chat, speed, outcome, response, signal }) {
  const { usage, ...head } = answer;
  const send = (choices, more) => {
    response.write(formatEvent(JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...more })));
  };
  const choice = (delta, finish_reason = null) => [{ index: 0, delta, finish_reason }];

  response.writeHead(200, { 'content-type': 'text/event-stream' });
  send(choice({ role: 'assistant', content: '' }));
  for (const [position, word] of words.entries()) {
    if (position === 5 && outcome === 'stall') return;
    if (position === 5 && outcome === 'cut') return response.destroy();
    send(choice({ content: position === 0 ? word : ` ${word}` }));
    await sleep(between(speed.tokenMs), undefined, { signal });
  }
  send(choice({}, 'stop'));
  if (chat.stream_options?.include_usage) send([], { usage });
  response.end(formatEvent('[DONE]'));
}

function usageOf(messages, words) {
  const input = countTokens(messages);
  return { prompt_tokens: input, completion_tokens: words.length, total_tokens: input + words.length };
}

/** Three of a hundred requests meet a rate limit, two an error, one no answer at all, one half of it. */
function randomOutcome() {
  const dice = Math.random();
  if (dice < 0.03) return 'rate_limit';
  if (dice < 0.05) return 'server_error';
  if (dice < 0.06) return 'hang';
  if (dice < 0.07) return 'cut';
  return 'ok';
}

function between([low, high]) {
  return low + Math.floor(Math.random() * (high - low + 1));
}

function randomWord() {
  return WORDS[Math.floor(Math.random() * WORDS.length)];
}
