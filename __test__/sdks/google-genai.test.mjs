// Tests a real client of @google/genai against a server that speaks Gemini's format: the recorded metrics must match
// the answers, and the user gets the SDK's own results.

import { setTimeout as sleep } from 'node:timers/promises';
import { GoogleGenAI } from '@google/genai';
import { ConfigurationError } from '@llm-devops/prometheus-metrics';
import { instrumentGoogleGenAI } from '@llm-devops/prometheus-metrics/google-genai';
import test from 'ava';
import { collectGarbage } from '../support/garbage.mjs';
import { collectors, recorded, sameLines } from './support/recorded.mjs';
import { abortedIn, timedOutIn } from './support/signals.mjs';
import { cut, events, json, silence, WireServer } from './support/wire-server.mjs';

const MODEL = 'gemini-2.5-flash';
const ASKED = { model: MODEL, contents: 'why?' };
const USAGE = { promptTokenCount: 10, candidatesTokenCount: 4, totalTokenCount: 14 };

/** An answer, or a chunk of one. */
function answer(parts, finishReason, usageMetadata) {
  return {
    candidates: [{ content: { role: 'model', parts }, ...(finishReason ? { finishReason } : {}) }],
    ...(usageMetadata ? { usageMetadata } : {}),
  };
}

const HELLO = answer([{ text: 'Hé€😀' }], 'STOP', USAGE);

async function measured(t, { client = {}, options = {}, llm = {} } = {}) {
  const wire = await WireServer.start(t);
  const { httpOptions, ...rest } = client;
  const ai = new GoogleGenAI({ apiKey: 'k', ...rest, httpOptions: { baseUrl: wire.url, ...httpOptions } });
  const made = collectors({ llm });
  const uninstall = instrumentGoogleGenAI(ai, { collector: made.llm, ...options });
  return { wire, ai, uninstall, ...made, lines: () => recorded(made.registry) };
}

async function read(stream) {
  const texts = [];
  for await (const chunk of stream) texts.push(chunk.text);
  return texts;
}

const on = (labels) => `{model="${MODEL}",provider="google"${labels}}`;
const SUCCESS = [
  `llm_requests_total${on(',operation="chat",status="success"')} 1`,
  `llm_request_duration_seconds_count${on(',operation="chat"')} 1`,
];
const TOKENS = [`llm_tokens_total${on(',type="input"')} 10`, `llm_tokens_total${on(',type="output"')} 4`];

const UNPRICED = `llm_unpriced_requests_total${on('')} 1`;
const finished = (reason) => `llm_finish_reasons_total${on(`,reason="${reason}"`)} 1`;

test('an answer is returned unchanged and recorded completely', async (t) => {
  const { wire, ai, lines } = await measured(t, { llm: { prices: { [MODEL]: { input: 1, output: 2 } } } });
  const usage = {
    promptTokenCount: 100,
    toolUsePromptTokenCount: 7,
    candidatesTokenCount: 20,
    thoughtsTokenCount: 30,
    cachedContentTokenCount: 60,
    promptTokensDetails: [
      { modality: 'TEXT', tokenCount: 80 },
      { modality: 'AUDIO', tokenCount: 15 },
      { modality: 'IMAGE', tokenCount: 5 },
    ],
    candidatesTokensDetails: [{ modality: 'AUDIO', tokenCount: 2 }],
  };
  wire.answer(json(answer([{ text: 'Hé€😀' }], 'STOP', usage)));
  const response = await ai.models.generateContent(ASKED);
  t.is(response.constructor.name, 'GenerateContentResponse');
  t.is(response.text, 'Hé€😀');
  t.is(wire.requests[0].path, `/v1/models/${MODEL}:generateContent`);
  sameLines(t, await lines(), [
    SUCCESS,
    `llm_tokens_total${on(',type="input"')} 107`,
    `llm_tokens_total${on(',type="output"')} 50`,
    `llm_token_details_total${on(',detail="cache_read"')} 60`,
    `llm_token_details_total${on(',detail="reasoning"')} 30`,
    `llm_token_details_total${on(',detail="audio_input"')} 15`,
    `llm_token_details_total${on(',detail="image_input"')} 5`,
    `llm_token_details_total${on(',detail="audio_output"')} 2`,
    `llm_cost_usd_total${on('')} 0.000207`,
    finished('stop'),
  ]);
});

test('a stream is returned unchanged when its bytes arrive one by one; the last usage counts', async (t) => {
  const { wire, ai, lines } = await measured(t);
  wire.answer(
    events(
      [
        answer([{ text: 'Hé' }], undefined, { promptTokenCount: 10, candidatesTokenCount: 1 }),
        answer([{ text: '€😀' }], undefined, { promptTokenCount: 10, candidatesTokenCount: 2 }),
        answer([{ text: '' }], 'MAX_TOKENS', USAGE),
      ],
      { pieceBytes: 1 },
    ),
  );
  t.deepEqual(await read(await ai.models.generateContentStream(ASKED)), ['Hé', '€😀', '']);
  t.is(wire.requests[0].path, `/v1/models/${MODEL}:streamGenerateContent?alt=sse`);
  sameLines(t, await lines(), [
    SUCCESS,
    TOKENS,
    UNPRICED,
    finished('length'),
    `llm_streaming_requests_total${on('')} 1`,
    `llm_streaming_chunks_total${on('')} 3`,
    `llm_streaming_time_to_first_token_seconds_count${on('')} 1`,
    `llm_streaming_time_per_output_token_seconds_count${on('')} 1`,
  ]);
});

test('the first token is the first content, not the first chunk', async (t) => {
  const { wire, ai, registry } = await measured(t);
  wire.answer(events([answer([{ text: '' }]), answer([{ text: 'a' }], 'STOP', USAGE)], { gapMs: 150 }));
  await read(await ai.models.generateContentStream(ASKED));
  const [, seconds] = /first_token_seconds_sum\{[^}]*\} (\S+)/.exec(await registry.metrics());
  t.true(Number(seconds) > 0.14 && Number(seconds) < 5, seconds);
});

test('chats go through the models, whole and streamed', async (t) => {
  const { wire, ai, lines } = await measured(t);
  wire.answer(json(HELLO), events([HELLO]));
  const chat = ai.chats.create({ model: MODEL });
  t.is((await chat.sendMessage({ message: 'a' })).text, 'Hé€😀');
  t.deepEqual(await read(await chat.sendMessageStream({ message: 'b' })), ['Hé€😀']);
  t.is(chat.getHistory().length, 4);
  sameLines(t, await lines(), [
    `llm_requests_total${on(',operation="chat",status="success"')} 2`,
    `llm_request_duration_seconds_count${on(',operation="chat"')} 2`,
    `llm_tokens_total${on(',type="input"')} 20`,
    `llm_tokens_total${on(',type="output"')} 8`,
    `llm_unpriced_requests_total${on('')} 2`,
    `llm_finish_reasons_total${on(',reason="stop"')} 2`,
    `llm_streaming_requests_total${on('')} 1`,
    `llm_streaming_chunks_total${on('')} 1`,
    `llm_streaming_time_to_first_token_seconds_count${on('')} 1`,
    `llm_streaming_time_per_output_token_seconds_count${on('')} 1`,
  ]);
});

test('embeddings: without usage as in the Gemini API, with usage as in Vertex', async (t) => {
  const { wire, ai, lines } = await measured(t);
  wire.answer(json({ embeddings: [{ values: [1, 2] }] }));
  const { embeddings } = await ai.models.embedContent({ model: 'gemini-embedding-001', contents: ['a'] });
  t.deepEqual(embeddings[0].values, [1, 2]);
  const labels = 'model="gemini-embedding-001",provider="google"';
  sameLines(t, await lines(), [
    `llm_requests_total{${labels},operation="embeddings",status="success"} 1`,
    `llm_request_duration_seconds_count{${labels},operation="embeddings"} 1`,
    `llm_usage_missing_total{${labels}} 1`,
  ]);

  const vertex = await measured(t, { client: { vertexai: true } });
  vertex.wire.answer(
    json({
      predictions: [3, 4].map((token_count) => ({ embeddings: { values: [1], statistics: { token_count } } })),
    }),
  );
  await vertex.ai.models.embedContent({ model: 'gemini-embedding-001', contents: ['a', 'b'] });
  const on = 'model="gemini-embedding-001",provider="vertex"';
  sameLines(t, await vertex.lines(), [
    `llm_requests_total{${on},operation="embeddings",status="success"} 1`,
    `llm_request_duration_seconds_count{${on},operation="embeddings"} 1`,
    `llm_tokens_total{${on},type="input"} 7`,
    `llm_unpriced_requests_total{${on}} 1`,
  ]);
});

test('images are counted, also those that content models make', async (t) => {
  const { wire, ai, lines } = await measured(t, { client: { vertexai: true } });
  const image = { bytesBase64Encoded: 'aaaa', mimeType: 'image/png' };
  wire.answer(
    json({ predictions: [image, image, { raiFilteredReason: 'no' }] }),
    json({ predictions: [{ raiFilteredReason: 'no' }] }),
    json(answer([{ text: 'see' }, { inlineData: { mimeType: 'image/png', data: 'aaaa' } }], 'STOP', USAGE)),
  );
  const config = { numberOfImages: 3, includeRaiReason: true };
  const made = await ai.models.generateImages({ model: 'imagen-4', prompt: 'p', config });
  t.is(made.generatedImages.length, 3);
  await ai.models.generateImages({ model: 'imagen-4', prompt: 'p', config });
  await ai.models.generateContent(ASKED);
  const imagen = 'model="imagen-4",provider="vertex"';
  sameLines(t, await lines(), [
    `llm_requests_total{${imagen},operation="image",status="success"} 2`,
    `llm_request_duration_seconds_count{${imagen},operation="image"} 2`,
    `llm_unpriced_requests_total{${imagen}} 1`,
    `llm_media_units_total{${imagen},unit="images"} 2`,
    `llm_finish_reasons_total{${imagen},reason="content_filter"} 1`,
    [SUCCESS, TOKENS, UNPRICED, finished('stop'), `llm_media_units_total${on(',unit="images"')} 1`]
      .flat()
      .map((line) => line.replace('google', 'vertex')),
  ]);
});

for (const [reason, body] of [
  ['tool_calls', answer([{ functionCall: { name: 'f', args: {} } }], 'STOP', USAGE)],
  ['length', answer([{ text: 'a' }], 'MAX_TOKENS', USAGE)],
  ['content_filter', answer([], 'SAFETY', USAGE)],
  ['content_filter', answer([], 'PROHIBITED_CONTENT', USAGE)],
  ['content_filter', { promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: USAGE }],
  ['error', answer([], 'MALFORMED_FUNCTION_CALL', USAGE)],
  ['other', answer([], 'LANGUAGE', USAGE)],
  ['other', answer([], 'constructor', USAGE)],
]) {
  const wire = body.candidates?.[0].finishReason ?? 'a blocked prompt';
  test(`finish reason: ${wire} is ${reason}`, async (t) => {
    const { wire, ai, lines } = await measured(t);
    wire.answer(json(body));
    await ai.models.generateContent(ASKED);
    sameLines(t, await lines(), [SUCCESS, TOKENS, UNPRICED, finished(reason)]);
  });
}

/** The samples of a failed request. */
const failure = (status, type) => [
  `llm_requests_total${on(`,operation="chat",status="${status}"`)} 1`,
  `llm_request_duration_seconds_count${on(',operation="chat"')} 1`,
  `llm_errors_total${on(`,error_type="${type}"`)} 1`,
];

const refused = (code, message = 'no', more = {}) => json({ error: { code, message, ...more } }, { status: code });

for (const [what, type, made] of [
  ['400', 'invalid_request', refused(400)],
  ['401', 'authentication', refused(401)],
  ['402', 'quota_exceeded', refused(402)],
  ['403', 'permission', refused(403)],
  ['404', 'not_found', refused(404)],
  ['409', 'invalid_request', refused(409)],
  ['413', 'request_too_large', refused(413)],
  ['422', 'invalid_request', refused(422)],
  ['429', 'rate_limit', refused(429)],
  ['500', 'server_error', refused(500)],
  ['503', 'overloaded', refused(503)],
  ['529', 'overloaded', refused(529)],
  [
    'an invalid key',
    'authentication',
    refused(400, 'API key not valid.', { details: [{ reason: 'API_KEY_INVALID' }] }),
  ],
  [
    'too long a prompt',
    'context_length',
    refused(400, 'The input token count (9) exceeds the maximum number of tokens allowed (8).'),
  ],
  [
    'a day’s quota',
    'quota_exceeded',
    refused(429, 'quota', { details: [{ violations: [{ quotaId: 'GenerateRequestsPerDayPerProject' }] }] }),
  ],
  ['no JSON', 'invalid_response', json('<html>')],
  ['a broken connection', 'connection', cut()],
]) {
  test(`${what} is ${type}, whole and streamed`, async (t) => {
    for (const method of ['generateContent', 'generateContentStream']) {
      const { wire, ai, lines } = await measured(t);
      wire.always(method === 'generateContentStream' && what === 'no JSON' ? events(['<html>']) : made);
      await t.throwsAsync(async () => {
        const answered = await ai.models[method](ASKED);
        await read(answered);
      });
      sameLines(t, await lines(), [failure('error', type)]);
    }
  });
}

for (const [what, type] of [
  [408, 'timeout'],
  [504, 'timeout'],
  [499, 'cancelled'],
]) {
  test(`${what} is ${type}`, async (t) => {
    const { wire, ai, lines } = await measured(t);
    wire.answer(refused(what));
    await t.throwsAsync(ai.models.generateContent(ASKED), { name: 'ApiError' });
    sameLines(t, await lines(), [failure(type, type)]);
  });
}

test('no server is listening', async (t) => {
  const { wire, ai, lines } = await measured(t);
  wire.close();
  await t.throwsAsync(ai.models.generateContent(ASKED));
  sameLines(t, await lines(), [failure('error', 'connection')]);
});

test('an abort of the caller and a timeout of the SDK are distinguished', async (t) => {
  for (const [abortSignal, type] of [
    [abortedIn(100), 'cancelled'],
    [abortedIn(100, new Error('the user left')), 'cancelled'],
    [timedOutIn(100), 'timeout'],
  ]) {
    const aborted = await measured(t);
    aborted.wire.always(silence());
    await t.throwsAsync(aborted.ai.models.generateContent({ ...ASKED, config: { abortSignal } }));
    sameLines(t, await aborted.lines(), [failure(type, type)]);
  }

  const late = await measured(t, { client: { httpOptions: { timeout: 100 } } });
  late.wire.always(silence());
  await t.throwsAsync(late.ai.models.generateContent(ASKED));
  sameLines(t, await late.lines(), [failure('timeout', 'timeout')]);
});

const BEGUN = answer([{ text: 'a' }], undefined, { promptTokenCount: 10, candidatesTokenCount: 1 });
const STREAMED = [
  `llm_tokens_total${on(',type="input"')} 10`,
  `llm_tokens_total${on(',type="output"')} 1`,
  UNPRICED,
  `llm_streaming_requests_total${on('')} 1`,
  `llm_streaming_chunks_total${on('')} 1`,
  `llm_streaming_time_to_first_token_seconds_count${on('')} 1`,
];
const interrupted = (reason) => `llm_streaming_interrupted_total${on(`,reason="${reason}"`)} 1`;

test('a broken stream counts as interrupted, with the tokens until then', async (t) => {
  const { wire, ai, lines } = await measured(t);
  wire.answer(events([BEGUN], { end: 'cut', gapMs: 20 }));
  await t.throwsAsync(async () => read(await ai.models.generateContentStream(ASKED)));
  sameLines(t, await lines(), [failure('error', 'stream_interrupted'), STREAMED, interrupted('provider')]);
});

test('an error within a stream', async (t) => {
  const { wire, ai, lines } = await measured(t);
  wire.answer(events([BEGUN, { error: { code: 503, message: 'busy', status: 'UNAVAILABLE' } }], { gapMs: 20 }));
  await t.throwsAsync(async () => read(await ai.models.generateContentStream(ASKED)), { name: 'ApiError' });
  sameLines(t, await lines(), [failure('error', 'overloaded'), STREAMED, interrupted('provider')]);
});

test('a reader that leaves, and one that aborts', async (t) => {
  const left = await measured(t);
  left.wire.answer(events([BEGUN, HELLO], { gapMs: 20 }));
  for await (const chunk of await left.ai.models.generateContentStream(ASKED)) {
    t.is(chunk.text, 'a');
    break;
  }
  const cancelled = [failure('cancelled', 'cancelled'), STREAMED, interrupted('client')];
  sameLines(t, await left.lines(), cancelled);

  const aborted = await measured(t);
  aborted.wire.answer(events([BEGUN], { end: 'hang' }));
  const abort = new AbortController();
  await t.throwsAsync(async () => {
    const stream = await aborted.ai.models.generateContentStream({ ...ASKED, config: { abortSignal: abort.signal } });
    for await (const _ of stream) abort.abort();
  });
  sameLines(t, await aborted.lines(), cancelled);
});

test('an unread stream leaves the active requests', async (t) => {
  const { wire, ai, lines } = await measured(t);
  wire.answer(events([BEGUN, HELLO]));
  const active = `llm_active_requests${on('')} 1`;
  const ask = async () => {
    await ai.models.generateContentStream({ ...ASKED, config: { automaticContinuation: false } });
    t.deepEqual(await lines(), [active]);
  };
  await ask();
  for (let round = 0; round < 50 && (await lines()).length > 0; round++) {
    await sleep(20);
    collectGarbage();
  }
  t.deepEqual(await lines(), []);
});

test('attempts that the SDK makes automatically', async (t) => {
  const retryOptions = { attempts: 3, initialDelay: 0.01 };
  const { wire, ai, lines } = await measured(t, { client: { httpOptions: { retryOptions } } });
  wire.answer(refused(429), refused(503), json(HELLO));
  t.is((await ai.models.generateContent(ASKED)).text, 'Hé€😀');
  sameLines(t, await lines(), [
    SUCCESS,
    TOKENS,
    UNPRICED,
    finished('stop'),
    `llm_retries_total${on(',error_type="rate_limit"')} 1`,
    `llm_retries_total${on(',error_type="overloaded"')} 1`,
  ]);
});

test('each attempt is timed on request, also one that fails', async (t) => {
  const retryOptions = { attempts: 3, initialDelay: 0.01 };
  const llm = { optional: { attemptDuration: true }, prices: { [MODEL]: { input: 1, output: 1 } } };
  const { wire, ai, lines } = await measured(t, { client: { httpOptions: { retryOptions } }, llm });
  wire.answer(refused(429), refused(503), json(HELLO));
  await ai.models.generateContent(ASKED);
  const timed = (await lines()).filter((line) => /attempt|request_duration/.test(line));
  sameLines(t, timed, [SUCCESS[1], `llm_attempt_duration_seconds_count${on('')} 3`]);
});

/** A tool that the SDK calls automatically. */
const WEATHER = {
  tool: async () => ({ functionDeclarations: [{ name: 'weather' }] }),
  callTool: async () => [{ functionResponse: { name: 'weather', response: { sun: true } } }],
};

test('each request of automatic function calling counts, with its tokens', async (t) => {
  const call = answer([{ functionCall: { name: 'weather', args: {} } }], 'STOP', USAGE);
  for (const streamed of [false, true]) {
    const { wire, ai, lines } = await measured(t);
    wire.answer(...[call, HELLO].map((body) => (streamed ? events([body]) : json(body))));
    const asked = { ...ASKED, config: { tools: [WEATHER] } };
    if (streamed) await read(await ai.models.generateContentStream(asked));
    else t.is((await ai.models.generateContent(asked)).text, 'Hé€😀');
    t.is(wire.requests.length, 2);
    sameLines(t, await lines(), [
      `llm_requests_total${on(',operation="chat",status="success"')} 2`,
      `llm_request_duration_seconds_count${on(',operation="chat"')} 2`,
      `llm_tokens_total${on(',type="input"')} 20`,
      `llm_tokens_total${on(',type="output"')} 8`,
      `llm_unpriced_requests_total${on('')} 2`,
      finished('tool_calls'),
      finished('stop'),
      streamed
        ? [
            `llm_streaming_requests_total${on('')} 2`,
            `llm_streaming_chunks_total${on('')} 2`,
            `llm_streaming_time_to_first_token_seconds_count${on('')} 2`,
            `llm_streaming_time_per_output_token_seconds_count${on('')} 2`,
          ]
        : [],
    ]);
  }
});

test('Vertex and custom addresses', async (t) => {
  for (const [client, options, model, provider] of [
    [{ vertexai: true }, {}, 'publishers/google/models/gemini-2.5-flash', 'vertex'],
    [{}, { providers: { '127.0.0.1': 'gateway' } }, 'models/gemini-2.5-flash', 'gateway'],
    [{}, { provider: 'mine' }, MODEL, 'mine'],
  ]) {
    const { wire, ai, lines } = await measured(t, { client, options });
    wire.answer(json(HELLO));
    await ai.models.generateContent({ ...ASKED, model });
    const [requests] = (await lines()).filter((line) => line.startsWith('llm_requests_total'));
    const labels = `model="${MODEL}",provider="${provider}",operation="chat",status="success"`;
    t.is(requests, `llm_requests_total{${labels}} 1`);
  }
});

test('the requests of an agent count for it', async (t) => {
  const { wire, ai, agents, lines } = await measured(t, { llm: { prices: { [MODEL]: { input: 1, output: 2 } } } });
  wire.answer(events([HELLO]));
  const stream = await agents.run('researcher', () => ai.models.generateContentStream(ASKED));
  await read(stream);
  const of = (await lines()).filter((line) => /agent_(tokens|cost)/.test(line));
  t.deepEqual(of, [
    'agent_tokens_total{agent_type="researcher",type="input"} 10',
    'agent_tokens_total{agent_type="researcher",type="output"} 4',
    'agent_cost_usd_total{agent_type="researcher"} 0.000018',
  ]);
});

test('an unreadable answer ends its request', async (t) => {
  const { wire, ai, lines } = await measured(t);
  wire.answer(json({ candidates: [{ content: { parts: [null] } }] }));
  const { candidates } = await ai.models.generateContent(ASKED);
  t.deepEqual(candidates[0].content.parts, [null]);
  sameLines(t, await lines(), [SUCCESS, [`llm_usage_missing_total${on('')} 1`]]);
});

test('instrumented twice, it counts once and is restored afterwards', async (t) => {
  const wire = await WireServer.start(t);
  wire.always(json(HELLO));
  const ai = new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: wire.url } });
  const before = [ai.models, ai.models.apiClient].map((of) => Object.getOwnPropertyNames(of));
  const { llm, registry } = collectors();
  const uninstall = [1, 2].map(() => instrumentGoogleGenAI(ai, { collector: llm }));
  await ai.models.generateContent(ASKED);
  sameLines(t, await recorded(registry), [SUCCESS, TOKENS, UNPRICED, finished('stop')]);
  for (const undo of uninstall) undo();
  t.deepEqual(
    [ai.models, ai.models.apiClient].map((of) => Object.getOwnPropertyNames(of)),
    before,
  );
  await ai.models.generateContent(ASKED);
  sameLines(t, await recorded(registry), [SUCCESS, TOKENS, UNPRICED, finished('stop')]);
});

test('arguments that no version of the SDK accepts throw', (t) => {
  for (const [client, options] of [
    [null, {}],
    [{ models: {} }, null],
    [{ models: {} }, { collector: {} }],
    [{ models: {} }, { provider: 1 }],
  ]) {
    t.throws(() => instrumentGoogleGenAI(client, options), { instanceOf: ConfigurationError, code: 'INVALID_CONFIG' });
  }
});

test.serial('a client with an unknown shape is not changed, with one warning', async (t) => {
  const warnings = [];
  const listen = ({ message }) => warnings.push(message);
  process.on('warning', listen);
  t.teardown(() => process.off('warning', listen));
  const { llm, registry } = collectors();
  for (const models of [undefined, {}, Object.freeze({ generateContent: () => 1 })]) {
    instrumentGoogleGenAI({ models }, { collector: llm })();
  }
  await sleep(0);
  t.deepEqual(warnings, ['Expected @google/genai to have models.generateContent; it is not measured']);
  // Without the method that makes one request, the calls of the user are measured.
  const models = { generateContent: async () => HELLO };
  instrumentGoogleGenAI({ models }, { collector: llm });
  t.is(await models.generateContent(ASKED), HELLO);
  sameLines(t, await recorded(registry), [SUCCESS, TOKENS, UNPRICED, finished('stop')]);
});
