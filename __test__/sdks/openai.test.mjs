// Tests chats of OpenAI's SDK against a server that speaks its wire format: everything that is recorded, and that the
// SDK behaves as without instrumentation.

import test from 'ava';
import { chunksOf, collected, outcome } from './support/api-client.mjs';
import {
  ASKED,
  broken,
  CHAT_STREAM,
  chat,
  chunk,
  DETAILS,
  FAILURE,
  finished,
  HELLO,
  MISSING,
  STREAMED,
  SUCCESS,
  TOKENS,
  UNPRICED,
  USAGE,
  world,
} from './support/openai.mjs';
import { events, json } from './support/wire-server.mjs';

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

test('includeUsage requests the usage of streams, unless the user has set it', async (t) => {
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

test('the time to the first token ends at the first content', async (t) => {
  const { client, wire, registry } = await world(t);
  wire.answer(async (response, request) => {
    await events([HELLO[0]], { end: 'hang' })(response, request);
    await new Promise((resolve) => setTimeout(resolve, 150));
    await events(CHAT_STREAM.slice(1))({ ...proxy(response) }, request);
  });
  const began = performance.now();
  let seen;
  for await (const { choices } of await client.chat.completions.create({ ...ASKED, stream: true })) {
    if (choices[0]?.delta.content) seen ??= (performance.now() - began) / 1000;
    // The rest of the stream takes longer for this reader.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const sum = (await registry.metrics()).match(/time_to_first_token_seconds_sum\{.*\} (.*)/)?.[1];
  t.true(Number(sum) >= 0.14 && Number(sum) <= seen, `${sum}, seen after ${seen}`);
});

const proxy = (response) => ({
  writeHead() {},
  flushHeaders() {},
  write: (piece) => response.write(piece),
  end: () => response.end(),
  destroy: () => response.destroy(),
});

test('a request is cancelled when its reader leaves, unless the answer was complete', async (t) => {
  for (const [enough, expected] of [
    [
      (part) => part.choices[0].delta.content === '😀',
      [...FAILURE('cancelled', 'cancelled'), MISSING, ...STREAMED(3), broken('client')],
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

test('a stream that its controller aborts ends as without instrumentation', async (t) => {
  const { client, wire, lines } = await world(t);
  wire.answer(events(HELLO, { end: 'hang' }));
  const stream = await client.chat.completions.create({ ...ASKED, stream: true });
  const seen = [];
  for await (const part of stream) {
    seen.push(part);
    if (seen.length === 3) setTimeout(() => stream.controller.abort(), 20);
  }
  t.is(seen.length, 3);
  t.deepEqual(await lines(), [...FAILURE('cancelled', 'cancelled'), MISSING, ...STREAMED(3), broken('client')]);
});

test('an unread stream counts as cancelled after garbage collection', async (t) => {
  const { client, wire, lines } = await world(t);
  wire.answer(events(CHAT_STREAM));
  await (async () => {
    const stream = await client.chat.completions.create({ ...ASKED, stream: true });
    t.truthy(stream.controller);
    t.deepEqual(await lines(), ['llm_active_requests 1']);
  })();
  t.true(await collected(async () => (await lines()).length === 0));
});

test('a raw answer is counted, and its body is complete for the user', async (t) => {
  const { client, wire, lines } = await world(t);
  wire.always(chat());
  const response = await client.chat.completions.create(ASKED).asResponse();
  t.false(response.bodyUsed);
  t.is((await response.json()).choices[0].message.content, 'hi');
  t.deepEqual(await lines(), [...SUCCESS('chat'), MISSING]);
});

test("the SDK's own ways to read an answer", async (t) => {
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

test('an unhandled failure stays unhandled', async (t) => {
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

test('tee() and readable streams of a stream', async (t) => {
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

test("a stream is read once, and the second reader's error is not a failure of the request", async (t) => {
  const { client, wire, lines } = await world(t);
  wire.answer(events(CHAT_STREAM));
  const stream = await client.chat.completions.create({ ...ASKED, stream: true });
  const reading = stream[Symbol.asyncIterator]();
  await reading.next();
  t.regex((await outcome(() => chunksOf(stream))).message, /consumed stream/);
  await chunksOf(reading);
  t.deepEqual(await lines(), [...SUCCESS('chat'), MISSING, finished('stop'), ...STREAMED(4)]);
});

test('an empty finish reason, which some gateways send first, is ignored', async (t) => {
  const { client, wire, lines } = await world(t);
  wire.answer(events([chunk({ content: 'a' }, ''), chunk({ content: 'b' }, ''), chunk({}, 'length'), '[DONE]']));
  await chunksOf(await client.chat.completions.create({ ...ASKED, stream: true }));
  t.deepEqual(await lines(), [...SUCCESS('chat'), MISSING, finished('length'), ...STREAMED(3)]);
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
  t.deepEqual(await lines(), [...FAILURE('cancelled', 'cancelled'), MISSING, ...STREAMED(3), broken('client')]);
});

test('chat.completions.parse(), whose own error is not a failure of the request', async (t) => {
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
