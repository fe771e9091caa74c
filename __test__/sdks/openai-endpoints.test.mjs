// Tests the endpoints of OpenAI's SDK other than chat completions.

import test from 'ava';
import { chunksOf, outcome } from './support/api-client.mjs';
import { broken, FAILURE, finished, MISSING, STREAMED, SUCCESS, TOKENS, UNPRICED, world } from './support/openai.mjs';
import { events, json } from './support/wire-server.mjs';

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

test('embeddings that the SDK decodes', async (t) => {
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
      [...FAILURE('server_error'), MISSING, finished('error'), ...STREAMED(5), broken('provider')],
    ],
    [
      events(responseEvents().slice(0, -1), { end: 'cut' }),
      [...FAILURE('stream_interrupted'), MISSING, ...STREAMED(4), broken('provider')],
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
    // The images have tokens, and neither the tokens nor the rest have a price.
    'llm_unpriced_requests_total 3',
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
