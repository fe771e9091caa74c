// Tests Anthropic's SDK against a server that speaks its wire format: everything that is recorded, for each way to make
// a request and each way in which it can end.

import Anthropic from '@anthropic-ai/sdk';
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema';
import { instrumentAnthropic } from '@llm-devops/prometheus-metrics/anthropic';
import test from 'ava';
import { chunksOf, collected, outcome, short, worldOf } from './support/api-client.mjs';
import { message, named } from './support/messages.mjs';
import { timedOutIn } from './support/signals.mjs';
import { cut, events, json, silence } from './support/wire-server.mjs';

const connect = (baseURL) => new Anthropic({ apiKey: 'k', baseURL, maxRetries: 0, timeout: 5_000, logLevel: 'off' });
const world = (t, options = {}, llm = {}) => worldOf(t, { instrument: instrumentAnthropic, connect, options, llm });

const ASKED = { model: 'm', max_tokens: 100, messages: [{ role: 'user', content: 'hello' }] };
const USAGE = {
  input_tokens: 9,
  cache_read_input_tokens: 8,
  cache_creation_input_tokens: 3,
  output_tokens: 10,
  output_tokens_details: { thinking_tokens: 4 },
};
const MESSAGE = message({ usage: USAGE });

const STARTED = [
  {
    type: 'message_start',
    message: {
      ...MESSAGE,
      content: [],
      stop_reason: null,
      usage: { ...USAGE, output_tokens: 1, output_tokens_details: null },
    },
  },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'é€' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: '😀' } },
];
const STREAM = [
  ...STARTED,
  { type: 'content_block_stop', index: 0 },
  {
    type: 'message_delta',
    delta: { stop_reason: 'end_turn', stop_sequence: null },
    usage: { output_tokens: 10, input_tokens: null, output_tokens_details: { thinking_tokens: 4 } },
  },
  { type: 'message_stop' },
];

const SUCCESS = [
  'llm_requests_total{operation="chat",status="success"} 1',
  'llm_request_duration_seconds_count{operation="chat"} 1',
];
const FAILED = (type, status = 'error', more = []) => [
  `llm_requests_total{operation="chat",status="${status}"} 1`,
  'llm_request_duration_seconds_count{operation="chat"} 1',
  ...more,
  `llm_errors_total{error_type="${type}"} 1`,
];
const tokens = (output) => ['llm_tokens_total{type="input"} 20', `llm_tokens_total{type="output"} ${output}`];
const CACHED = ['llm_token_details_total{detail="cache_read"} 8', 'llm_token_details_total{detail="cache_write"} 3'];
const REASONED = 'llm_token_details_total{detail="reasoning"} 4';
const UNPRICED = 'llm_unpriced_requests_total 1';
const finished = (reason) => `llm_finish_reasons_total{reason="${reason}"} 1`;
const broken = (who) => `llm_streaming_interrupted_total{reason="${who}"} 1`;
const streamed = (chunks) => [
  'llm_streaming_requests_total 1',
  `llm_streaming_chunks_total ${chunks}`,
  'llm_streaming_time_to_first_token_seconds_count 1',
];
const PER_TOKEN = 'llm_streaming_time_per_output_token_seconds_count 1';
const WHOLE = [...SUCCESS, ...tokens(10), ...CACHED, REASONED, UNPRICED, finished('stop')];
const WHOLE_STREAM = [...WHOLE, ...streamed(7), PER_TOKEN];
/** A broken stream: the tokens reported before the break were paid for. */
const BROKEN = (type, status, who) => [
  ...FAILED(type, status, [...tokens(1), ...CACHED]),
  UNPRICED,
  ...streamed(4),
  broken(who),
];

/** The two places of the API that make messages. */
const PLACES = { messages: (client) => client.messages, 'beta.messages': (client) => client.beta.messages };

for (const [place, at] of Object.entries(PLACES)) {
  test(`${place}.create()`, async (t) => {
    const { client, bare, wire, lines } = await world(t);
    wire.always(json(MESSAGE));
    t.deepEqual(await at(client).create(ASKED), await at(bare).create(ASKED));
    t.deepEqual(wire.requests[0].body, wire.requests[1].body);
    t.deepEqual(await lines(), WHOLE);
  });

  test(`${place}.create() streamed, in pieces that split characters`, async (t) => {
    const { client, bare, wire, lines } = await world(t);
    wire.always(events(named(STREAM), { pieceBytes: 7 }));
    const ask = async (from) => chunksOf(await at(from).create({ ...ASKED, stream: true }));
    t.deepEqual(await ask(client), await ask(bare));
    t.deepEqual(await lines(), WHOLE_STREAM);
  });

  test(`${place}.stream()`, async (t) => {
    const { client, bare, wire, lines } = await world(t);
    wire.always(events(named(STREAM)));
    const ask = async (from) => {
      const stream = at(from).stream(ASKED);
      const texts = [];
      stream.on('text', (text) => texts.push(text));
      const message = await stream.finalMessage();
      return [message, texts, stream.response.status];
    };
    t.deepEqual(await ask(client), await ask(bare));
    t.deepEqual(await lines(), WHOLE_STREAM);
  });

  test(`${place}.stream() that is aborted, and one that its reader leaves`, async (t) => {
    const { client, wire, lines } = await world(t);
    wire.always(events(named(STARTED), { end: 'hang' }));
    const stream = at(client).stream(ASKED);
    stream.on('text', (_delta, text) => text === 'é€😀' && stream.abort());
    t.is((await outcome(() => stream.finalMessage())).error, 'APIUserAbortError');
    t.deepEqual(await lines(), BROKEN('cancelled', 'cancelled', 'client'));
    for await (const event of at(client).stream(ASKED)) if (event.type === 'content_block_delta') break;
    // Leaving aborts the SDK's own reading of the stream, which ends a turn later.
    await new Promise(setImmediate);
    const [requests] = await lines();
    t.is(requests, 'llm_requests_total{operation="chat",status="cancelled"} 2');
  });

  test(`${place}.parse()`, async (t) => {
    const { client, bare, wire, lines } = await world(t);
    wire.always(json(MESSAGE));
    t.deepEqual(await at(client).parse(ASKED), await at(bare).parse(ASKED));
    t.deepEqual(await lines(), WHOLE);
  });
}

for (const [said, reason] of [
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['stop_sequence', 'stop'],
  ['tool_use', 'tool_calls'],
  ['refusal', 'refusal'],
  ['pause_turn', 'other'],
]) {
  test(`a message that stops with ${said} is counted as ${reason}`, async (t) => {
    const { client, wire, lines } = await world(t);
    wire.answer(json({ ...MESSAGE, stop_reason: said, usage: { input_tokens: 1, output_tokens: 2 } }));
    await client.messages.create(ASKED);
    t.deepEqual(await lines(), [
      ...SUCCESS,
      'llm_tokens_total{type="input"} 1',
      'llm_tokens_total{type="output"} 2',
      UNPRICED,
      finished(reason),
    ]);
  });
}

test('a message without usage', async (t) => {
  const { client, wire, lines } = await world(t);
  wire.answer(json({ ...MESSAGE, usage: null }));
  await client.messages.create(ASKED);
  t.deepEqual(await lines(), [...SUCCESS, 'llm_usage_missing_total 1', finished('stop')]);
});

test('the tool runner makes one request per turn', async (t) => {
  const { client, wire, lines } = await world(t);
  const use = [{ type: 'tool_use', id: 't', name: 'add', input: {} }];
  wire.answer(json({ ...MESSAGE, content: use, stop_reason: 'tool_use' }), json(MESSAGE));
  const add = betaTool({ name: 'add', description: '', inputSchema: { type: 'object' }, run: () => '1' });
  const message = await client.beta.messages.toolRunner({ ...ASKED, tools: [add] });
  t.is(message.content[0].text, 'hi');
  const counted = (await lines()).filter((line) => /requests_total\{|finish|active/.test(line));
  t.deepEqual(counted, [
    'llm_requests_total{operation="chat",status="success"} 2',
    finished('tool_calls'),
    finished('stop'),
  ]);
});

test('a turn of a thread is one request; of a streamed turn, only the answer is seen', async (t) => {
  const { client, bare, wire, lines } = await world(t);
  const { messages, ...settings } = ASKED;
  const ask = async (from) => {
    const thread = from.beta.messages.thread(settings);
    wire.answer(json(MESSAGE), events(named(STREAM)), json({ error: {} }, { status: 400 }));
    const sent = await thread.send(messages);
    const streaming = await thread.stream(messages).finalMessage();
    return [sent, streaming, await outcome(() => thread.send(messages))];
  };
  t.deepEqual(await ask(client), await ask(bare));
  t.deepEqual(await lines(), [
    'llm_requests_total{operation="chat",status="success"} 2',
    'llm_requests_total{operation="chat",status="error"} 1',
    'llm_request_duration_seconds_count{operation="chat"} 3',
    ...tokens(10),
    ...CACHED,
    REASONED,
    'llm_errors_total{error_type="invalid_request"} 1',
    UNPRICED,
    'llm_usage_missing_total 1',
    finished('stop'),
  ]);
});

for (const [status, kind, type, ends] of [
  [400, 'invalid_request_error', 'invalid_request'],
  [401, 'authentication_error', 'authentication'],
  [402, 'billing_error', 'quota_exceeded'],
  [403, 'permission_error', 'permission'],
  [404, 'not_found_error', 'not_found'],
  [408, 'timeout_error', 'timeout', 'timeout'],
  [409, 'invalid_request_error', 'invalid_request'],
  [413, 'request_too_large', 'request_too_large'],
  [422, 'invalid_request_error', 'invalid_request'],
  [429, 'rate_limit_error', 'rate_limit'],
  [500, 'api_error', 'server_error'],
  [503, 'unknown', 'overloaded'],
  [504, 'timeout_error', 'timeout', 'timeout'],
  [529, 'overloaded_error', 'overloaded'],
]) {
  test(`status ${status} ${kind} is ${type}`, async (t) => {
    const { client, bare, wire, lines } = await world(t);
    wire.always(json({ type: 'error', error: { type: kind, message: 'no' } }, { status }));
    const ask = (from) => outcome(() => from.messages.create(ASKED));
    t.deepEqual(await ask(client), await ask(bare));
    t.deepEqual(await lines(), FAILED(type, ends));
  });
}

test('a broken connection, a timeout, an abort and an answer that is not JSON', async (t) => {
  for (const [answer, options, error, expected] of [
    [cut(), {}, 'APIConnectionError', FAILED('connection')],
    [silence(), { timeout: 60 }, 'APIConnectionTimeoutError', FAILED('timeout', 'timeout')],
    [silence(), { signal: timedOutIn(100) }, 'APIUserAbortError', FAILED('timeout', 'timeout')],
    [json('{"content": ['), {}, 'SyntaxError', FAILED('invalid_response')],
  ]) {
    const { client, wire, lines } = await world(t);
    wire.answer(answer);
    t.is((await outcome(() => client.messages.create(ASKED, options))).error, error);
    t.deepEqual(await lines(), expected);
  }
});

test('a call that the SDK rejects before it sends a request is not a request', async (t) => {
  const { client, bare, wire, lines } = await world(t);
  const ask = (from) =>
    outcome(() => from.messages.create({ ...ASKED, max_tokens: 1_000_000 }, { timeout: undefined }));
  for (const from of [client, bare]) from._options.timeout = undefined;
  t.deepEqual(await ask(client), await ask(bare));
  t.is(wire.requests.length, 0);
  t.deepEqual(await lines(), []);
});

test('an error within a stream, a stream that is cut, and one that ends too early', async (t) => {
  const overloaded = { type: 'error', error: { type: 'overloaded_error', message: 'busy' } };
  for (const [answer, type, error] of [
    [events(named([...STARTED, overloaded])), 'overloaded', 'APIError'],
    [events(named(STARTED), { end: 'cut' }), 'stream_interrupted', 'TypeError'],
    [events(named(STARTED)), 'stream_interrupted', undefined],
  ]) {
    const { client, bare, wire, lines } = await world(t);
    wire.always(answer);
    const ask = (from) => outcome(async () => chunksOf(await from.messages.create({ ...ASKED, stream: true })));
    const ended = await ask(client);
    t.deepEqual(ended, await ask(bare));
    t.is(ended.error, error);
    t.deepEqual(await lines(), BROKEN(type, 'error', 'provider'));
  }
});

test('a request is cancelled when its reader leaves', async (t) => {
  const { client, wire, lines } = await world(t);
  wire.answer(events(named(STARTED), { end: 'hang' }));
  const stream = await client.messages.create({ ...ASKED, stream: true });
  for await (const event of stream) if (event.delta?.text === '😀') break;
  t.true(stream.controller.signal.aborted);
  t.deepEqual(await lines(), BROKEN('cancelled', 'cancelled', 'client'));
});

test('an unread stream counts as cancelled after garbage collection', async (t) => {
  const { client, wire, lines } = await world(t);
  wire.answer(events(named(STREAM)));
  await (async () => {
    await client.messages.create({ ...ASKED, stream: true });
    t.deepEqual(await lines(), ['llm_active_requests 1']);
  })();
  t.true(await collected(async () => (await lines()).length === 0));
});

test("the SDK's own ways to read an answer", async (t) => {
  const { client, bare, wire, lines } = await world(t);
  wire.always(json(MESSAGE, { headers: { 'request-id': 'r' } }));
  const both = [];
  for (const from of [client, bare]) {
    const asking = from.messages.create(ASKED);
    const [response, answer] = await Promise.all([asking.asResponse(), asking]);
    const { data, request_id } = await from.messages.create(ASKED).withResponse();
    const raw = await from.messages.create(ASKED).asResponse();
    both.push([response.status, answer, data, request_id, await raw.json(), asking.constructor.name]);
  }
  t.deepEqual(both[0], both[1]);
  const counted = (await lines()).filter((line) => /requests_total\{|usage_missing|active/.test(line));
  t.deepEqual(counted, ['llm_requests_total{operation="chat",status="success"} 3', 'llm_usage_missing_total 1']);
});

test('tee() and readable streams of a stream', async (t) => {
  const { client, bare, wire, lines } = await world(t);
  wire.always(events(named(STREAM)));
  const both = [];
  for (const from of [client, bare]) {
    const [left, right] = (await from.messages.create({ ...ASKED, stream: true })).tee();
    const branches = [await chunksOf(left), await chunksOf(right)];
    const readable = (await from.messages.create({ ...ASKED, stream: true })).toReadableStream();
    both.push([branches, await new Response(readable).text()]);
  }
  t.deepEqual(both[0], both[1]);
  t.is((await lines())[0], 'llm_requests_total{operation="chat",status="success"} 2');
});

test('retries count by the error of the attempt before', async (t) => {
  const { client, wire, lines } = await world(t);
  client.maxRetries = 4;
  const failing = (status) => json({ error: {} }, { status, headers: { 'retry-after-ms': '1' } });
  wire.answer(cut(), silence(), failing(429), failing(529), json(MESSAGE));
  await client.messages.create(ASKED, { timeout: 1_000 });
  t.deepEqual(await lines(), [
    ...WHOLE,
    'llm_retries_total{error_type="connection"} 1',
    'llm_retries_total{error_type="timeout"} 1',
    'llm_retries_total{error_type="rate_limit"} 1',
    'llm_retries_total{error_type="overloaded"} 1',
  ]);
});

test('rate limits are read from headers', async (t) => {
  const { client, wire, lines } = await world(t);
  const said = { requests: 50, tokens: 8_000, 'input-tokens': 5_000, 'output-tokens': 3_000 };
  const headers = Object.entries(said).flatMap(([resource, limit]) => [
    [`anthropic-ratelimit-${resource}-limit`, String(limit)],
    [`anthropic-ratelimit-${resource}-remaining`, String(limit - 1)],
  ]);
  wire.answer(json(MESSAGE, { headers: Object.fromEntries(headers) }));
  await client.messages.create(ASKED);
  t.deepEqual((await lines()).slice(WHOLE.length), [
    'llm_ratelimit_remaining{resource="requests"} 49',
    'llm_ratelimit_remaining{resource="tokens"} 7999',
    'llm_ratelimit_remaining{resource="input_tokens"} 4999',
    'llm_ratelimit_remaining{resource="output_tokens"} 2999',
    'llm_ratelimit_limit{resource="requests"} 50',
    'llm_ratelimit_limit{resource="tokens"} 8000',
    'llm_ratelimit_limit{resource="input_tokens"} 5000',
    'llm_ratelimit_limit{resource="output_tokens"} 3000',
  ]);
});

test('tokens and cost count for the agent that made the request', async (t) => {
  const prices = { m: { input: 1_000_000, output: 2_000_000, cacheRead: 500_000, cacheWrite: 1_000_000 } };
  const { client, wire, agents, registry } = await world(t, {}, { prices });
  wire.answer(json(MESSAGE));
  await agents.run('writer', () => client.messages.create(ASKED));
  const counted = (await short(registry)).filter((line) => /^agent_(tokens|cost)/.test(line));
  t.deepEqual(counted, [
    'agent_tokens_total{agent_type="writer",type="input"} 20',
    'agent_tokens_total{agent_type="writer",type="output"} 10',
    'agent_cost_usd_total{agent_type="writer"} 36',
  ]);
});
