// Ends requests in random ways through all clients: read, left, aborted, cut, failed, never awaited. Afterwards, no request is
// active, none was counted twice, and no rejection was unhandled but those that the SDK alone has too.

import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { instrumentAnthropic } from '@llm-devops/prometheus-metrics/anthropic';
import { instrumentGoogleGenAI } from '@llm-devops/prometheus-metrics/google-genai';
import { instrumentOpenAI } from '@llm-devops/prometheus-metrics/openai';
import test from 'ava';
import fc from 'fast-check';
import OpenAI from 'openai';
import { collected } from './support/api-client.mjs';
import { message, named } from './support/messages.mjs';
import { collectors, recorded } from './support/recorded.mjs';
import { cut, events, json, silence, WireServer } from './support/wire-server.mjs';

/** How many requests each client makes. Together more than 1,000. */
const REQUESTS = 270;

const settings = { apiKey: 'k', maxRetries: 1, logLevel: 'off' };
const chunk = (delta, finish_reason = null) => ({ id: 'c', choices: [{ index: 0, delta, finish_reason }] });
const part = (text, more) => ({ candidates: [{ content: { parts: [{ text }] }, ...more }] });
const completed = { id: 'r', object: 'response', status: 'completed', output: [] };

const CLIENTS = {
  'OpenAI, chat completions': {
    instrument: instrumentOpenAI,
    connect: (baseURL, timeout) => new OpenAI({ ...settings, baseURL, timeout }),
    ask: (client, stream, signal) => client.chat.completions.create({ model: 'm', messages: [], stream }, { signal }),
    whole: { choices: [{ message: { content: 'hi' }, finish_reason: 'stop' }] },
    stream: [
      chunk({ role: 'assistant' }),
      chunk({ content: 'h' }),
      chunk({ content: 'i' }),
      chunk({}, 'stop'),
      '[DONE]',
    ],
  },
  'OpenAI, responses': {
    instrument: instrumentOpenAI,
    connect: (baseURL, timeout) => new OpenAI({ ...settings, baseURL, timeout }),
    ask: (client, stream, signal) => client.responses.create({ model: 'm', input: 'x', stream }, { signal }),
    whole: completed,
    stream: [
      { type: 'response.created', response: { ...completed, status: 'in_progress' } },
      { type: 'response.output_text.delta', delta: 'h' },
      { type: 'response.output_text.delta', delta: 'i' },
      { type: 'response.completed', response: completed },
    ],
  },
  Anthropic: {
    instrument: instrumentAnthropic,
    connect: (baseURL, timeout) => new Anthropic({ ...settings, baseURL, timeout }),
    ask: (client, stream, signal) =>
      client.messages.create({ model: 'm', max_tokens: 9, messages: [], stream }, { signal }),
    whole: message(),
    stream: named([
      { type: 'message_start', message: message({ content: [], stop_reason: null }) },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'h' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'i' } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 2 } },
      { type: 'message_stop' },
    ]),
  },
  Gemini: {
    instrument: instrumentGoogleGenAI,
    connect: (baseUrl, timeout) => new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl, timeout } }),
    ask: (client, stream, abortSignal) => {
      const request = { model: 'm', contents: 'x', config: { abortSignal } };
      return stream ? client.models.generateContentStream(request) : client.models.generateContent(request);
    },
    whole: part('hi', { finishReason: 'STOP' }),
    stream: [part('h'), part('i'), part('', { finishReason: 'STOP' })],
  },
};

/** What the provider does. */
const ANSWERS = {
  whole: ({ whole, stream }, streams) => (streams ? events(stream) : json(whole)),
  slow: ({ whole, stream }, streams) => (streams ? events(stream, { gapMs: 2, pieceBytes: 40 }) : json(whole)),
  refused: () => json({ error: { message: 'no' } }, { status: 429, headers: { 'retry-after-ms': '1' } }),
  garbage: () => json('{"choices": ['),
  error: ({ stream }) => events([stream[0], { event: 'error', data: { type: 'error', error: { code: 500 } } }]),
  'cut before': () => cut(),
  'cut within': ({ stream }) => events(stream.slice(0, 2), { end: 'cut' }),
  'ended early': ({ stream }) => events(stream.slice(0, 2)),
  silent: () => silence(),
  hanging: ({ stream }) => events(stream.slice(0, 2), { end: 'hang' }),
};

/** What the program does with what it gets. Each may reject. */
const READERS = {
  'reads it': async (asking) => {
    const answer = await asking;
    if (answer?.[Symbol.asyncIterator]) for await (const _ of answer);
  },
  'leaves it': async (asking) => {
    const answer = await asking;
    if (answer?.[Symbol.asyncIterator]) for await (const _ of answer) break;
  },
  'throws within it': async (asking) => {
    const answer = await asking;
    if (answer?.[Symbol.asyncIterator]) for await (const _ of answer) throw new Error('of the program');
  },
  'reads two halves of it': async (asking) => {
    const answer = await asking;
    if (typeof answer?.tee !== 'function') return READERS['reads it'](answer);
    const [left, right] = answer.tee();
    await Promise.all([READERS['reads it'](left), READERS['leaves it'](right)]);
  },
  'pipes it': async (asking) => {
    const answer = await asking;
    if (typeof answer?.toReadableStream !== 'function') return READERS['reads it'](answer);
    await new Response(answer.toReadableStream()).text();
  },
  'takes the response': async (asking) => {
    if (typeof asking.asResponse !== 'function') return READERS['reads it'](asking);
    await (await asking.asResponse()).text();
  },
  'takes both': async (asking) => {
    if (typeof asking.withResponse !== 'function') return READERS['reads it'](asking);
    await READERS['reads it']((await asking.withResponse()).data);
  },
  'aborts it': async (asking, abort) => {
    setTimeout(() => abort.abort(new Error('enough')), 3);
    await READERS['reads it'](asking);
  },
  'aborts it at once': async (asking, abort) => {
    abort.abort();
    await READERS['reads it'](asking);
  },
  'does not read it': async (asking) => void (await asking),
};

const request = fc.record({
  answer: fc.constantFrom(...Object.keys(ANSWERS)),
  reader: fc.constantFrom(...Object.keys(READERS)),
  streams: fc.boolean(),
});

for (const [name, client] of Object.entries(CLIENTS)) {
  test.serial(`${name}: however requests end, each is counted at most once and none stays active`, async (t) => {
    const unhandled = [];
    const hear = (error) => unhandled.push(error);
    process.on('unhandledRejection', hear);
    t.teardown(() => process.off('unhandledRejection', hear));
    const { registry, llm } = collectors();
    const all = fc.sample(request, { numRuns: REQUESTS, seed: 7 });
    let unread = 0;
    const run = async ({ answer, reader, streams }, number) => {
      const wire = await WireServer.start(t);
      const isAwaited = number % 10 !== 0;
      const made = client.connect(wire.url, isAwaited ? 120 : undefined);
      client.instrument(made, { collector: llm, provider: 'p' });
      const abort = new AbortController();
      if (!isAwaited) {
        // A promise that is never awaited. The program would have to handle its failure, with and without measuring.
        wire.always(ANSWERS.whole(client, streams));
        client.ask(made, streams, abort.signal);
        unread++;
        return;
      }
      wire.always(ANSWERS[answer](client, streams));
      const timer = setTimeout(() => abort.abort(), 200);
      await READERS[reader](client.ask(made, streams, abort.signal), abort).catch(() => {});
      clearTimeout(timer);
      if (reader === 'does not read it' && streams) unread++;
    };
    for (let at = 0; at < all.length; at += 90) {
      await Promise.all(all.slice(at, at + 90).map((plan, index) => run(plan, at + index)));
    }
    const active = async () => (await recorded(registry)).filter((line) => line.startsWith('llm_active_requests'));
    t.true(await collected(async () => (await active()).length === 0), String(await active()));
    const counts = (await recorded(registry)).filter((line) => line.startsWith('llm_requests_total'));
    const total = counts.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
    t.true(total <= REQUESTS && total >= REQUESTS - unread, `${total} of ${REQUESTS}, ${unread} unread`);
    t.deepEqual(unhandled, []);
  });
}
