// Sends unusual and hostile answers through the real SDKs: amounts that are not numbers, usage in several chunks, empty lists,
// dialects of gateways. Each row has the figures that must be recorded.

import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { LlmMetricsCollector, Registry } from '@llm-devops/prometheus-metrics';
import { instrumentAnthropic } from '@llm-devops/prometheus-metrics/anthropic';
import { instrumentGoogleGenAI } from '@llm-devops/prometheus-metrics/google-genai';
import { instrumentOpenAI } from '@llm-devops/prometheus-metrics/openai';
import test from 'ava';
import OpenAI from 'openai';
import { chunksOf } from './support/api-client.mjs';
import { message, named } from './support/messages.mjs';
import { collectors, recorded } from './support/recorded.mjs';
import { events, json, WireServer } from './support/wire-server.mjs';

const PRICE = { input: 1, output: 10, cacheRead: 0.1, cacheWrite: 2, serverTools: { web_search: 0.01 } };
const SETTINGS = { apiKey: 'k', maxRetries: 0, logLevel: 'off' };

const openai = { instrument: instrumentOpenAI, connect: (baseURL) => new OpenAI({ ...SETTINGS, baseURL }) };
const anthropic = { instrument: instrumentAnthropic, connect: (baseURL) => new Anthropic({ ...SETTINGS, baseURL }) };
const gemini = {
  instrument: instrumentGoogleGenAI,
  connect: (baseUrl) => new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl } }),
};
const readAll = async (stream) => chunksOf(await stream);
const CHAT = { ...openai, ask: (client) => client.chat.completions.create({ model: 'm', messages: [] }) };
const CHAT_STREAM = {
  ...openai,
  ask: (client) => readAll(client.chat.completions.create({ model: 'm', messages: [], stream: true })),
};
const RESPONSE = { ...openai, ask: (client) => client.responses.create({ model: 'm', input: 'x' }) };
const RESPONSE_STREAM = {
  ...openai,
  ask: (client) => readAll(client.responses.create({ model: 'm', input: 'x', stream: true })),
};
const MESSAGE = {
  ...anthropic,
  ask: (client) => client.messages.create({ model: 'm', max_tokens: 9, messages: [] }),
};
const MESSAGE_STREAM = {
  ...anthropic,
  ask: (client) => readAll(client.messages.create({ model: 'm', max_tokens: 9, messages: [], stream: true })),
};
const CONTENT = { ...gemini, ask: (client) => client.models.generateContent({ model: 'm', contents: 'x' }) };
const CONTENT_STREAM = {
  ...gemini,
  ask: (client) => readAll(client.models.generateContentStream({ model: 'm', contents: 'x' })),
};

const chat = (usage, more = {}) =>
  json({
    id: 'c',
    model: 'm',
    choices: [{ index: 0, message: { content: 'x' }, finish_reason: 'stop' }],
    usage,
    ...more,
  });
const chunk = (delta, finish = null, more = {}) => ({
  id: 'c',
  model: 'm',
  choices: [{ index: 0, delta, finish_reason: finish }],
  ...more,
});
const tokens = (prompt_tokens, completion_tokens) => ({
  prompt_tokens,
  completion_tokens,
  total_tokens: prompt_tokens + completion_tokens,
});
const last = (usage) => ({ id: 'c', model: 'm', choices: [], usage });
const start = (usage) => ({
  type: 'message_start',
  message: { ...message({ content: [], stop_reason: null }), usage },
});
const text = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'hi' } };
const end = (usage) => ({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage });
const stop = { type: 'message_stop' };
const part = (finishReason, usageMetadata) => ({
  candidates: [{ content: { parts: [{ text: 'a' }] }, finishReason }],
  usageMetadata,
});
const response = (more) => ({ id: 'r', object: 'response', model: 'm', status: 'completed', output: [], ...more });
const delta = { type: 'response.output_text.delta', delta: 'hi' };
const RESPONSE_USAGE = { input_tokens: 20, output_tokens: 5, total_tokens: 25 };

const MISSING = { missing: 1 };
const TEN = { input: 20, output: 10, cost: 0.00012 };
const TWO = { input: 20, output: 2, cost: 0.00004 };
const FIVE = { input: 20, output: 5, cost: 0.00007 };
const FAILED = { status: 'error', error: 'other' };

/** A title, how to ask, the answer, and the figures: 0 is left out, and so is the status of a success. */
const ROWS = [
  ['amounts are texts', CHAT, chat({ prompt_tokens: '20', completion_tokens: '10' }), MISSING],
  [
    'a negative input',
    CHAT,
    chat({ prompt_tokens: -5, completion_tokens: 10, total_tokens: 5 }),
    { output: 10, cost: 0.0001 },
  ],
  ['a total below its parts', CHAT, chat({ ...tokens(20, 10), total_tokens: 5 }), TEN],
  ['a total of 0', CHAT, chat({ ...tokens(20, 10), total_tokens: 0 }), TEN],
  [
    'cached tokens above the input',
    CHAT,
    chat({ ...tokens(20, 10), prompt_tokens_details: { cached_tokens: 50 } }),
    { input: 20, output: 10, cache_read: 20, cost: 0.000102 },
  ],
  [
    'read and written tokens above the input',
    CHAT,
    chat({ ...tokens(20, 10), prompt_tokens_details: { cached_tokens: 15, cache_write_tokens: 15 } }),
    { input: 20, output: 10, cache_read: 15, cache_write: 15, cost: 0.0001115 },
  ],
  [
    'amounts that no answer has',
    CHAT,
    chat({ prompt_tokens: 1e308, completion_tokens: 1e13, total_tokens: 1e308 }),
    MISSING,
  ],
  [
    'an input that no answer has',
    CHAT,
    chat({ prompt_tokens: 1e308, completion_tokens: 10 }),
    { output: 10, cost: 0.0001 },
  ],
  ['a usage that is a list', CHAT, chat([tokens(20, 10)]), MISSING],
  ['a usage that is a text', CHAT, chat('none'), MISSING],
  ['an empty usage', CHAT, chat({}), MISSING],
  ['a usage of zeros', CHAT, chat(tokens(0, 0)), {}],
  [
    'names of two dialects, zeros under one of them',
    CHAT,
    chat({ prompt_tokens: 0, completion_tokens: 0, input_tokens: 20, output_tokens: 10, total_tokens: 30 }),
    TEN,
  ],
  ['no choices', CHAT, json({ model: 'm', choices: [], usage: tokens(20, 10) }), TEN],
  ['null for choices', CHAT, json({ model: 'm', choices: null, usage: tokens(20, 10) }), TEN],
  [
    'an error without a value beside an answer',
    CHAT,
    chat(tokens(20, 10), { error: { code: null, message: '' } }),
    TEN,
  ],
  [
    'an error of a gateway without choices',
    CHAT,
    json({ success: false, errors: [{ code: 7003, message: 'no route' }], result: null }),
    FAILED,
  ],
  [
    'an error of a gateway whose code is a status',
    CHAT,
    json({ success: false, errors: [{ code: 429, message: 'slow down' }] }),
    { status: 'error', error: 'rate_limit' },
  ],
  [
    'the usage so far in each chunk',
    CHAT_STREAM,
    events([
      chunk({ content: '' }, null, { usage: tokens(20, 0) }),
      chunk({ content: 'a' }, null, { usage: tokens(20, 1) }),
      chunk({ content: 'b' }, 'stop', { usage: tokens(20, 2) }),
    ]),
    TWO,
  ],
  [
    'a usage, then zeros',
    CHAT_STREAM,
    events([chunk({ content: 'a' }, 'stop', { usage: tokens(20, 2) }), last(tokens(0, 0))]),
    TWO,
  ],
  [
    'a usage, then an empty one, then null',
    CHAT_STREAM,
    events([chunk({ content: 'a' }), chunk({}, 'stop', { usage: tokens(20, 2) }), last({}), last(null)]),
    TWO,
  ],
  [
    'input and output in different chunks',
    CHAT_STREAM,
    events([
      chunk({ content: 'a' }, null, { usage: { prompt_tokens: 20 } }),
      chunk({}, 'stop', { usage: { completion_tokens: 2 } }),
    ]),
    TWO,
  ],
  [
    'the same usage twice',
    CHAT_STREAM,
    events([chunk({ content: 'a' }), chunk({}, 'stop', { usage: tokens(20, 2) }), last(tokens(20, 2))]),
    TWO,
  ],
  [
    'an error after the usage',
    CHAT_STREAM,
    events([
      chunk({ content: 'a' }),
      chunk({}, 'stop', { usage: tokens(20, 2) }),
      { error: { message: 'late', code: 502 } },
    ]),
    { ...TWO, status: 'error', error: 'server_error' },
  ],
  ['null for the usage of a response', RESPONSE, json(response({ usage: null })), MISSING],
  [
    'tools that the provider ran',
    RESPONSE,
    json(
      response({
        output: [
          { type: 'web_search_call', status: 'completed', action: { type: 'search', query: 'x' } },
          { type: 'web_search_call', status: 'completed', action: { type: 'open_page', url: 'x' } },
          { type: 'web_search_call', status: 'completed' },
          { type: 'code_interpreter_call' },
        ],
        usage: RESPONSE_USAGE,
      }),
    ),
    { ...FIVE, cost: 0.02007, web_search: 2 },
  ],
  [
    'a tool without a price',
    RESPONSE,
    json(response({ output: [{ type: 'file_search_call' }], usage: RESPONSE_USAGE })),
    { input: 20, output: 5, file_search: 1, unpriced: 1 },
  ],
  [
    'an end of a server that imitates the API',
    RESPONSE_STREAM,
    events([delta, { type: 'response.done', response: response({ usage: RESPONSE_USAGE }) }]),
    FIVE,
  ],
  [
    'a response that was cancelled elsewhere',
    RESPONSE_STREAM,
    events([delta, { type: 'response.cancelled', response: response({ status: 'cancelled', usage: RESPONSE_USAGE }) }]),
    { ...FIVE, status: 'cancelled', error: 'cancelled' },
  ],
  ['null for the usage of a message', MESSAGE, json({ ...message({}), usage: null }), MISSING],
  [
    'null for the input of a message',
    MESSAGE,
    json({ ...message({}), usage: { input_tokens: null, output_tokens: 5 } }),
    { output: 5, cost: 0.00005 },
  ],
  ["a gateway's answer in another dialect", MESSAGE, json({ model: 'm', choices: [], usage: tokens(20, 10) }), TEN],
  [
    'zeros at the start of a message, the usage at its end',
    MESSAGE_STREAM,
    events(
      named([start({ input_tokens: 0, output_tokens: 0 }), text, end({ input_tokens: 20, output_tokens: 5 }), stop]),
    ),
    FIVE,
  ],
  [
    'the usage at the start of a message, zeros at its end',
    MESSAGE_STREAM,
    events(
      named([
        start({ input_tokens: 15, cache_read_input_tokens: 5, output_tokens: 1 }),
        text,
        end({ input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 5 }),
        stop,
      ]),
    ),
    { input: 20, output: 5, cache_read: 5, cost: 0.0000655 },
  ],
  [
    'a message without a start',
    MESSAGE_STREAM,
    events(named([text, end({ output_tokens: 5 }), stop])),
    { output: 5, cost: 0.00005 },
  ],
  [
    'an error within a message',
    MESSAGE_STREAM,
    events(
      named([
        start({ input_tokens: 20, output_tokens: 2 }),
        text,
        { type: 'error', error: { type: 'overloaded_error' } },
      ]),
    ),
    { ...TWO, status: 'error', error: 'overloaded' },
  ],
  [
    'amounts of Gemini are texts',
    CONTENT,
    json(part('STOP', { promptTokenCount: '20', candidatesTokenCount: '5' })),
    MISSING,
  ],
  ['only the total of an answer', CONTENT, json(part('STOP', { promptTokenCount: 20, totalTokenCount: 25 })), FIVE],
  [
    'negative thoughts',
    CONTENT,
    json(part('STOP', { promptTokenCount: 20, candidatesTokenCount: 5, thoughtsTokenCount: -2, totalTokenCount: 25 })),
    FIVE,
  ],
  [
    'a usage of Gemini, then an empty one',
    CONTENT_STREAM,
    events([part(undefined, { promptTokenCount: 20, candidatesTokenCount: 5, totalTokenCount: 25 }), part('STOP', {})]),
    FIVE,
  ],
];

const FIGURES = [
  [/^llm_tokens_total\{.*type="(\w+)"/],
  [/^llm_token_details_total\{.*detail="(\w+)"/],
  [/^llm_server_tool_calls_total\{.*tool="(\w+)"/],
  [/^llm_usage_missing_total/, 'missing'],
  [/^llm_unpriced_requests_total/, 'unpriced'],
  [/^llm_cost_usd_total/, 'cost'],
];

/** What was recorded, in the form of the table. */
async function figures(registry) {
  const found = {};
  for (const line of await recorded(registry)) {
    const [, status] = /^llm_requests_total\{.*status="(\w+)"/.exec(line) ?? [];
    if (status !== undefined && status !== 'success') found.status = status;
    const [, error] = /^llm_errors_total\{.*error_type="(\w+)"/.exec(line) ?? [];
    if (error !== undefined) found.error = error;
    for (const [pattern, name] of FIGURES) {
      const match = pattern.exec(line);
      if (match) found[name ?? match[1]] = Number(Number(line.slice(line.lastIndexOf(' '))).toFixed(10));
    }
  }
  return found;
}

for (const [title, { instrument, connect, ask }, answer, expected] of ROWS) {
  test(title, async (t) => {
    const wire = await WireServer.start(t);
    const { registry, llm } = collectors({ llm: { prices: { m: PRICE } } });
    const client = connect(wire.url);
    instrument(client, { collector: llm, provider: 'p' });
    wire.answer(answer);
    await ask(client).catch((error) => t.truthy(expected.error, String(error)));
    await new Promise(setImmediate);
    t.deepEqual(await figures(registry), expected);
    t.false((await recorded(registry)).some((line) => line.startsWith('llm_active_requests')));
  });
}

test('the first request to a model that was unknown leaves no series of `other`', async (t) => {
  const headers = {
    'x-ratelimit-limit-requests': '10',
    'x-ratelimit-remaining-requests': '9',
    'anthropic-ratelimit-requests-limit': '10',
    'anthropic-ratelimit-requests-remaining': '9',
  };
  const answers = [
    [CHAT, { model: 'new', choices: [], usage: tokens(20, 10) }],
    [MESSAGE, message({ model: 'new' })],
    [CONTENT, part('STOP', { promptTokenCount: 20, totalTokenCount: 25 })],
  ];
  for (const [{ instrument, ask }, body] of answers) {
    const wire = await WireServer.start(t);
    const registry = new Registry();
    const collector = new LlmMetricsCollector({ registry, optional: { attemptDuration: true } });
    const client = retrying(instrument, wire.url);
    instrument(client, { collector, provider: 'p' });
    wire.answer(json({}, { status: 503 }), json(body, { headers }));
    await ask(client);
    const lines = (await registry.metrics()).split('\n');
    t.deepEqual(
      lines.filter((line) => line.includes('model="other"')),
      [],
    );
    t.is(lines.filter((line) => /^llmdevops_llm_retries_total\{model="m",.* 1$/.test(line)).length, 1);
  }
});

/** A client that tries twice. */
function retrying(instrument, url) {
  if (instrument === instrumentOpenAI) return new OpenAI({ ...SETTINGS, baseURL: url, maxRetries: 1 });
  if (instrument === instrumentAnthropic) return new Anthropic({ ...SETTINGS, baseURL: url, maxRetries: 1 });
  return new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: url, retryOptions: { attempts: 2 } } });
}
