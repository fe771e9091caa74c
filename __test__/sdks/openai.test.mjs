// OpenAI's SDK against a server that speaks its wire format: what is recorded, whole, for each endpoint and each way that
// a request can end.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { instrumentOpenAI } from '@llm-devops/prometheus-metrics/openai';
import test from 'ava';
import OpenAI, { AzureOpenAI } from 'openai';
import { chunksOf, collected, outcome, short, worldOf } from './support/stainless.mjs';
import { cut, events, json, silence } from './support/wire-server.mjs';

setFlagsFromString('--expose-gc');
globalThis.gc = runInNewContext('gc');

const connect = (baseURL) => new OpenAI({ apiKey: 'k', baseURL, maxRetries: 0, timeout: 5_000, logLevel: 'off' });
const world = (t, options = {}, llm = {}) => worldOf(t, { instrument: instrumentOpenAI, connect, options, llm });

const ASKED = { model: 'm', messages: [{ role: 'user', content: 'hello' }] };
const USAGE = {
  prompt_tokens: 20,
  completion_tokens: 10,
  total_tokens: 30,
  prompt_tokens_details: { cached_tokens: 8, audio_tokens: 2, cache_write_tokens: 3 },
  completion_tokens_details: { reasoning_tokens: 4, audio_tokens: 1 },
};

function chat(message = { role: 'assistant', content: 'hi' }, finish = 'stop', usage = USAGE) {
  const choices = [{ index: 0, message: { refusal: null, ...message }, finish_reason: finish }];
  return json({ id: 'c', object: 'chat.completion', created: 1, model: 'm', choices, usage });
}

const chunk = (delta, finish = null, more = {}) => ({
  id: 'c',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta, finish_reason: finish }],
  ...more,
});
const HELLO = [chunk({ role: 'assistant', content: '' }), chunk({ content: 'é€' }), chunk({ content: '😀' })];
const CHAT_STREAM = [...HELLO, chunk({}, 'stop'), '[DONE]'];

const SUCCESS = (operation) => [
  `llm_requests_total{operation="${operation}",status="success"} 1`,
  `llm_request_duration_seconds_count{operation="${operation}"} 1`,
];
const FAILURE = (type, status = 'error') => [
  `llm_requests_total{operation="chat",status="${status}"} 1`,
  'llm_request_duration_seconds_count{operation="chat"} 1',
  `llm_errors_total{error_type="${type}"} 1`,
];
const DETAILS = [
  'llm_token_details_total{detail="cache_read"} 8',
  'llm_token_details_total{detail="cache_write"} 3',
  'llm_token_details_total{detail="reasoning"} 4',
  'llm_token_details_total{detail="audio_input"} 2',
  'llm_token_details_total{detail="audio_output"} 1',
];
const TOKENS = ['llm_tokens_total{type="input"} 20', 'llm_tokens_total{type="output"} 10'];
const UNPRICED = 'llm_unpriced_requests_total 1';
const MISSING = 'llm_usage_missing_total 1';
const STREAMED = (chunks) => [
  `llm_streaming_chunks_total ${chunks}`,
  'llm_streaming_time_to_first_token_seconds_count 1',
];
const finished = (reason) => `llm_finish_reasons_total{reason="${reason}"} 1`;
const broken = (who) => `llm_streaming_interrupted_total{reason="${who}"} 1`;

test('a chat', async (t) => {
  const { client, bare, wire, lines } = await world(t);
  wire.always(chat());
  const answer = await client.chat.completions.create(ASKED);
  t.deepEqual(answer, await bare.chat.completions.create(ASKED));
  t.deepEqual(wire.requests[0].body, wire.requests[1].body);
  t.deepEqual(await lines(), [...SUCCESS('chat'), ...TOKENS, ...DETAILS, UNPRICED, finished('stop')]);
});

for (const [said, reason, message] of [
  ['length', 'length', {}],
  [
    'tool_calls',
    'tool_calls',
    { tool_calls: [{ id: 't', type: 'function', function: { name: 'f', arguments: '{}' } }] },
  ],
  ['function_call', 'tool_calls', {}],
  ['content_filter', 'content_filter', {}],
  ['stop', 'refusal', { refusal: 'no' }],
  ['eos', 'other', {}],
]) {
  test(`a chat that finishes with ${said} is counted as ${reason}`, async (t) => {
    const { client, wire, lines } = await world(t);
    wire.answer(
      chat({ role: 'assistant', content: null, ...message }, said, { prompt_tokens: 1, completion_tokens: 0 }),
    );
    await client.chat.completions.create(ASKED);
    t.deepEqual(await lines(), [...SUCCESS('chat'), 'llm_tokens_total{type="input"} 1', UNPRICED, finished(reason)]);
  });
}

test('a chat without usage', async (t) => {
  const { client, wire, lines } = await world(t);
  wire.answer(chat(undefined, 'stop', null));
  await client.chat.completions.create(ASKED);
  t.deepEqual(await lines(), [...SUCCESS('chat'), MISSING, finished('stop')]);
});

test('a streamed chat, in pieces that split characters', async (t) => {
  const { client, bare, wire, lines } = await world(t);
  wire.always(events(CHAT_STREAM, { pieceBytes: 7 }));
  const streamed = { ...ASKED, stream: true };
  const seen = await chunksOf(await client.chat.completions.create(streamed));
  t.deepEqual(seen, await chunksOf(await bare.chat.completions.create(streamed)));
  t.deepEqual(wire.requests[0].body, streamed);
  t.deepEqual(await lines(), [...SUCCESS('chat'), MISSING, finished('stop'), ...STREAMED(4)]);
});

test('includeUsage asks for the usage of streams, unless the user has decided about it', async (t) => {
  const { client, wire, lines } = await world(t, { includeUsage: true });
  const usage = { ...chunk({}), choices: [], usage: USAGE };
  wire.always(events([...CHAT_STREAM.slice(0, -1), usage, '[DONE]']));
  const asked = { ...ASKED, stream: true };
  const seen = await chunksOf(await client.chat.completions.create(asked));
  t.deepEqual(seen.at(-1), usage);
  t.deepEqual(asked, { ...ASKED, stream: true });
  t.deepEqual(await lines(), [
    ...SUCCESS('chat'),
    ...TOKENS,
    ...DETAILS,
    UNPRICED,
    finished('stop'),
    ...STREAMED(5),
    'llm_streaming_time_per_output_token_seconds_count 1',
  ]);
  await chunksOf(await client.chat.completions.create({ ...asked, stream_options: { include_obfuscation: false } }));
  await chunksOf(await client.chat.completions.create({ ...asked, stream_options: { include_usage: false } }));
  wire.answer(chat());
  await client.chat.completions.create(ASKED);
  t.deepEqual(
    wire.requests.map(({ body }) => body.stream_options),
    [{ include_usage: true }, { include_obfuscation: false, include_usage: true }, { include_usage: false }, undefined],
  );
});

test('the time to the first token is that of the first content', async (t) => {
  const { client, wire, registry } = await world(t);
  wire.answer(async (response, request) => {
    await events([HELLO[0]], { end: 'hang' })(response, request);
    await new Promise((resolve) => setTimeout(resolve, 150));
    await events(CHAT_STREAM.slice(1))({ ...proxy(response) }, request);
  });
  await chunksOf(await client.chat.completions.create({ ...ASKED, stream: true }));
  const sum = (await registry.metrics()).match(/time_to_first_token_seconds_sum\{.*\} (.*)/)?.[1];
  t.true(Number(sum) >= 0.14 && Number(sum) < 4, sum);
});

const proxy = (response) => ({
  writeHead() {},
  flushHeaders() {},
  write: (piece) => response.write(piece),
  end: () => response.end(),
  destroy: () => response.destroy(),
});

const ERRORS = [
  [400, {}, 'invalid_request'],
  [400, { code: 'context_length_exceeded' }, 'context_length'],
  [400, { code: 'content_filter' }, 'content_filter'],
  [401, { code: 'invalid_api_key' }, 'authentication'],
  [402, {}, 'quota_exceeded'],
  [403, {}, 'permission'],
  [404, { code: 'model_not_found' }, 'not_found'],
  [408, {}, 'timeout', 'timeout'],
  [409, {}, 'invalid_request'],
  [413, {}, 'request_too_large'],
  [422, {}, 'invalid_request'],
  [429, { code: 'rate_limit_exceeded' }, 'rate_limit'],
  [429, { code: 'insufficient_quota' }, 'quota_exceeded'],
  [500, {}, 'server_error'],
  [503, {}, 'overloaded'],
  [529, {}, 'overloaded'],
];

for (const [status, body, type, ends] of ERRORS) {
  test(`status ${status} ${body.code ?? ''} is ${type}, streamed or not`, async (t) => {
    const { client, bare, wire, lines } = await world(t);
    wire.always(json({ error: { message: 'no', type: 'x', ...body } }, { status }));
    const ask = (from) => outcome(() => from.chat.completions.create(ASKED));
    t.deepEqual(await ask(client), await ask(bare));
    t.deepEqual(await lines(), FAILURE(type, ends));
    await outcome(() => client.chat.completions.create({ ...ASKED, stream: true }));
    const twice = FAILURE(type, ends).map((line) => line.replace(/1$/, '2'));
    t.deepEqual(await lines(), twice);
  });
}

test('a refused and a broken connection', async (t) => {
  const { client, wire, lines } = await world(t);
  wire.answer(cut());
  t.is((await outcome(() => client.chat.completions.create(ASKED))).error, 'APIConnectionError');
  client.baseURL = 'http://127.0.0.1:1';
  t.is((await outcome(() => client.chat.completions.create(ASKED))).error, 'APIConnectionError');
  t.deepEqual(
    await lines(),
    FAILURE('connection').map((line) => line.replace(/1$/, '2')),
  );
});

test('a timeout, also of the body', async (t) => {
  const { client, wire, lines } = await world(t);
  wire.answer(silence(), (response) => response.writeHead(200, { 'content-type': 'application/json' }).write('{'));
  const ask = () => outcome(() => client.chat.completions.create(ASKED, { timeout: 60 }));
  t.is((await ask()).error, 'APIConnectionTimeoutError');
  t.is((await ask()).error, 'APIConnectionTimeoutError');
  t.deepEqual(
    await lines(),
    FAILURE('timeout', 'timeout').map((line) => line.replace(/1$/, '2')),
  );
});

test('an abort', async (t) => {
  const { client, wire, lines } = await world(t);
  wire.answer(silence());
  const controller = new AbortController();
  const asking = outcome(() => client.chat.completions.create(ASKED, { signal: controller.signal }));
  setTimeout(() => controller.abort(), 30);
  t.is((await asking).error, 'APIUserAbortError');
  t.deepEqual(await lines(), FAILURE('cancelled', 'cancelled'));
});

test('an answer that is no JSON', async (t) => {
  const { client, bare, wire, lines } = await world(t);
  wire.always(json('{"choices": ['));
  const ask = (from) => outcome(() => from.chat.completions.create(ASKED));
  const parse = (from) => outcome(() => from.chat.completions.parse(ASKED));
  t.deepEqual(await ask(client), await ask(bare));
  t.deepEqual(await lines(), FAILURE('invalid_response'));
  t.deepEqual(await parse(client), await parse(bare));
  t.deepEqual(
    await lines(),
    FAILURE('invalid_response').map((line) => line.replace(/1$/, '2')),
  );
});

test('an error amid a stream, a stream that is cut, and one that ends too early', async (t) => {
  for (const [answer, type, error] of [
    [events([...HELLO, { error: { message: 'slow down', code: 'rate_limit_exceeded' } }]), 'rate_limit', 'APIError'],
    [events(HELLO, { end: 'cut' }), 'stream_interrupted', 'TypeError'],
    [events(HELLO), 'stream_interrupted', undefined],
    [events([...HELLO, 'no json']), 'stream_interrupted', 'SyntaxError'],
  ]) {
    const { client, bare, wire, lines } = await world(t);
    wire.always(answer);
    const ask = (from) => outcome(async () => chunksOf(await from.chat.completions.create({ ...ASKED, stream: true })));
    const ended = await ask(client);
    t.deepEqual(ended, await ask(bare));
    t.is(ended.error, error);
    t.deepEqual(await lines(), [...FAILURE(type), ...STREAMED(3), broken('provider')]);
  }
});

test('an error before the first chunk of a stream', async (t) => {
  const { client, wire, lines } = await world(t);
  wire.answer(events([{ error: { message: 'no', code: 'server_error' } }]));
  const ended = await outcome(async () => chunksOf(await client.chat.completions.create({ ...ASKED, stream: true })));
  t.is(ended.error, 'APIError');
  t.deepEqual(await lines(), FAILURE('server_error'));
});

test('a reader that leaves has cancelled, unless the answer was complete', async (t) => {
  for (const [enough, expected] of [
    [
      (part) => part.choices[0].delta.content === '😀',
      [...FAILURE('cancelled', 'cancelled'), ...STREAMED(3), broken('client')],
    ],
    [
      (part) => part.choices[0].finish_reason === 'stop',
      [...SUCCESS('chat'), MISSING, finished('stop'), ...STREAMED(4)],
    ],
  ]) {
    const { client, wire, lines } = await world(t);
    wire.answer(events(CHAT_STREAM, { end: 'hang' }));
    const stream = await client.chat.completions.create({ ...ASKED, stream: true });
    for await (const part of stream) if (enough(part)) break;
    t.true(stream.controller.signal.aborted);
    t.deepEqual(await lines(), expected);
  }
});

test('a stream whose controller aborts ends as without', async (t) => {
  const { client, wire, lines } = await world(t);
  wire.answer(events(HELLO, { end: 'hang' }));
  const stream = await client.chat.completions.create({ ...ASKED, stream: true });
  const seen = [];
  for await (const part of stream) {
    seen.push(part);
    if (seen.length === 3) setTimeout(() => stream.controller.abort(), 20);
  }
  t.is(seen.length, 3);
  t.deepEqual(await lines(), [...FAILURE('cancelled', 'cancelled'), ...STREAMED(3), broken('client')]);
});

test('a stream that nobody reads is given up when it is garbage', async (t) => {
  const { client, wire, lines } = await world(t);
  wire.answer(events(CHAT_STREAM));
  await (async () => {
    const stream = await client.chat.completions.create({ ...ASKED, stream: true });
    t.truthy(stream.controller);
    t.deepEqual(await lines(), ['llm_active_requests 1']);
  })();
  t.true(await collected(async () => (await lines()).length === 0));
});

test("an answer whose body is the user's is counted, and its body is whole", async (t) => {
  const { client, wire, lines } = await world(t);
  wire.always(chat());
  const response = await client.chat.completions.create(ASKED).asResponse();
  t.false(response.bodyUsed);
  t.is((await response.json()).choices[0].message.content, 'hi');
  t.deepEqual(await lines(), [...SUCCESS('chat'), MISSING]);
});

test("the SDK's own ways of taking an answer", async (t) => {
  const { client, bare, wire, lines } = await world(t);
  wire.always(chat());
  const both = [];
  for (const from of [client, bare]) {
    const asking = from.chat.completions.create(ASKED);
    const [response, answer] = await Promise.all([asking.asResponse(), asking]);
    const taken = await from.chat.completions.create(ASKED).withResponse();
    both.push([response.status, answer, taken.data, taken.response.status, taken.request_id, asking.constructor.name]);
    await asking.finally(() => {});
    t.is(await asking.then(({ choices }) => choices.length), 1);
  }
  t.deepEqual(both[0], both[1]);
  const [requests] = await lines();
  t.is(requests, 'llm_requests_total{operation="chat",status="success"} 2');
});

test('a failure that nobody handles stays unhandled', async (t) => {
  const { client, wire } = await world(t);
  wire.answer(json({ error: { message: 'no' } }, { status: 400 }));
  const unhandled = new Promise((resolve) => {
    const listeners = process.rawListeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.once('unhandledRejection', (error) => {
      for (const listener of listeners) process.on('unhandledRejection', listener);
      resolve(error);
    });
  });
  client.chat.completions.create(ASKED);
  t.is((await unhandled).status, 400);
});

test('branches and readable streams of a stream', async (t) => {
  const { client, bare, wire, lines } = await world(t);
  wire.always(events(CHAT_STREAM));
  const both = [];
  for (const from of [client, bare]) {
    const [left, right] = (await from.chat.completions.create({ ...ASKED, stream: true })).tee();
    const branches = [await chunksOf(left), await chunksOf(right)];
    const readable = (await from.chat.completions.create({ ...ASKED, stream: true })).toReadableStream();
    both.push([branches, await new Response(readable).text()]);
  }
  t.deepEqual(both[0], both[1]);
  const [requests] = await lines();
  t.is(requests, 'llm_requests_total{operation="chat",status="success"} 2');
});

test("a stream is read once, and the second reader's error is no failure of the request", async (t) => {
  const { client, wire, lines } = await world(t);
  wire.answer(events(CHAT_STREAM));
  const stream = await client.chat.completions.create({ ...ASKED, stream: true });
  const reading = stream[Symbol.asyncIterator]();
  await reading.next();
  t.regex((await outcome(() => chunksOf(stream))).message, /consumed stream/);
  await chunksOf(reading);
  t.deepEqual(await lines(), [...SUCCESS('chat'), MISSING, finished('stop'), ...STREAMED(4)]);
});

test('chat.completions.stream()', async (t) => {
  const { client, bare, wire, lines } = await world(t);
  wire.always(events(CHAT_STREAM));
  const ask = async (from) => {
    const stream = from.chat.completions.stream(ASKED);
    const texts = [];
    stream.on('content', (delta) => texts.push(delta));
    return [await stream.finalChatCompletion(), texts, await stream.finalContent()];
  };
  t.deepEqual(await ask(client), await ask(bare));
  t.deepEqual(await lines(), [...SUCCESS('chat'), MISSING, finished('stop'), ...STREAMED(4)]);
});

test('chat.completions.stream() that is aborted', async (t) => {
  const { client, wire, lines } = await world(t);
  wire.answer(events(HELLO, { end: 'hang' }));
  const stream = client.chat.completions.stream(ASKED);
  stream.on('content', (_delta, text) => text === 'é€😀' && stream.abort());
  t.is((await outcome(() => stream.done())).error, 'APIUserAbortError');
  t.deepEqual(await lines(), [...FAILURE('cancelled', 'cancelled'), ...STREAMED(3), broken('client')]);
});

test('chat.completions.parse(), whose own failure is no failure of the request', async (t) => {
  const { client, bare, wire, lines } = await world(t);
  const schema = { type: 'json_schema', json_schema: { name: 's', schema: { type: 'object' } } };
  const asked = { ...ASKED, response_format: schema };
  wire.always(chat({ role: 'assistant', content: '{"a":1}' }));
  t.deepEqual(await client.chat.completions.parse(asked), await bare.chat.completions.parse(asked));
  t.deepEqual(await lines(), [...SUCCESS('chat'), ...TOKENS, ...DETAILS, UNPRICED, finished('stop')]);
  wire.always(chat({ role: 'assistant', content: '' }, 'length'));
  t.is((await outcome(() => client.chat.completions.parse(asked))).error, 'LengthFinishReasonError');
  const [requests] = await lines();
  t.is(requests, 'llm_requests_total{operation="chat",status="success"} 2');
  wire.always(json({ error: { message: 'no' } }, { status: 400 }));
  await outcome(() => client.chat.completions.parse(asked));
  t.true((await lines()).includes('llm_errors_total{error_type="invalid_request"} 1'));
});

test('chat.completions.runTools()', async (t) => {
  const { client, wire, lines } = await world(t);
  const tool_calls = [{ id: 't', type: 'function', function: { name: 'add', arguments: '{"a":1}' } }];
  wire.answer(chat({ role: 'assistant', content: null, tool_calls }, 'tool_calls'), chat());
  const tool = {
    type: 'function',
    function: { name: 'add', parameters: {}, function: ({ a }) => String(a), parse: JSON.parse },
  };
  const runner = client.chat.completions.runTools({ ...ASKED, tools: [tool] });
  t.is(await runner.finalContent(), 'hi');
  const counted = (await lines()).filter((line) => /requests_total\{|finish|active/.test(line));
  t.deepEqual(counted, [
    'llm_requests_total{operation="chat",status="success"} 2',
    finished('tool_calls'),
    finished('stop'),
  ]);
});

test('completions, streamed or not', async (t) => {
  const { client, wire, lines } = await world(t);
  const text = (of, finish) => ({ id: 'c', choices: [{ index: 0, text: of, finish_reason: finish }] });
  wire.answer(json({ ...text('hi', 'stop'), usage: { prompt_tokens: 3, completion_tokens: 2 } }));
  t.is((await client.completions.create({ model: 'm', prompt: 'p' })).choices[0].text, 'hi');
  wire.answer(events([text('h', null), text('', 'length'), '[DONE]']));
  t.is((await chunksOf(await client.completions.create({ model: 'm', prompt: 'p', stream: true }))).length, 2);
  t.deepEqual(await lines(), [
    ...SUCCESS('text_completion').map((line) => line.replace(/1$/, '2')),
    'llm_tokens_total{type="input"} 3',
    'llm_tokens_total{type="output"} 2',
    UNPRICED,
    MISSING,
    finished('stop'),
    finished('length'),
    ...STREAMED(2),
  ]);
});

test('embeddings, whose numbers the SDK decodes', async (t) => {
  const { client, bare, wire, lines } = await world(t);
  const embedding = Buffer.from(new Float32Array([0.5, 1]).buffer).toString('base64');
  wire.always(json({ data: [{ embedding, index: 0 }], usage: { prompt_tokens: 7, total_tokens: 7 } }));
  const asked = { model: 'm', input: 'text' };
  const answer = await client.embeddings.create(asked);
  t.deepEqual(answer, await bare.embeddings.create(asked));
  t.deepEqual([...answer.data[0].embedding], [0.5, 1]);
  t.deepEqual(await lines(), [...SUCCESS('embeddings'), 'llm_tokens_total{type="input"} 7', UNPRICED]);
});

const RESPONSE = {
  id: 'r',
  object: 'response',
  status: 'completed',
  output: [
    { type: 'message', id: 'm', role: 'assistant', content: [{ type: 'output_text', text: 'hi', annotations: [] }] },
  ],
  usage: {
    input_tokens: 20,
    output_tokens: 10,
    input_tokens_details: { cached_tokens: 8 },
    output_tokens_details: { reasoning_tokens: 4 },
  },
};
const RESPONSE_DETAILS = [
  'llm_token_details_total{detail="cache_read"} 8',
  'llm_token_details_total{detail="reasoning"} 4',
];

for (const [more, ends] of [
  [{}, finished('stop')],
  [{ output: [{ type: 'function_call', name: 'f', arguments: '{}', call_id: 'c' }] }, finished('tool_calls')],
  [{ output: [{ type: 'message', content: [{ type: 'refusal', refusal: 'no' }] }] }, finished('refusal')],
  [{ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }, finished('length')],
  [{ status: 'incomplete', incomplete_details: { reason: 'content_filter' } }, finished('content_filter')],
]) {
  test(`a response: ${JSON.stringify(more)}`, async (t) => {
    const { client, bare, wire, lines } = await world(t);
    wire.always(json({ ...RESPONSE, ...more }));
    const asked = { model: 'm', input: 'hello' };
    t.deepEqual(await client.responses.create(asked), await bare.responses.create(asked));
    t.deepEqual(await lines(), [...SUCCESS('chat'), ...TOKENS, ...RESPONSE_DETAILS, UNPRICED, ends]);
  });
}

for (const [code, type] of [
  ['rate_limit_exceeded', 'rate_limit'],
  ['server_error', 'server_error'],
  ['invalid_prompt', 'invalid_request'],
  ['image_content_policy_violation', 'content_filter'],
]) {
  test(`a response that failed with ${code}, whose status is 200`, async (t) => {
    const { client, wire, lines } = await world(t);
    wire.answer(json({ ...RESPONSE, status: 'failed', usage: null, error: { code, message: 'no' } }));
    t.is((await client.responses.create({ model: 'm', input: 'hello' })).status, 'failed');
    t.deepEqual(await lines(), [...FAILURE(type), finished('error')]);
  });
}

const responseEvents = (last = { type: 'response.completed', response: RESPONSE }) => {
  const at = { item_id: 'm', output_index: 0, content_index: 0 };
  const message = { type: 'message', id: 'm', role: 'assistant', status: 'in_progress', content: [] };
  const list = [
    { type: 'response.created', response: { ...RESPONSE, status: 'in_progress', output: [], usage: null } },
    { type: 'response.output_item.added', output_index: 0, item: message },
    { type: 'response.content_part.added', ...at, part: { type: 'output_text', text: '', annotations: [] } },
    { type: 'response.output_text.delta', ...at, delta: 'hi' },
    last,
  ];
  return list.map((event, index) => ({ event: event.type, data: { ...event, sequence_number: index } }));
};

test('a streamed response, responses.stream(), responses.parse() and beta.responses', async (t) => {
  const { client, bare, wire, lines } = await world(t);
  wire.always(events(responseEvents()));
  const asked = { model: 'm', input: 'hello' };
  const streamed = async (from) => chunksOf(await from.responses.create({ ...asked, stream: true }));
  t.deepEqual(await streamed(client), await streamed(bare));
  const expected = [
    ...SUCCESS('chat'),
    ...TOKENS,
    ...RESPONSE_DETAILS,
    UNPRICED,
    finished('stop'),
    ...STREAMED(5),
    'llm_streaming_time_per_output_token_seconds_count 1',
  ];
  t.deepEqual(await lines(), expected);
  const helped = async (from) => from.responses.stream(asked).finalResponse();
  t.deepEqual(await helped(client), await helped(bare));
  wire.always(json(RESPONSE));
  t.deepEqual(await client.responses.parse(asked), await bare.responses.parse(asked));
  t.deepEqual(await client.beta.responses.create(asked), await bare.beta.responses.create(asked));
  t.is((await lines())[0], 'llm_requests_total{operation="chat",status="success"} 4');
});

test('a streamed response that failed, and one that is cut', async (t) => {
  const failed = { ...RESPONSE, status: 'failed', usage: null, error: { code: 'server_error', message: 'no' } };
  for (const [answer, expected] of [
    [
      events(responseEvents({ type: 'response.failed', response: failed })),
      [...FAILURE('server_error'), finished('error'), ...STREAMED(5), broken('provider')],
    ],
    [
      events(responseEvents().slice(0, -1), { end: 'cut' }),
      [...FAILURE('stream_interrupted'), ...STREAMED(4), broken('provider')],
    ],
  ]) {
    const { client, wire, lines } = await world(t);
    wire.answer(answer);
    await outcome(async () => chunksOf(await client.responses.create({ model: 'm', input: 'x', stream: true })));
    t.deepEqual(await lines(), expected);
  }
});

test('images, speech and transcriptions', async (t) => {
  const { client, wire, lines } = await world(t);
  const usage = { input_tokens: 5, output_tokens: 9, input_tokens_details: { image_tokens: 2, text_tokens: 3 } };
  wire.answer(json({ data: [{ b64_json: '' }, { b64_json: '' }], usage }));
  t.is((await client.images.generate({ model: 'm', prompt: 'p', n: 2 })).data.length, 2);
  wire.answer((response) => response.writeHead(200, { 'content-type': 'audio/mpeg' }).end('sound'));
  const spoken = await client.audio.speech.create({ model: 'm', input: 'twelve chars', voice: 'alloy' });
  t.is(Buffer.from(await spoken.arrayBuffer()).toString(), 'sound');
  wire.answer(json({ text: 'hi', usage: { type: 'duration', seconds: 3 } }));
  const file = new File(['sound'], 'a.mp3');
  t.is((await client.audio.transcriptions.create({ model: 'm', file })).text, 'hi');
  t.deepEqual(await lines(), [
    'llm_requests_total{operation="image",status="success"} 1',
    'llm_requests_total{operation="speech",status="success"} 1',
    'llm_requests_total{operation="transcription",status="success"} 1',
    'llm_request_duration_seconds_count{operation="image"} 1',
    'llm_request_duration_seconds_count{operation="speech"} 1',
    'llm_request_duration_seconds_count{operation="transcription"} 1',
    'llm_tokens_total{type="input"} 5',
    'llm_tokens_total{type="output"} 9',
    'llm_token_details_total{detail="image_input"} 2',
    UNPRICED,
    'llm_usage_missing_total 2',
    'llm_media_units_total{unit="images"} 2',
    'llm_media_units_total{unit="characters"} 12',
    'llm_media_units_total{unit="audio_seconds"} 3',
  ]);
});

test('streamed images', async (t) => {
  const { client, wire, lines } = await world(t);
  const usage = { input_tokens: 5, output_tokens: 9 };
  wire.answer(
    events([
      { event: 'image_generation.partial_image', data: { type: 'image_generation.partial_image', b64_json: '' } },
      { event: 'image_generation.completed', data: { type: 'image_generation.completed', b64_json: '', usage } },
    ]),
  );
  await chunksOf(await client.images.generate({ model: 'm', prompt: 'p', stream: true }));
  t.deepEqual(await lines(), [
    ...SUCCESS('image'),
    'llm_tokens_total{type="input"} 5',
    'llm_tokens_total{type="output"} 9',
    UNPRICED,
    'llm_media_units_total{unit="images"} 1',
    ...STREAMED(2),
    'llm_streaming_time_per_output_token_seconds_count 1',
  ]);
});

test('attempts after the first are counted by what went wrong before', async (t) => {
  const { client, wire, lines } = await world(t);
  client.maxRetries = 5;
  const again = { 'retry-after-ms': '1' };
  const failing = (status) => json({ error: { message: 'no' } }, { status, headers: again });
  // Those without an answer come first: the SDK's pause before it tries again doubles each time.
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

test('attempts of requests at once are not mixed up, and a body that is late is a timeout', async (t) => {
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

test('rate limits are taken from headers', async (t) => {
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

test('tokens and cost go to the agent that asked, whoever reads the stream', async (t) => {
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

test('the provider is whom the client is pointed at', async (t) => {
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
