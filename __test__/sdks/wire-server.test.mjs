// Tests that the simulated provider sends its prepared answers, in pieces of any size.

import test from 'ava';
import { cut, events, json, WireServer } from './support/wire-server.mjs';

test('answers come in order, and requests are recorded', async (t) => {
  const wire = await WireServer.start(t);
  wire.answer(json({ a: 1 }), json({ error: {} }, { status: 429, headers: { 'retry-after': '0' } }), cut());
  const first = await fetch(`${wire.url}/v1/x`, { method: 'POST', body: '{"model":"m"}' });
  t.deepEqual(await first.json(), { a: 1 });
  const second = await fetch(wire.url);
  t.deepEqual([second.status, second.headers.get('retry-after')], [429, '0']);
  await t.throwsAsync(fetch(wire.url));
  t.is((await fetch(wire.url)).status, 599);
  const asked = wire.requests.map(({ method, path, body }) => [method, path, body]);
  t.deepEqual(asked.slice(0, 2), [
    ['POST', '/v1/x', { model: 'm' }],
    ['GET', '/', ''],
  ]);
});

test('events arrive complete when their bytes come one by one', async (t) => {
  const wire = await WireServer.start(t);
  wire.answer(events([{ text: 'é€😀' }, '[DONE]', { event: 'stop', data: {} }], { pieceBytes: 1 }));
  const text = await (await fetch(wire.url)).text();
  t.is(text, 'data: {"text":"é€😀"}\n\ndata: [DONE]\n\nevent: stop\ndata: {}\n\n');
});

test('a stream that is cut fails its reader', async (t) => {
  const wire = await WireServer.start(t);
  wire.answer(events([{ a: 1 }], { end: 'cut' }));
  const response = await fetch(wire.url);
  t.is(response.status, 200);
  await t.throwsAsync(response.text());
});
