// Tests requests whose answer comes with a later request: background responses and batches. What they used counts once,
// however often a program retrieves it. Also compactions, and answers in which a second model took part.

import Anthropic from '@anthropic-ai/sdk';
import { instrumentAnthropic } from '@llm-devops/prometheus-metrics/anthropic';
import { instrumentOpenAI } from '@llm-devops/prometheus-metrics/openai';
import test from 'ava';
import OpenAI from 'openai';
import { chunksOf, short, worldOf } from './support/api-client.mjs';
import { message, messageStream } from './support/messages.mjs';
import { sameLines } from './support/recorded.mjs';
import { events, json } from './support/wire-server.mjs';

const settings = { apiKey: 'k', maxRetries: 0, timeout: 5_000, logLevel: 'off' };
const prices = { m: { input: 1_000_000, output: 2_000_000, tiers: { batch: { input: 500_000, output: 1_000_000 } } } };
const openai = (t, llm = {}) =>
  worldOf(t, { instrument: instrumentOpenAI, connect: (baseURL) => new OpenAI({ ...settings, baseURL }), llm });
const anthropic = (t, llm = {}) =>
  worldOf(t, { instrument: instrumentAnthropic, connect: (baseURL) => new Anthropic({ ...settings, baseURL }), llm });

const USAGE = {
  input_tokens: 20,
  input_tokens_details: { cached_tokens: 8 },
  output_tokens: 10,
  output_tokens_details: { reasoning_tokens: 4 },
  total_tokens: 30,
};
const text = { type: 'output_text', text: 'hi', annotations: [] };
const MESSAGE_ITEM = { type: 'message', id: 'i', role: 'assistant', status: 'completed', content: [text] };
const background = (status, more = {}) => ({
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  model: 'm',
  background: true,
  error: null,
  output: [],
  usage: null,
  status,
  ...more,
});
const COMPLETED = background('completed', { usage: USAGE, output: [MESSAGE_ITEM] });

const REQUESTED = [
  'llm_requests_total{operation="chat",status="success"} 1',
  'llm_request_duration_seconds_count{operation="chat"} 1',
];
const USED = [
  'llm_tokens_total{type="input"} 20',
  'llm_tokens_total{type="output"} 10',
  'llm_token_details_total{detail="cache_read"} 8',
  'llm_token_details_total{detail="reasoning"} 4',
  'llm_unpriced_requests_total 1',
];
const finished = (reason) => `llm_finish_reasons_total{reason="${reason}"} 1`;

test('a background response is a request when it is made, and has its tokens when it is retrieved, once', async (t) => {
  const { client, bare, wire, lines } = await openai(t);
  wire.answer(json(background('queued')));
  const { id } = await client.responses.create({ model: 'm', input: 'hi', background: true });
  t.deepEqual(await lines(), REQUESTED);
  wire.answer(json(background('in_progress')));
  await client.responses.retrieve(id);
  t.deepEqual(await lines(), REQUESTED);
  wire.always(json(COMPLETED));
  const got = [];
  for (const from of [client, client, client.withOptions({ timeout: 9_000 }), bare])
    got.push(await from.responses.retrieve(id));
  await client.beta.responses.retrieve(id);
  await client.responses.retrieve(id).withResponse();
  await client.responses.retrieve(id).asResponse();
  for (const each of got) t.deepEqual(each, got[0]);
  sameLines(t, await lines(), [REQUESTED, USED, finished('stop')]);
});

test('a background response that failed, and one that was cancelled', async (t) => {
  for (const [answer, retrieve, expected] of [
    [
      background('failed', { error: { code: 'rate_limit_exceeded', message: 'no' } }),
      (client) => client.responses.retrieve('resp_1'),
      [finished('error'), 'llm_errors_total{error_type="rate_limit"} 1'],
    ],
    [
      background('cancelled'),
      (client) => client.responses.cancel('resp_1'),
      ['llm_errors_total{error_type="cancelled"} 1'],
    ],
    [
      background('incomplete', { incomplete_details: { reason: 'max_output_tokens' }, usage: USAGE }),
      (client) => client.responses.retrieve('resp_1'),
      [USED, finished('length')],
    ],
  ]) {
    const { client, wire, lines } = await openai(t);
    wire.answer(json(background('queued')));
    await client.responses.create({ model: 'm', input: 'hi', background: true });
    wire.always(json(answer));
    await retrieve(client);
    await retrieve(client);
    sameLines(t, await lines(), [REQUESTED, expected.flat()]);
  }
});

const streamOf = (response) => [
  { type: 'response.created', response: background('in_progress') },
  {
    type: 'response.output_text.delta',
    item_id: 'i',
    output_index: 0,
    content_index: 0,
    sequence_number: 1,
    delta: 'hi',
  },
  { type: 'response.completed', response },
];

test('a background response that was streamed to its end does not count again', async (t) => {
  const { client, wire, lines } = await openai(t);
  wire.answer(events(streamOf(COMPLETED)), json(COMPLETED));
  await chunksOf(await client.responses.create({ model: 'm', input: 'hi', background: true, stream: true }));
  const before = await lines();
  t.true(before.includes(USED[0]));
  await client.responses.retrieve('resp_1');
  t.deepEqual(await lines(), before);
});

test('the rest of a background response can be streamed', async (t) => {
  const { client, wire, lines } = await openai(t);
  wire.always(events(streamOf(COMPLETED)));
  for (let twice = 0; twice < 2; twice++) await chunksOf(await client.responses.retrieve('resp_1', { stream: true }));
  sameLines(t, await lines(), [USED, finished('stop')]);
});

test('an ordinary response that is retrieved was counted when it was made', async (t) => {
  const { client, wire, lines } = await openai(t);
  wire.answer(json({ ...COMPLETED, background: false }), json({ data: [], object: 'list' }));
  await client.responses.retrieve('resp_1');
  await client.responses.inputItems.list('resp_1');
  t.deepEqual(await lines(), []);
});

test('a compaction of a conversation is a request', async (t) => {
  const { client, bare, wire, lines } = await openai(t);
  const answer = { id: 'c', object: 'response.compaction', created_at: 1, output: [], usage: USAGE };
  wire.always(json(answer));
  t.deepEqual(await client.responses.compact({ model: 'm' }), await bare.responses.compact({ model: 'm' }));
  sameLines(t, await lines(), [
    'llm_requests_total{operation="other",status="success"} 1',
    'llm_request_duration_seconds_count{operation="other"} 1',
    USED,
  ]);
});

const BATCH = {
  id: 'batch_1',
  object: 'batch',
  endpoint: '/v1/chat/completions',
  completion_window: '24h',
  created_at: 1,
  input_file_id: 'f',
};

test("OpenAI's batch counts its requests and tokens when it has ended, at the price of batches", async (t) => {
  const { client, wire, lines } = await openai(t, { prices });
  wire.answer(json({ ...BATCH, status: 'validating' }), json({ ...BATCH, status: 'in_progress', model: 'm' }));
  await client.batches.create({ input_file_id: 'f', endpoint: '/v1/chat/completions', completion_window: '24h' });
  await client.batches.retrieve('batch_1');
  t.deepEqual(await lines(), []);
  const counts = { total: 5, completed: 3, failed: 2 };
  wire.always(json({ ...BATCH, status: 'completed', model: 'm', request_counts: counts, usage: USAGE }));
  await client.batches.retrieve('batch_1');
  await client.batches.retrieve('batch_1');
  sameLines(t, await lines(), [
    'llm_requests_total{operation="chat",status="success"} 3',
    'llm_requests_total{operation="chat",status="error"} 2',
    'llm_errors_total{error_type="other"} 2',
    USED.filter((line) => !line.includes('unpriced')),
    'llm_cost_usd_total 20',
  ]);
});

const MESSAGE = message({ usage: { input_tokens: 20, output_tokens: 10, service_tier: 'batch' } });
const RESULTS = [
  { custom_id: '1', result: { type: 'succeeded', message: MESSAGE } },
  {
    custom_id: '2',
    result: { type: 'errored', error: { type: 'error', error: { type: 'overloaded_error', message: 'no' } } },
  },
  { custom_id: '3', result: { type: 'canceled' } },
  { custom_id: '4', result: { type: 'expired' } },
  { custom_id: '5', result: { type: 'succeeded', message: MESSAGE } },
];

for (const place of ['messages', 'beta']) {
  test(`the results of Anthropic's batch count once each, of ${place}`, async (t) => {
    const { client, bare, wire, registry } = await anthropic(t, { prices });
    const at = (from) => (place === 'beta' ? from.beta.messages.batches : from.messages.batches);
    wire.always((response, { path }) => {
      if (path.includes('/results')) {
        response.writeHead(200, { 'content-type': 'application/x-jsonl' });
        response.end(`${RESULTS.map((line) => JSON.stringify(line)).join('\n')}\n`);
      } else {
        json({
          id: 'b',
          type: 'message_batch',
          processing_status: 'ended',
          results_url: `${wire.url}/v1/messages/batches/b/results`,
        })(response);
      }
    });
    await at(client).create({ requests: [{ custom_id: '1', params: { model: 'm', max_tokens: 1, messages: [] } }] });
    // The first reading stops early; the second goes on where that ended.
    for await (const { custom_id } of await at(client).results('b')) if (custom_id === '2') break;
    const all = await chunksOf(await at(client).results('b'));
    t.deepEqual(all, await chunksOf(await at(bare).results('b')));
    await chunksOf(await at(client).results('b'));
    const lines = (await short(registry)).filter((line) => !line.includes('provider="p"') || !line.includes(' 0'));
    sameLines(t, lines, [
      'llm_requests_total{operation="chat",status="success"} 2',
      'llm_requests_total{model="other",provider="p",operation="chat",status="error"} 1',
      'llm_requests_total{model="other",provider="p",operation="chat",status="cancelled"} 1',
      'llm_requests_total{model="other",provider="p",operation="chat",status="timeout"} 1',
      'llm_errors_total{model="other",provider="p",error_type="overloaded"} 1',
      'llm_errors_total{model="other",provider="p",error_type="cancelled"} 1',
      'llm_errors_total{model="other",provider="p",error_type="timeout"} 1',
      'llm_tokens_total{type="input"} 40',
      'llm_tokens_total{type="output"} 20',
      'llm_cost_usd_total 40',
      'llm_finish_reasons_total{reason="stop"} 2',
    ]);
  });
}

test('tokens of an advisor count for its own model, in answers and streams, and for the agent', async (t) => {
  const advisor = { type: 'advisor_message', model: 'claude-opus-5-5', input_tokens: 100, output_tokens: 50 };
  const usage = {
    input_tokens: 20,
    output_tokens: 10,
    iterations: [{ type: 'message', input_tokens: 20, output_tokens: 10 }, advisor],
  };
  const { client, wire, agents, registry } = await anthropic(t, {
    prices: { ...prices, 'claude-opus-5-5': { input: 10_000_000, output: 20_000_000 } },
  });
  const asked = { model: 'm', max_tokens: 9, messages: [] };
  wire.answer(json(message({ usage })), messageStream(usage));
  await agents.run('writer', async () => {
    await client.beta.messages.create(asked);
    await chunksOf(await client.messages.create({ ...asked, stream: true }));
  });
  const lines = (await short(registry)).filter((line) => /^llm_requests_total|tokens_total|cost/.test(line));
  sameLines(t, lines, [
    'llm_requests_total{operation="chat",status="success"} 2',
    'llm_tokens_total{type="input"} 40',
    'llm_tokens_total{type="output"} 20',
    'llm_tokens_total{model="claude-opus-5-5",provider="p",type="input"} 200',
    'llm_tokens_total{model="claude-opus-5-5",provider="p",type="output"} 100',
    'llm_cost_usd_total 80',
    'llm_cost_usd_total{model="claude-opus-5-5",provider="p"} 4000',
    'agent_tokens_total{agent_type="writer",type="input"} 240',
    'agent_tokens_total{agent_type="writer",type="output"} 120',
    'agent_cost_usd_total{agent_type="writer"} 4080',
  ]);
});
