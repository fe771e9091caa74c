// Tests the real `ai` package and its provider packages against a server that speaks OpenAI's and Anthropic's formats:
// the recorded metrics must match the answers. All integrations of a process share one list, so one test runs at a
// time.

import { setTimeout as sleep } from 'node:timers/promises';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { ConfigurationError } from '@llm-devops/prometheus-metrics';
import { instrumentAiSdk } from '@llm-devops/prometheus-metrics/ai-sdk';
import { embed, embedMany, generateObject, generateText, Output, rerank, streamObject, streamText } from 'ai';
import { MockRerankingModelV4 } from 'ai/test';
import test from 'ava';
import { z } from 'zod';
import { collectGarbage } from '../support/garbage.mjs';
import { collectors, recorded, sameLines } from './support/recorded.mjs';
import { abortedIn, timedOutIn } from './support/signals.mjs';
import { cut, events, json, silence, WireServer } from './support/wire-server.mjs';

const MODEL = 'gpt-4o-mini';
const USAGE = { prompt_tokens: 10, completion_tokens: 4, total_tokens: 14 };

/** A complete answer of a chat. */
function completion(message, { finish_reason = 'stop', usage = USAGE, status, headers } = {}) {
  const choices = [{ index: 0, message: { role: 'assistant', ...message }, finish_reason }];
  return json({ id: 'c', created: 1, model: MODEL, choices, usage }, { status, headers });
}

function chunk(delta, { finish_reason = null, usage } = {}) {
  const choices = [{ index: 0, delta, finish_reason }];
  return { id: 'c', created: 1, model: MODEL, choices, ...(usage ? { usage } : {}) };
}

const HELLO = completion({ content: 'Hé€😀' });
const HELLO_CHUNKS = [
  chunk({ role: 'assistant', content: '' }),
  chunk({ content: 'Hé' }),
  chunk({ content: '€😀' }),
  chunk({}, { finish_reason: 'stop' }),
  { id: 'c', created: 1, model: MODEL, choices: [], usage: USAGE },
  '[DONE]',
];

async function measured(t, { options = {}, llm = {} } = {}) {
  const wire = await WireServer.start(t);
  const openai = createOpenAI({ apiKey: 'k', baseURL: `${wire.url}/v1` });
  const made = collectors({ llm });
  const uninstall = instrumentAiSdk({ collector: made.llm, agents: made.agents, ...options });
  t.teardown(uninstall);
  const model = openai.chat(MODEL);
  return {
    wire,
    openai,
    model,
    uninstall,
    asked: { model, prompt: 'why?', maxRetries: 0 },
    ...made,
    lines: () => recorded(made.registry),
  };
}

const on = (labels) => `{model="${MODEL}",provider="openai"${labels}}`;
const SUCCESS = [
  `llm_requests_total${on(',operation="chat",status="success"')} 1`,
  `llm_request_duration_seconds_count${on(',operation="chat"')} 1`,
];
const TOKENS = [`llm_tokens_total${on(',type="input"')} 10`, `llm_tokens_total${on(',type="output"')} 4`];
const UNPRICED = `llm_unpriced_requests_total${on('')} 1`;
const finished = (reason) => `llm_finish_reasons_total${on(`,reason="${reason}"`)} 1`;
const STREAMED = [
  `llm_streaming_requests_total${on('')} 1`,
  `llm_streaming_chunks_total${on('')} 2`,
  `llm_streaming_time_to_first_token_seconds_count${on('')} 1`,
];
const PER_TOKEN = `llm_streaming_time_per_output_token_seconds_count${on('')} 1`;

const failure = (status, type) => [
  `llm_requests_total${on(`,operation="chat",status="${status}"`)} 1`,
  `llm_request_duration_seconds_count${on(',operation="chat"')} 1`,
  `llm_errors_total${on(`,error_type="${type}"`)} 1`,
];

/** Reads a text stream to its end and ignores its errors. */
async function read(result) {
  const texts = [];
  for await (const text of result.textStream) texts.push(text);
  return texts;
}

const quiet = { onError: () => {} };

test.serial('a text is returned unchanged and recorded completely', async (t) => {
  const { wire, asked, lines } = await measured(t, { llm: { prices: { [MODEL]: { input: 1, output: 2 } } } });
  const usage = {
    prompt_tokens: 100,
    completion_tokens: 50,
    prompt_tokens_details: { cached_tokens: 60 },
    completion_tokens_details: { reasoning_tokens: 30 },
  };
  const headers = { 'x-ratelimit-limit-requests': '100', 'x-ratelimit-remaining-requests': '99' };
  wire.answer(completion({ content: 'Hé€😀' }, { usage, headers }));
  t.is((await generateText(asked)).text, 'Hé€😀');
  sameLines(t, await lines(), [
    SUCCESS,
    `llm_tokens_total${on(',type="input"')} 100`,
    `llm_tokens_total${on(',type="output"')} 50`,
    `llm_token_details_total${on(',detail="cache_read"')} 60`,
    `llm_token_details_total${on(',detail="reasoning"')} 30`,
    `llm_cost_usd_total${on('')} 0.0002`,
    `llm_ratelimit_limit${on(',resource="requests"')} 100`,
    `llm_ratelimit_remaining${on(',resource="requests"')} 99`,
    finished('stop'),
  ]);
});

test.serial('a stream is returned unchanged when its bytes arrive one by one', async (t) => {
  const { wire, asked, lines } = await measured(t);
  wire.answer(events(HELLO_CHUNKS, { pieceBytes: 1 }));
  const result = streamText(asked);
  t.deepEqual(await read(result), ['Hé', '€😀']);
  t.is((await result.usage).inputTokens, 10);
  sameLines(t, await lines(), [SUCCESS, TOKENS, UNPRICED, finished('stop'), STREAMED, PER_TOKEN]);
});

test.serial('the first token is the first content, not the first chunk', async (t) => {
  const { wire, asked, registry } = await measured(t);
  wire.answer(events(HELLO_CHUNKS, { gapMs: 120 }));
  await read(streamText(asked));
  const [, seconds] = /first_token_seconds_sum\{[^}]*\} (\S+)/.exec(await registry.metrics());
  t.true(Number(seconds) > 0.11 && Number(seconds) < 5, seconds);
});

test.serial('OpenAI’s Responses API and Anthropic are recognised by their names', async (t) => {
  const { wire, openai, lines } = await measured(t);
  const content = [{ type: 'output_text', text: 'a', annotations: [] }];
  wire.answer(
    json({
      id: 'r',
      created_at: 1,
      model: MODEL,
      output: [{ type: 'message', id: 'm', role: 'assistant', content }],
      usage: { input_tokens: 10, output_tokens: 4 },
    }),
  );
  await generateText({ model: openai.responses(MODEL), prompt: 'a', maxRetries: 0 });
  sameLines(t, await lines(), [SUCCESS, TOKENS, UNPRICED, finished('stop')]);

  const model = createAnthropic({ apiKey: 'k', baseURL: `${wire.url}/v1` })('claude-sonnet-4-5');
  const usage = { input_tokens: 5, output_tokens: 4, cache_read_input_tokens: 3, cache_creation_input_tokens: 2 };
  const message = {
    type: 'message',
    id: 'm',
    model: 'claude-sonnet-4-5',
    role: 'assistant',
    stop_reason: 'max_tokens',
    usage,
  };
  const headers = {
    'anthropic-ratelimit-input-tokens-limit': '50',
    'anthropic-ratelimit-input-tokens-remaining': '40',
  };
  wire.answer(json({ ...message, content: [{ type: 'text', text: 'a' }] }, { headers }));
  await generateText({ model, prompt: 'a', maxRetries: 0 });
  const claude = 'model="claude-sonnet-4-5",provider="anthropic"';
  sameLines(
    t,
    (await lines()).filter((line) => line.includes('claude')),
    [
      `llm_requests_total{${claude},operation="chat",status="success"} 1`,
      `llm_request_duration_seconds_count{${claude},operation="chat"} 1`,
      `llm_tokens_total{${claude},type="input"} 10`,
      `llm_tokens_total{${claude},type="output"} 4`,
      `llm_token_details_total{${claude},detail="cache_read"} 3`,
      `llm_token_details_total{${claude},detail="cache_write"} 2`,
      `llm_unpriced_requests_total{${claude}} 1`,
      `llm_ratelimit_limit{${claude},resource="input_tokens"} 50`,
      `llm_ratelimit_remaining{${claude},resource="input_tokens"} 40`,
      `llm_finish_reasons_total{${claude},reason="length"} 1`,
    ],
  );
});

const refused = (status, error = {}, headers = {}) =>
  json({ error: { message: 'no', type: '', ...error } }, { status, headers });

for (const [what, type, made] of [
  ['400', 'invalid_request', refused(400)],
  ['401', 'authentication', refused(401)],
  ['403', 'permission', refused(403)],
  ['404', 'not_found', refused(404)],
  ['409', 'invalid_request', refused(409)],
  ['413', 'request_too_large', refused(413)],
  ['422', 'invalid_request', refused(422)],
  ['429', 'rate_limit', refused(429)],
  ['429 for want of quota', 'quota_exceeded', refused(429, { code: 'insufficient_quota' })],
  ['too long a prompt', 'context_length', refused(400, { code: 'context_length_exceeded' })],
  ['a filter', 'content_filter', refused(400, { code: 'content_filter' })],
  ['500', 'server_error', refused(500)],
  ['503', 'overloaded', refused(503)],
  ['529', 'overloaded', refused(529)],
  ['no JSON', 'invalid_response', json('<html>')],
  ['a broken connection', 'connection', cut()],
]) {
  test.serial(`${what} is ${type}, whole and streamed`, async (t) => {
    const whole = await measured(t);
    whole.wire.always(made);
    await t.throwsAsync(generateText(whole.asked));
    sameLines(t, await whole.lines(), [failure('error', type)]);
    whole.uninstall();

    const { wire, asked, lines } = await measured(t);
    wire.always(what === 'no JSON' ? events(['<html>']) : made);
    await read(streamText({ ...asked, ...quiet }));
    sameLines(t, await lines(), [failure('error', type)]);
  });
}

test.serial('attempts count by their errors, and the last one by its outcome', async (t) => {
  const soon = { 'retry-after-ms': '1' };
  const { wire, asked, lines, uninstall } = await measured(t);
  wire.answer(refused(429, {}, soon), refused(503, {}, soon), HELLO);
  await generateText({ ...asked, maxRetries: 2 });
  const retries = ['rate_limit', 'overloaded'].map((type) => `llm_retries_total${on(`,error_type="${type}"`)} 1`);
  sameLines(t, await lines(), [SUCCESS, TOKENS, UNPRICED, finished('stop'), retries]);
  uninstall();

  const failing = await measured(t);
  failing.wire.answer(refused(429, {}, soon), refused(503, {}, soon), refused(500, {}, soon));
  await t.throwsAsync(generateText({ ...failing.asked, maxRetries: 2 }), { name: 'AI_RetryError' });
  sameLines(t, await failing.lines(), [failure('error', 'server_error'), retries]);
});

test.serial('aborts and timeouts without streaming', async (t) => {
  for (const [given, type] of [
    [() => ({ abortSignal: abortedIn(50) }), 'cancelled'],
    [() => ({ timeout: 50 }), 'timeout'],
    [() => ({ abortSignal: timedOutIn(50) }), 'timeout'],
  ]) {
    const { wire, asked, lines, uninstall } = await measured(t);
    wire.always(silence());
    await t.throwsAsync(generateText({ ...asked, ...given() }));
    sameLines(t, await lines(), [failure(type, type)]);
    uninstall();
  }
});

const BEGUN = HELLO_CHUNKS.slice(0, 3);
const interrupted = (reason) => `llm_streaming_interrupted_total${on(`,reason="${reason}"`)} 1`;

test.serial('aborts and timeouts while streaming', async (t) => {
  for (const [given, type, who] of [
    [() => ({ abortSignal: abortedIn(200) }), 'cancelled', 'client'],
    [() => ({ abortSignal: abortedIn(200, 'rate_limit') }), 'cancelled', 'client'],
    [() => ({ abortSignal: abortedIn(200, new Error('the user left')) }), 'cancelled', 'client'],
    [() => ({ timeout: 200 }), 'timeout', 'timeout'],
  ]) {
    const { wire, asked, lines, uninstall } = await measured(t);
    wire.answer(events(BEGUN, { end: 'hang' }));
    await read(streamText({ ...asked, ...quiet, ...given() }));
    sameLines(t, await lines(), [
      failure(type, type),
      `llm_usage_missing_total${on('')} 1`,
      STREAMED,
      interrupted(who),
    ]);
    uninstall();
  }
});

test.serial('streams that break or fail', async (t) => {
  for (const [made, type] of [
    [events(BEGUN, { end: 'cut', gapMs: 20 }), 'stream_interrupted'],
    [events([...BEGUN, { error: { message: 'busy', type: 'server_error', code: null } }]), 'server_error'],
  ]) {
    const { wire, asked, lines, uninstall } = await measured(t);
    wire.answer(made);
    await read(streamText({ ...asked, ...quiet })).catch(() => {});
    sameLines(t, await lines(), [
      failure('error', type),
      `llm_usage_missing_total${on('')} 1`,
      STREAMED,
      interrupted('provider'),
    ]);
    uninstall();
  }
});

test.serial('a stream that just stops has no usage, and the finish reason of the provider’s package', async (t) => {
  const { wire, asked, lines } = await measured(t);
  wire.answer(events(BEGUN));
  t.deepEqual(await read(streamText({ ...asked, ...quiet })), ['Hé', '€😀']);
  sameLines(t, await lines(), [SUCCESS, `llm_usage_missing_total${on('')} 1`, finished('other'), STREAMED]);
});

test.serial('an unread stream leaves the active requests, and its agent’s', async (t) => {
  const { wire, asked, lines } = await measured(t);
  wire.answer(events([...BEGUN, ...Array.from({ length: 50 }, () => chunk({ content: 'x' }))], { end: 'hang' }));
  const active = ['agent_active{agent_type="idle"} 1', `llm_active_requests${on('')} 1`];
  const ask = async () => {
    const result = streamText({ ...asked, ...quiet, telemetry: { functionId: 'idle' } });
    while (wire.requests.length === 0) await sleep(10);
    await sleep(50);
    sameLines(t, await lines(), active);
    return typeof result;
  };
  await ask();
  wire.close();
  for (let round = 0; round < 50 && (await lines()).length > 0; round++) {
    await sleep(20);
    collectGarbage();
  }
  t.deepEqual(
    (await lines()).filter((line) => line.includes('active')),
    [],
  );
});

const SCHEMA = z.object({ city: z.string() });

test.serial('objects, whole and streamed, and invalid answers', async (t) => {
  const { wire, asked, lines, uninstall } = await measured(t);
  wire.answer(completion({ content: '{"city":"Köln"}' }));
  t.deepEqual((await generateObject({ ...asked, schema: SCHEMA })).object, { city: 'Köln' });
  sameLines(t, await lines(), [SUCCESS, TOKENS, UNPRICED, finished('stop')]);
  uninstall();

  const none = await measured(t);
  none.wire.answer(completion({ content: 'no' }));
  await t.throwsAsync(generateObject({ ...none.asked, schema: SCHEMA }), { name: 'AI_NoObjectGeneratedError' });
  sameLines(t, await none.lines(), [failure('error', 'invalid_response'), TOKENS, UNPRICED, finished('stop')]);
  none.uninstall();

  const streamed = await measured(t);
  streamed.wire.answer(
    events([
      chunk({ content: '{"city":' }),
      chunk({ content: '"Köln"}' }),
      chunk({}, { finish_reason: 'stop', usage: USAGE }),
      '[DONE]',
    ]),
  );
  const result = streamObject({ ...streamed.asked, ...quiet, schema: SCHEMA });
  for await (const _ of result.partialObjectStream);
  t.deepEqual(await result.object, { city: 'Köln' });
  sameLines(t, await streamed.lines(), [
    SUCCESS,
    TOKENS,
    UNPRICED,
    finished('stop'),
    STREAMED[0],
    STREAMED[2],
    PER_TOKEN,
  ]);
  streamed.uninstall();

  const output = await measured(t);
  output.wire.answer(completion({ content: 'no' }));
  await t.throwsAsync(generateText({ ...output.asked, output: Output.object({ schema: SCHEMA }) }));
  sameLines(t, await output.lines(), [
    SUCCESS,
    TOKENS,
    UNPRICED,
    finished('stop'),
    `llm_errors_total${on(',error_type="invalid_response"')} 1`,
  ]);
});

test.serial('a failed object, with its attempts', async (t) => {
  const soon = { 'retry-after-ms': '1' };
  const { wire, asked, lines } = await measured(t);
  wire.answer(refused(429, {}, soon), refused(503, {}, soon));
  await t.throwsAsync(generateObject({ ...asked, schema: SCHEMA, maxRetries: 1 }));
  sameLines(t, await lines(), [failure('error', 'overloaded'), `llm_retries_total${on(',error_type="rate_limit"')} 1`]);
});

test.serial('embeddings, one and many, and attempts that the SDK does not report', async (t) => {
  const { wire, openai, lines } = await measured(t);
  const soon = { 'retry-after-ms': '1' };
  const embedded = (count) =>
    json({
      data: Array.from({ length: count }, (_, index) => ({ index, embedding: [index] })),
      usage: { prompt_tokens: 3 },
    });
  const model = openai.embedding('text-embedding-3-small');
  wire.answer(embedded(1), refused(429, {}, soon), embedded(2), refused(401));
  await embed({ model, value: 'a', maxRetries: 0 });
  await embedMany({ model, values: ['a', 'b'], maxRetries: 1 });
  await t.throwsAsync(embed({ model, value: 'a', maxRetries: 0 }));
  const of = 'model="text-embedding-3-small",provider="openai"';
  sameLines(t, await lines(), [
    `llm_requests_total{${of},operation="embeddings",status="success"} 2`,
    `llm_requests_total{${of},operation="embeddings",status="error"} 1`,
    `llm_request_duration_seconds_count{${of},operation="embeddings"} 3`,
    `llm_tokens_total{${of},type="input"} 6`,
    `llm_unpriced_requests_total{${of}} 2`,
    `llm_errors_total{${of},error_type="authentication"} 1`,
    `llm_retries_total{${of},error_type="other"} 1`,
  ]);
});

test.serial('requests other than texts and embeddings', async (t) => {
  const { lines } = await measured(t);
  const ranking = { ranking: [{ index: 0, relevanceScore: 1 }] };
  const model = new MockRerankingModelV4({
    provider: 'cohere.reranking',
    modelId: 'rerank-v3',
    doRerank: async () => ranking,
  });
  await rerank({ model, documents: ['a'], query: 'q', maxRetries: 0 });
  const bad = new MockRerankingModelV4({
    provider: 'cohere.reranking',
    modelId: 'rerank-v3',
    doRerank: async () => {
      throw new Error('no');
    },
  });
  await t.throwsAsync(rerank({ model: bad, documents: ['a'], query: 'q', maxRetries: 0 }));
  const of = 'model="rerank-v3",provider="cohere"';
  sameLines(t, await lines(), [
    `llm_requests_total{${of},operation="rerank",status="success"} 1`,
    `llm_requests_total{${of},operation="rerank",status="error"} 1`,
    `llm_request_duration_seconds_count{${of},operation="rerank"} 2`,
    `llm_errors_total{${of},error_type="other"} 1`,
  ]);
});

test.serial('calls are measured even if they are hidden from telemetry', async (t) => {
  const { wire, asked, lines } = await measured(t);
  wire.answer(HELLO);
  await generateText({ ...asked, telemetry: { recordInputs: false, recordOutputs: false } });
  sameLines(t, await lines(), [SUCCESS, TOKENS, UNPRICED, finished('stop')]);
});

test.serial('custom provider names', async (t) => {
  const { wire, asked, lines } = await measured(t, { options: { providers: { 'openai.chat': 'gateway' } } });
  wire.answer(HELLO);
  await generateText(asked);
  const labels = `model="${MODEL}",provider="gateway",operation="chat",status="success"`;
  t.true((await lines()).includes(`llm_requests_total{${labels}} 1`));
});

test.serial('requests within a custom agent count for it', async (t) => {
  const { wire, asked, agents, lines } = await measured(t, { options: { agents: false } });
  wire.answer(HELLO);
  await agents.run('mine', () => generateText({ ...asked, telemetry: { functionId: 'f' } }));
  t.deepEqual(
    (await lines()).filter((line) => line.startsWith('agent_tokens')),
    ['input', 'output'].map((type, at) => `agent_tokens_total{agent_type="mine",type="${type}"} ${[10, 4][at]}`),
  );
});

test.serial('registered twice, it counts once and is removed afterwards', async (t) => {
  const { wire, asked, lines, llm, uninstall } = await measured(t);
  const { AI_SDK_TELEMETRY_INTEGRATIONS: list } = globalThis;
  t.is(list.length, 1);
  instrumentAiSdk({ collector: llm })();
  t.is(list.length, 1);
  wire.always(HELLO);
  await generateText(asked);
  uninstall();
  uninstall();
  t.is(list.length, 0);
  await generateText(asked);
  sameLines(t, await lines(), [SUCCESS, TOKENS, UNPRICED, finished('stop')]);
});

test.serial('invalid options throw', (t) => {
  for (const options of [
    null,
    { collector: {} },
    { providers: 1 },
    { agents: 1 },
    { agents: { collector: {} } },
    { agents: { finalTools: 'a' } },
  ]) {
    t.throws(() => instrumentAiSdk(options), { instanceOf: ConfigurationError, code: 'INVALID_CONFIG' });
  }
});

test.serial('a package with another list of integrations is not changed', async (t) => {
  const { AI_SDK_TELEMETRY_INTEGRATIONS: list } = globalThis;
  t.teardown(() => {
    globalThis.AI_SDK_TELEMETRY_INTEGRATIONS = list;
  });
  const warned = new Promise((resolve) => process.once('warning', ({ message }) => resolve(message)));
  globalThis.AI_SDK_TELEMETRY_INTEGRATIONS = new Set();
  instrumentAiSdk({ collector: collectors().llm })();
  t.is(
    await warned,
    'Expected ai to keep a list in globalThis.AI_SDK_TELEMETRY_INTEGRATIONS; its requests are not measured',
  );
});
