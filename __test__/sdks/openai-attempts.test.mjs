// Tests retries of OpenAI's SDK, rate limits, and the agent and the provider of a request.

import { instrumentOpenAI } from '@llm-devops/prometheus-metrics/openai';
import test from 'ava';
import OpenAI, { AzureOpenAI } from 'openai';
import { chunksOf, outcome, short } from './support/api-client.mjs';
import {
  ASKED,
  CHAT_STREAM,
  chat,
  chunk,
  DETAILS,
  FAILURE,
  finished,
  SUCCESS,
  TOKENS,
  UNPRICED,
  world,
} from './support/openai.mjs';
import { cut, events, json, silence } from './support/wire-server.mjs';

test('retries count by the error of the attempt before', async (t) => {
  const { client, wire, lines } = await world(t);
  client.maxRetries = 5;
  const again = { 'retry-after-ms': '1' };
  const failing = (status) => json({ error: { message: 'no' } }, { status, headers: again });
  // Those without an answer come first, because the SDK's pause doubles before each retry.
  wire.answer(cut(), silence(), failing(429), failing(503), failing(500), chat());
  await client.chat.completions.create(ASKED, { timeout: 1_000 });
  t.is(wire.requests.length, 6);
  t.deepEqual(await lines(), [
    ...SUCCESS('chat'),
    ...TOKENS,
    ...DETAILS,
    UNPRICED,
    finished('stop'),
    'llm_retries_total{error_type="connection"} 1',
    'llm_retries_total{error_type="timeout"} 1',
    'llm_retries_total{error_type="rate_limit"} 1',
    'llm_retries_total{error_type="overloaded"} 1',
    'llm_retries_total{error_type="server_error"} 1',
  ]);
});

test('retries of simultaneous requests are kept apart, and a late body is a timeout', async (t) => {
  const { client, wire, lines } = await world(t);
  client.maxRetries = 1;
  const again = { headers: { 'retry-after-ms': '1' } };
  const tries = { a: 0, b: 0 };
  wire.always((response, request) => {
    const { user } = request.body;
    if (tries[user]++ > 0) return chat()(response, request);
    if (user === 'a') return json({ error: {} }, { status: 429, ...again })(response, request);
    return response.writeHead(200, { 'content-type': 'application/json' }).write('{');
  });
  await Promise.all(['a', 'b'].map((user) => client.chat.completions.create({ ...ASKED, user }, { timeout: 1_000 })));
  const retries = (await lines()).filter((line) => line.startsWith('llm_retries'));
  t.deepEqual(retries, ['llm_retries_total{error_type="rate_limit"} 1', 'llm_retries_total{error_type="timeout"} 1']);
});

test('rate limits are read from headers', async (t) => {
  const { client, wire, lines } = await world(t);
  const headers = {
    'x-ratelimit-limit-requests': '100',
    'x-ratelimit-remaining-requests': '99',
    'x-ratelimit-remaining-tokens': '5000',
    'x-ratelimit-limit-tokens': 'many',
  };
  wire.answer(json({ error: { message: 'no' } }, { status: 400, headers }));
  await outcome(() => client.chat.completions.create(ASKED));
  t.deepEqual(await lines(), [
    ...FAILURE('invalid_request'),
    'llm_ratelimit_remaining{resource="requests"} 99',
    'llm_ratelimit_remaining{resource="tokens"} 5000',
    'llm_ratelimit_limit{resource="requests"} 100',
  ]);
});

test('the time of a limit’s reset is read from headers', async (t) => {
  const { client, wire, registry } = await world(t);
  const headers = { 'x-ratelimit-remaining-requests': '9', 'x-ratelimit-reset-requests': '6m0s' };
  wire.answer(json({ error: { message: 'no' } }, { status: 400, headers }));
  const before = Date.now() / 1000;
  await outcome(() => client.chat.completions.create(ASKED));
  const [, reset] = /^llmdevops_llm_ratelimit_reset_timestamp_seconds\{.*\} (.+)$/m.exec(await registry.metrics());
  t.true(before + 360 <= Number(reset) && Number(reset) <= Date.now() / 1000 + 360, reset);
});

test('each attempt is timed on request, also one that fails or gets no answer', async (t) => {
  const options = { prices: { m: { input: 1, output: 1 } }, optional: { attemptDuration: true } };
  const { client, wire, lines } = await world(t, {}, options);
  client.maxRetries = 3;
  const busy = json({ error: { message: 'no' } }, { status: 429, headers: { 'retry-after-ms': '1' } });
  wire.answer(cut(), busy, chat());
  await client.chat.completions.create(ASKED);
  const timed = (await lines()).filter((line) => /attempt|request_duration/.test(line));
  t.deepEqual(timed, [
    'llm_request_duration_seconds_count{operation="chat"} 1',
    'llm_attempt_duration_seconds_count 3',
  ]);
});

test('tokens and cost count for the agent that made the request, not for the reader of the stream', async (t) => {
  const prices = { m: { input: 1_000_000, output: 2_000_000 } };
  const { client, wire, agents, registry } = await world(t, { includeUsage: true }, { prices });
  const usage = { ...chunk({}), choices: [], usage: { prompt_tokens: 2, completion_tokens: 3 } };
  wire.answer(events([...CHAT_STREAM.slice(0, -1), usage, '[DONE]']));
  const stream = await agents.run('writer', () => client.chat.completions.create({ ...ASKED, stream: true }));
  await chunksOf(stream);
  const counted = (await short(registry)).filter((line) => /^agent_(tokens|cost)/.test(line));
  t.deepEqual(counted, [
    'agent_tokens_total{agent_type="writer",type="input"} 2',
    'agent_tokens_total{agent_type="writer",type="output"} 3',
    'agent_cost_usd_total{agent_type="writer"} 8',
  ]);
});

test('the provider follows from the client’s base URL', async (t) => {
  const { wire, llm, registry } = await world(t);
  wire.always(chat(undefined, 'stop', null));
  const to = (url, init) => fetch(wire.url, { method: 'POST', body: init.body, headers: { asked: String(url) } });
  const clients = [
    new OpenAI({ apiKey: 'k', fetch: to }),
    new OpenAI({ apiKey: 'k', baseURL: 'https://openrouter.ai/api/v1', fetch: to }),
    new OpenAI({ apiKey: 'k', baseURL: 'https://llm.example.com/v1', fetch: to }),
    new AzureOpenAI({ apiKey: 'k', apiVersion: '1', endpoint: 'https://x.openai.azure.com', fetch: to }),
  ];
  for (const client of clients) {
    t.teardown(instrumentOpenAI(client, { collector: llm, providers: { 'llm.example.com': 'own' } }));
    await client.chat.completions.create(ASKED);
  }
  const found = (await short(registry)).filter((line) => line.startsWith('llm_requests_total'));
  t.deepEqual(
    found.map((line) => line.match(/provider="(.*?)"/)[1]),
    ['openai', 'openrouter', 'own', 'azure'],
  );
  t.regex(wire.requests[3].headers.asked, /deployments\/m\/chat\/completions/);
});
