// Tests failed chats of OpenAI's SDK: by status, connection, time, and within a stream.

import test from 'ava';
import { chunksOf, outcome } from './support/api-client.mjs';
import { ASKED, broken, FAILURE, HELLO, MISSING, STREAMED, world } from './support/openai.mjs';
import { cut, events, json, silence } from './support/wire-server.mjs';

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

test('an answer that is not JSON', async (t) => {
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

test('an error within a stream, a stream that is cut, and one that ends too early', async (t) => {
  for (const [answer, type, error] of [
    [events([...HELLO, { error: { message: 'slow down', code: 'rate_limit_exceeded' } }]), 'rate_limit', 'APIError'],
    [events(HELLO, { end: 'cut' }), 'stream_interrupted', 'TypeError'],
    [events(HELLO), 'stream_interrupted', undefined],
    [events([...HELLO, 'no json']), 'invalid_response', 'SyntaxError'],
  ]) {
    const { client, bare, wire, lines } = await world(t);
    wire.always(answer);
    const ask = (from) => outcome(async () => chunksOf(await from.chat.completions.create({ ...ASKED, stream: true })));
    const ended = await ask(client);
    t.deepEqual(ended, await ask(bare));
    t.is(ended.error, error);
    t.deepEqual(await lines(), [...FAILURE(type), MISSING, ...STREAMED(3), broken('provider')]);
  }
});

test('an error before the first chunk of a stream', async (t) => {
  const { client, wire, lines } = await world(t);
  wire.answer(events([{ error: { message: 'no', code: 'server_error' } }]));
  const ended = await outcome(async () => chunksOf(await client.chat.completions.create({ ...ASKED, stream: true })));
  t.is(ended.error, 'APIError');
  t.deepEqual(await lines(), FAILURE('server_error'));
});
