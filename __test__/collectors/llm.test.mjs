// Tests LlmMetricsCollector: the whole exposition after requests, streams and failures, and that no call leaks.

import { setTimeout as sleep } from 'node:timers/promises';
import { LlmMetricsCollector, Registry } from '@llm-devops/prometheus-metrics';
import { MockClock } from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';
import { collectGarbage } from '../support/garbage.mjs';

const PRICES = {
  'gpt-4o-mini': { input: 0.15, output: 0.6, cacheRead: 0.075 },
  'azure/gpt-4o': [
    { from: '2020-01-01', input: 5, output: 15 },
    { from: '2999-01-01', input: 1, output: 1 },
  ],
};
const MINI = { model: 'gpt-4o-mini-2024-07-18', provider: 'openai' };
const SHOWN = 'model="gpt-4o-mini",provider="openai"';

function collector(options) {
  const registry = new Registry();
  const llm = new LlmMetricsCollector({ registry, ...options });
  llm.registerModel(MINI);
  return { registry, llm };
}

/** The samples that are not 0, without buckets. */
async function recorded(registry) {
  const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines
    .filter((line) => !line.endsWith(' 0') && !line.includes('_bucket{'))
    .map((line) => line.replace('llmdevops_llm_', ''));
}

test.serial('a streamed request, from its start to its end', async (t) => {
  const { registry, llm } = collector({ prices: PRICES });
  const clock = new MockClock({ now: 0 }).install();
  t.teardown(() => clock.restore());
  const call = llm.startRequest(MINI);
  t.deepEqual(await recorded(registry), [`active_requests{${SHOWN}} 1`]);
  clock.advanceMs(250);
  call.chunk(false);
  clock.advanceMs(250);
  call.chunk();
  clock.advanceMs(1000);
  call.chunk();
  call.end({
    inputTokens: 1000,
    outputTokens: 101,
    cacheReadTokens: 400,
    reasoningTokens: 1,
    finishReason: 'stop',
  });
  call.end();
  call.fail(new Error('late'));
  t.deepEqual(await recorded(registry), [
    `requests_total{${SHOWN},operation="chat",status="success"} 1`,
    `request_duration_seconds_sum{${SHOWN},operation="chat"} 1.5`,
    `request_duration_seconds_count{${SHOWN},operation="chat"} 1`,
    `tokens_total{${SHOWN},type="input"} 1000`,
    `tokens_total{${SHOWN},type="output"} 101`,
    `token_details_total{${SHOWN},detail="cache_read"} 400`,
    `token_details_total{${SHOWN},detail="reasoning"} 1`,
    // 600 tokens at 0.15, 400 at 0.075 and 101 at 0.6 dollars for a million.
    `cost_usd_total{${SHOWN}} 0.0001806`,
    `finish_reasons_total{${SHOWN},reason="stop"} 1`,
    `streaming_requests_total{${SHOWN}} 1`,
    `streaming_chunks_total{${SHOWN}} 3`,
    `streaming_time_to_first_token_seconds_sum{${SHOWN}} 0.5`,
    `streaming_time_to_first_token_seconds_count{${SHOWN}} 1`,
    `streaming_time_per_output_token_seconds_sum{${SHOWN}} 0.010101010101010102`,
    `streaming_time_per_output_token_seconds_count{${SHOWN}} 1`,
  ]);
});

test('the series of a used model appear with 0', async (t) => {
  const { registry, llm } = collector();
  llm.startRequest({ ...MINI, operation: 'embeddings' }).end({ inputTokens: 1 });
  const text = await registry.metrics();
  for (const status of ['error', 'timeout', 'cancelled']) {
    t.true(text.includes(`_requests_total{${SHOWN},operation="embeddings",status="${status}"} 0\n`), status);
  }
  t.true(text.includes(`_errors_total{${SHOWN},error_type="rate_limit"} 0\n`));
  t.true(text.includes(`_tokens_total{${SHOWN},type="output"} 0\n`));
});

const FAILURES = [
  [Object.assign(new Error('x'), { status: 429 }), 'rate_limit', 'error'],
  [Object.assign(new Error('x'), { status: 429, code: 'insufficient_quota' }), 'quota_exceeded', 'error'],
  [Object.assign(new Error('x'), { status: 529 }), 'overloaded', 'error'],
  [Object.assign(new Error('x'), { status: 500 }), 'server_error', 'error'],
  [Object.assign(new Error('x'), { status: 400, code: 'context_length_exceeded' }), 'context_length', 'error'],
  [
    Object.assign(new Error('x'), { status: 400, error: { type: 'invalid_request_error' } }),
    'invalid_request',
    'error',
  ],
  [Object.assign(new Error('x'), { error: { error: { type: 'overloaded_error' } } }), 'overloaded', 'error'],
  [Object.assign(new Error('fetch failed'), { cause: { code: 'ECONNREFUSED' } }), 'connection', 'error'],
  [new (class APIConnectionTimeoutError extends Error {})('x'), 'timeout', 'timeout'],
  [new (class APIUserAbortError extends Error {})('x'), 'cancelled', 'cancelled'],
  [new DOMException('x', 'AbortError'), 'cancelled', 'cancelled'],
  [new DOMException('x', 'TimeoutError'), 'timeout', 'timeout'],
  [Object.assign(new Error('x'), { lastError: { statusCode: 401 } }), 'authentication', 'error'],
  [
    Object.defineProperty({}, 'status', {
      get: () => {
        throw new Error('no');
      },
    }),
    'other',
    'error',
  ],
  ['stream_interrupted', 'stream_interrupted', 'error'],
  [undefined, 'other', 'error'],
];

test('the error type is found from status, code, type and name', async (t) => {
  for (const [error, type, status] of FAILURES) {
    const { registry, llm } = collector();
    llm.startRequest(MINI).fail(error);
    const lines = await recorded(registry);
    t.true(lines.includes(`errors_total{${SHOWN},error_type="${type}"} 1`), `${type}: ${lines.join('\n')}`);
    t.true(lines.includes(`requests_total{${SHOWN},operation="chat",status="${status}"} 1`), `${type} ${status}`);
  }
});

test('an interrupted stream is counted by its cause', async (t) => {
  for (const [error, reason] of [
    ['cancelled', 'client'],
    ['timeout', 'timeout'],
    [new Error('cut'), 'provider'],
  ]) {
    const { registry, llm } = collector();
    const call = llm.startRequest(MINI);
    call.chunk();
    call.fail(error);
    t.true((await recorded(registry)).includes(`streaming_interrupted_total{${SHOWN},reason="${reason}"} 1`), reason);
  }
});

test('a failed request to an unknown model makes no series of its own', async (t) => {
  const { registry, llm } = collector();
  llm.recordRequest({ model: 'gpt-typo', provider: 'openai', error: { status: 404 } });
  t.deepEqual(await recorded(registry), [
    'requests_total{model="other",provider="openai",operation="chat",status="error"} 1',
    'errors_total{model="other",provider="openai",error_type="not_found"} 1',
  ]);
});

const NEW = { model: 'new-model', provider: 'p' };

/** What happens to a request before its end. */
function attempt(llm) {
  llm.recordRetry(NEW, 'rate_limit');
  llm.setRateLimit(NEW, 'requests', { limit: 10, remaining: 9 });
  llm.recordAttempt(NEW, 5);
}

/** The models that retries, limits and attempts were recorded for. */
async function attempted(registry) {
  const lines = (await recorded(registry)).filter((line) => /^(retries|ratelimit|attempt)/.test(line));
  return new Set(lines.map((line) => /model="(.*?)"/.exec(line)[1]));
}

const TIMED = { optional: { attemptDuration: true } };

test('retries, limits and attempts of a model that was unknown are its own if the request succeeds', async (t) => {
  const { registry, llm } = collector(TIMED);
  const call = llm.startRequest(NEW);
  attempt(llm);
  t.deepEqual(await attempted(registry), new Set());
  call.end({ inputTokens: 1, outputTokens: 1 });
  t.deepEqual(await attempted(registry), new Set(['new-model']));
  t.false((await registry.metrics()).includes('model="other"'));
});

test('retries, limits and attempts of an unknown model count as other if no request succeeds', async (t) => {
  for (const end of [
    (call) => call.fail({ status: 404 }),
    (call) => call.drop(),
    (call) => t.throws(() => call.fail('timeout', {}, 'someone'), { code: 'INVALID_VALUE' }),
  ]) {
    const { registry, llm } = collector(TIMED);
    const [one, two] = [llm.startRequest(NEW), llm.startRequest(NEW)];
    one.chunk();
    attempt(llm);
    two.fail({ status: 404 });
    t.deepEqual(await attempted(registry), new Set(), 'another request still runs');
    end(one);
    t.deepEqual(await attempted(registry), new Set(['other']));
    // Nothing waits for a request that has ended.
    llm.recordRetry(NEW, 'timeout');
    t.true((await recorded(registry)).includes('retries_total{model="other",provider="p",error_type="timeout"} 1'));
  }
});

test('of several requests to an unknown model, the first that succeeds tells', async (t) => {
  const { registry, llm } = collector(TIMED);
  const calls = [1, 2, 3].map(() => llm.startRequest(NEW));
  attempt(llm);
  calls[0].fail({ status: 500 });
  calls[1].end({});
  t.deepEqual(await attempted(registry), new Set(['new-model']));
  attempt(llm);
  calls[2].fail({ status: 500 });
  t.deepEqual(await attempted(registry), new Set(['new-model']));
});

test('a request that is refused holds nothing back', async (t) => {
  const { registry, llm } = collector(TIMED);
  t.throws(() => llm.startRequest({ ...NEW, exemplarLabels: { trace: 'x'.repeat(200) } }));
  attempt(llm);
  t.deepEqual(await attempted(registry), new Set(['other']));
});

test('of very many retries the newest wait, and none is lost', async (t) => {
  const { registry, llm } = collector(TIMED);
  const call = llm.startRequest(NEW);
  for (let i = 0; i < 1500; i++) llm.recordRetry(NEW, 'timeout');
  call.end({});
  const counts = (await recorded(registry))
    .filter((line) => line.startsWith('retries'))
    .map((line) => line.split(' ')[1]);
  t.is(
    counts.reduce((sum, count) => sum + Number(count), 0),
    1500,
  );
});

test('nothing waits for a model that has no room in the label', async (t) => {
  const { registry, llm } = collector(TIMED);
  for (let i = 0; i < 200; i++) llm.startRequest({ model: `model-${i}`, provider: 'p' }).end({});
  llm.startRequest(NEW);
  attempt(llm);
  t.deepEqual(await attempted(registry), new Set(['other']));
});

test('retries of an unknown model count as other if its call is collected as garbage', async (t) => {
  const { registry, llm } = collector(TIMED);
  (() => void llm.startRequest(NEW))();
  attempt(llm);
  for (let turn = 0; turn < 200 && (await attempted(registry)).size === 0; turn++) {
    collectGarbage();
    await sleep(5);
  }
  t.deepEqual(await attempted(registry), new Set(['other']));
});

test('an unknown model counts as other until a request has succeeded; priced and registered models are known', async (t) => {
  const { registry, llm } = collector({ prices: { 'priced-model': { input: 1, output: 1 } } });
  const start = (model) => llm.startRequest({ model, provider: 'p' });
  const models = async () => (await recorded(registry)).map((line) => /^(\w+)\{model="(.*?)"/.exec(line).slice(1));
  const first = start('new-model');
  start('new-model').fail({ status: 404 });
  t.deepEqual(new Set((await models()).map(([, model]) => model)), new Set(['other']));
  first.end();
  start('new-model').fail({ status: 500 });
  start('priced-model').fail({ status: 500 });
  llm.registerModel({ model: 'registered-model', provider: 'p' });
  start('registered-model').fail({ status: 500 });
  const errors = (await models()).filter(([name]) => name === 'errors_total');
  t.deepEqual(
    errors.map(([, model]) => model),
    ['other', 'new-model', 'priced-model', 'registered-model'],
  );
  const active = (await registry.metrics()).match(/active_requests\{.*\} [1-9].*/g);
  t.is(active, null);
});

test('the series of a registered model appear before its first request', async (t) => {
  const registry = new Registry();
  new LlmMetricsCollector({ registry }).registerModel({ ...MINI, operation: 'embeddings' });
  const lines = (await registry.metrics()).split('\n').filter((line) => line.includes('_requests_total{'));
  const statuses = ['success', 'error', 'timeout', 'cancelled'];
  t.deepEqual(
    lines.filter((line) => line.includes('operation=')),
    statuses.map((status) => `llmdevops_llm_requests_total{${SHOWN},operation="embeddings",status="${status}"} 0`),
  );
});

test.serial('a call has its outcome after its end', (t) => {
  const { llm } = collector({ prices: PRICES });
  const clock = new MockClock({ now: 0 }).install();
  t.teardown(() => clock.restore());
  const well = llm.startRequest(MINI);
  clock.advanceMs(100);
  well.firstToken();
  clock.advanceMs(100);
  t.is(well.outcome, undefined);
  well.end({ inputTokens: 1_000_000, outputTokens: 0 });
  well.cancel();
  t.deepEqual(well.outcome, {
    status: 'success',
    errorType: undefined,
    durationMs: 200,
    timeToFirstTokenMs: 100,
    costUsd: 0.15,
  });
  const broken = llm.startRequest(MINI);
  broken.chunk();
  broken.fail(Object.assign(new Error('cut'), { code: 'ECONNRESET' }));
  t.like(broken.outcome, { status: 'error', errorType: 'stream_interrupted', costUsd: undefined });
  const full = llm.startRequest(MINI);
  full.chunk();
  full.fail({ status: 529 });
  t.is(full.outcome.errorType, 'overloaded');
});

test('errors with our own words as codes, and aborts by a timer', (t) => {
  const { llm } = collector();
  const typeOf = (error) => {
    const call = llm.startRequest(MINI);
    call.fail(error);
    return call.outcome.errorType;
  };
  for (const type of ['connection', 'invalid_response', 'context_length', 'timeout', 'quota_exceeded']) {
    t.is(typeOf(Object.assign(new Error('own'), { code: type })), type);
  }
  const abort = new DOMException('aborted', 'AbortError');
  t.is(typeOf(abort), 'cancelled');
  const timed = Object.assign(new Error('aborted'), { code: 'ABORT_ERR', name: 'AbortError' });
  t.is(typeOf(Object.assign(timed, { cause: new DOMException('late', 'TimeoutError') })), 'timeout');
  // A request cannot have the error types of agents.
  t.is(typeOf({ code: 'max_steps' }), 'other');
  t.is(typeOf({ code: 'constructor' }), 'other');
});

test('an invalid request and unknown words are refused before anything is recorded', async (t) => {
  const { registry, llm } = collector();
  for (const given of [undefined, null, 'gpt-4o', 5]) {
    for (const call of [() => llm.startRequest(given), () => llm.recordRequest(given), () => llm.recordRetry(given)]) {
      const { code, message } = t.throws(call);
      t.is(code, 'INVALID_VALUE');
      t.true(message.startsWith('Expected a model and a provider but received '), message);
    }
  }
  t.throws(() => llm.recordRequest({ ...MINI, chunks: 1, interrupted: 'weird' }), { code: 'INVALID_VALUE' });
  t.throws(() => llm.recordRequest({ ...MINI, status: 'weird' }), { code: 'INVALID_VALUE' });
  t.deepEqual(await recorded(registry), []);
});

test('models over fifty share one series', async (t) => {
  const { registry, llm } = collector();
  for (let n = 0; n < 60; n++) llm.recordRequest({ model: `model-${n}`, provider: 'p', inputTokens: 1 });
  const lines = await recorded(registry);
  const requests = lines.filter((line) => line.startsWith('requests_total'));
  // The registered model is one of the fifty.
  t.is(requests.length, 50);
  t.is(requests.at(-1), 'requests_total{model="other",provider="p",operation="chat",status="success"} 11');
});

test('names of models lose dates and accounts', async (t) => {
  const names = {
    'claude-3-5-sonnet-20241022': 'claude-3-5-sonnet',
    'anthropic.claude-3-5-sonnet-20240620-v1:0': 'anthropic.claude-3-5-sonnet-v1:0',
    'claude-3-opus@20240229': 'claude-3-opus',
    'ft:gpt-4o-mini-2024-07-18:acme::abc123': 'ft:gpt-4o-mini',
    'gpt-4o': 'gpt-4o',
    'llama-3.1-70b-instruct': 'llama-3.1-70b-instruct',
  };
  for (const [model, shown] of Object.entries(names)) {
    const { registry, llm } = collector();
    llm.recordRequest({ model, provider: 'p', inputTokens: 1, outputTokens: 1 });
    t.true((await registry.metrics()).includes(`model="${shown}",`), model);
  }
});

test('the cost comes from the price table or from the caller, or is unknown', async (t) => {
  const { registry, llm } = collector({ prices: PRICES });
  llm.recordRequest({ model: 'gpt-4o-2024-08-06', provider: 'azure', inputTokens: 1e6, outputTokens: 1e6 });
  llm.recordRequest({ model: 'gpt-4o', provider: 'openai', inputTokens: 1e6 });
  llm.recordRequest({ model: 'gpt-4o', provider: 'openai', costUsd: 3 });
  const lines = await recorded(registry);
  t.deepEqual(
    lines.filter((line) => /^(cost|unpriced|usage)/.test(line)),
    [
      'cost_usd_total{model="gpt-4o",provider="azure"} 20',
      'cost_usd_total{model="gpt-4o",provider="openai"} 3',
      'unpriced_requests_total{model="gpt-4o",provider="openai"} 1',
      'usage_missing_total{model="gpt-4o",provider="openai"} 1',
    ],
  );
});

test('tokens that are not numbers count as not reported', async (t) => {
  const { registry, llm } = collector();
  for (const tokens of [null, undefined, Number.NaN, -1, '5', Number.POSITIVE_INFINITY]) {
    llm.recordRequest({ ...MINI, inputTokens: tokens, outputTokens: tokens, durationMs: tokens });
  }
  t.deepEqual(await recorded(registry), [
    `requests_total{${SHOWN},operation="chat",status="success"} 6`,
    `usage_missing_total{${SHOWN}} 6`,
  ]);
});

test('unknown words become other, or are refused', async (t) => {
  const { registry, llm } = collector();
  llm.recordRequest({ ...MINI, operation: 'dance', finishReason: 'bored', inputTokens: 1 });
  const lines = await recorded(registry);
  t.true(lines.includes(`requests_total{${SHOWN},operation="other",status="success"} 1`));
  t.true(lines.includes(`finish_reasons_total{${SHOWN},reason="other"} 1`));
  const error = t.throws(() => llm.recordCacheLookup('answers', 'maybe'));
  t.is(error.code, 'INVALID_VALUE');
  t.is(error.message, 'Expected one of hit, miss for result but received "maybe" of type string');
});

test('invalid names become other', async (t) => {
  const unprintable = {
    toString() {
      throw new Error('no');
    },
  };
  for (const name of ['', undefined, null, unprintable]) {
    const { registry, llm } = collector();
    llm.recordRequest({ model: name, provider: name });
    llm.recordCacheLookup(name, 'hit');
    llm.setBudget(name, { limitUsd: 1 });
    t.deepEqual(await recorded(registry), [
      'requests_total{model="other",provider="other",operation="chat",status="success"} 1',
      'usage_missing_total{model="other",provider="other"} 1',
      'cache_requests_total{cache="other",result="hit"} 1',
      'budget_limit_usd{budget="other"} 1',
    ]);
  }
});

test('caches, guardrails, budgets, rate limits, fallbacks, retries, media, versions', async (t) => {
  const { registry, llm } = collector();
  llm.recordCacheLookup('answers', 'hit');
  llm.recordGuardrail('pii', 'input', 'block', 20);
  llm.setBudget('team-a', { limitUsd: 100, remainingUsd: 40 });
  llm.setRateLimit(MINI, 'tokens', { limit: 1000, remaining: 900 });
  llm.recordRetry(MINI, { status: 429 });
  llm.recordFallback('gpt-4o-mini', 'claude-3-5-haiku');
  llm.recordMedia(MINI, 'images', 2);
  llm.setModelInfo(MINI, '2024-07-18');
  t.deepEqual(await recorded(registry), [
    // The model has no price, so neither have its images.
    `unpriced_requests_total{${SHOWN}} 1`,
    `retries_total{${SHOWN},error_type="rate_limit"} 1`,
    'fallbacks_total{from_model="gpt-4o-mini",to_model="claude-3-5-haiku",status="success"} 1',
    `ratelimit_remaining{${SHOWN},resource="tokens"} 900`,
    `ratelimit_limit{${SHOWN},resource="tokens"} 1000`,
    'cache_requests_total{cache="answers",result="hit"} 1',
    'guardrail_checks_total{guardrail="pii",stage="input",result="block"} 1',
    'guardrail_duration_seconds_sum{guardrail="pii",stage="input"} 0.02',
    'guardrail_duration_seconds_count{guardrail="pii",stage="input"} 1',
    'budget_limit_usd{budget="team-a"} 100',
    'budget_remaining_usd{budget="team-a"} 40',
    `media_units_total{${SHOWN},unit="images"} 2`,
    `model_info{${SHOWN},version="2024-07-18"} 1`,
  ]);
});

test('options: a namespace, optional metrics, names of models', async (t) => {
  const { registry, llm } = collector({
    namespace: 'acme',
    optional: { tokensPerRequest: true, queueDuration: true, interChunk: true },
    normalizeModel: (model) => model.toUpperCase(),
  });
  llm.recordRequest({ model: 'm', provider: 'p', inputTokens: 5, outputTokens: 7, queueMs: 500 });
  const text = await registry.metrics();
  t.true(text.includes('acme_llm_tokens_per_request_sum{model="M",type="output"} 7\n'));
  t.true(text.includes('acme_llm_queue_duration_seconds_sum{model="M",provider="p"} 0.5\n'));
  const plain = collector();
  plain.llm.recordRequest({ model: 'm', provider: 'p', inputTokens: 5 });
  t.false((await plain.registry.metrics()).includes('tokens_per_request'));
});

test('wrong options are refused', (t) => {
  const refusals = [
    [{ prices: 5 }, 'Expected a table of prices for prices but received 5 of type number'],
    [
      { prices: { m: { input: 1 } } },
      'Expected dollars a million tokens for prices["m"].output but received undefined of type undefined',
    ],
    [
      { prices: { m: [{ from: 'now', input: 1, output: 1 }] } },
      'Expected a day such as 2026-01-31 for prices["m"][0].from but received "now" of type string',
    ],
    [
      { prices: { m: [{ from: '2026-02-31', input: 1, output: 1 }] } },
      'Expected a day such as 2026-01-31 for prices["m"][0].from but received "2026-02-31" of type string',
    ],
  ];
  for (const [options, message] of refusals) t.is(t.throws(() => collector(options)).message, message);
  t.is(t.throws(() => new LlmMetricsCollector(null)).code, 'INVALID_CONFIG');
});

test('two collectors of one registry count together', async (t) => {
  const { registry, llm } = collector();
  llm.recordRequest({ ...MINI, inputTokens: 1 });
  new LlmMetricsCollector({ registry }).recordRequest({ ...MINI, inputTokens: 2 });
  t.true((await recorded(registry)).includes(`tokens_total{${SHOWN},type="input"} 3`));
});

test('a call without an end stops being active when it is collected as garbage', async (t) => {
  const { registry, llm } = collector();
  (() => {
    for (let n = 0; n < 50; n++) llm.startRequest(MINI);
  })();
  const active = registry.getSingleMetric('llmdevops_llm_active_requests');
  const value = () => active.value({ model: 'gpt-4o-mini', provider: 'openai' });
  t.is(value(), 50);
  for (let turn = 0; turn < 50 && value() > 0; turn++) {
    collectGarbage();
    await sleep(10);
  }
  t.is(value(), 0);
});

test('with `using`, a call that the block did not end is cancelled', async (t) => {
  const { registry, llm } = collector();
  const call = llm.startRequest(MINI);
  call[Symbol.dispose]();
  t.true((await recorded(registry)).includes(`requests_total{${SHOWN},operation="chat",status="cancelled"} 1`));
  t.true(call.ended);
});
