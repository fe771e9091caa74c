// Tests the times between chunks, the count of streamed requests and the objectives of requests.

import { LlmMetricsCollector, Registry } from '@llm-devops/prometheus-metrics';
import { MockClock } from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';

const MODEL = { model: 'm', provider: 'p' };
const SHOWN = '{model="m",provider="p"}';

function collector(options) {
  const registry = new Registry();
  return { registry, llm: new LlmMetricsCollector({ registry, ...options }) };
}

/** The lines of families, without buckets and the common start of their names. */
async function lines(registry, ...names) {
  const text = await registry.metrics();
  return text
    .split('\n')
    .filter((line) => names.some((name) => line.startsWith(`llmdevops_llm_${name}`)) && !line.includes('_bucket{'))
    .map((line) => line.replace('llmdevops_llm_', ''));
}

test('streamed requests are counted, whatever the outcome; the count begins at 0', async (t) => {
  const { registry, llm } = collector();
  llm.registerModel(MODEL);
  t.deepEqual(await lines(registry, 'streaming_requests'), [`streaming_requests_total${SHOWN} 0`]);
  llm.startRequest(MODEL).end({ inputTokens: 1, outputTokens: 1 });
  const streamed = llm.startRequest(MODEL);
  streamed.chunk();
  streamed.chunk();
  streamed.end();
  const broken = llm.startRequest(MODEL);
  broken.chunk(false);
  broken.fail(new Error('gone'));
  llm.startRequest(MODEL).fail({ status: 429 });
  llm.recordRequest({ ...MODEL, timeToFirstTokenMs: 5 });
  t.deepEqual(await lines(registry, 'streaming_requests'), [`streaming_requests_total${SHOWN} 3`]);
});

test('without `stallMs` no clock is read at a chunk, and the metrics of stalls do not exist', async (t) => {
  const { registry, llm } = collector();
  const call = llm.startRequest(MODEL);
  const { hrtime } = process;
  t.teardown(() => {
    process.hrtime = hrtime;
  });
  call.chunk();
  process.hrtime = () => t.fail('the clock was read');
  for (let chunk = 0; chunk < 10; chunk++) call.chunk();
  process.hrtime = hrtime;
  call.end();
  t.deepEqual(await lines(registry, 'streaming_stalls', 'streaming_longest', 'objectives', 'attempt'), []);
});

test.serial('the longest gap and the stalls of a stream', async (t) => {
  const { registry, llm } = collector({ stallMs: 1000, optional: { interChunk: true } });
  const clock = new MockClock({ now: 0 }).install();
  t.teardown(() => clock.restore());
  llm.registerModel(MODEL);
  const call = llm.startRequest(MODEL);
  clock.advanceMs(5000); // The wait for the first chunk is no gap.
  for (const ms of [0, 300, 1000, 1001, 2500]) {
    clock.advanceMs(ms);
    call.chunk();
  }
  clock.advanceMs(9000); // After a complete answer, the time to its end is the reader's own.
  call.end();
  const short = llm.startRequest(MODEL);
  short.chunk();
  short.end();
  t.deepEqual(await lines(registry, 'streaming_longest', 'streaming_stalls', 'streaming_inter_'), [
    `streaming_inter_chunk_seconds_sum${SHOWN} 4.801`,
    `streaming_inter_chunk_seconds_count${SHOWN} 4`,
    `streaming_longest_gap_seconds_sum${SHOWN} 2.5`,
    `streaming_longest_gap_seconds_count${SHOWN} 1`,
    `streaming_stalls_total${SHOWN} 2`,
  ]);
});

test.serial('a stream that breaks off waited until then; one that its reader left did not', async (t) => {
  const { registry, llm } = collector({ stallMs: 1000 });
  const clock = new MockClock({ now: 0 }).install();
  t.teardown(() => clock.restore());
  llm.registerModel(MODEL);
  for (const [end, gaps, stalls] of [
    [(call) => call.cancel(), 0, 0],
    [(call) => call.fail('timeout'), 1, 1],
    [(call) => call.fail(new Error('socket hang up')), 2, 2],
  ]) {
    const call = llm.startRequest(MODEL);
    call.chunk();
    clock.advanceMs(3000);
    end(call);
    const [stalled] = await lines(registry, 'streaming_stalls');
    t.is(stalled, `streaming_stalls_total${SHOWN} ${stalls}`);
    const shown = gaps === 0 ? [] : [`_sum${SHOWN} ${3 * gaps}`, `_count${SHOWN} ${gaps}`];
    t.deepEqual(
      await lines(registry, 'streaming_longest'),
      shown.map((line) => `streaming_longest_gap_seconds${line}`),
    );
  }
});

const objectives = { timeToFirstTokenMs: 500, timePerOutputTokenMs: 50, durationMs: 10_000 };

test('objectives: which requests met all of them', async (t) => {
  const good = { ...MODEL, timeToFirstTokenMs: 500, durationMs: 5500, outputTokens: 101, chunks: 50 };
  const cases = [
    [good, 'met'],
    [{ ...good, timeToFirstTokenMs: 501 }, 'missed'],
    [{ ...good, outputTokens: 100 }, 'missed'], // 50.5 ms a token
    [{ ...good, reasoningTokens: 50 }, 'missed'], // hidden reasoning is not seen
    [{ ...good, outputTokens: 1001, durationMs: 10_001 }, 'missed'],
    [{ ...MODEL, durationMs: 10_000 }, 'met'], // not streamed: only its duration counts
    [{ ...MODEL, durationMs: 10_001 }, 'missed'],
    [MODEL, 'met'],
    [{ ...good, errorType: 'rate_limit' }, 'failed'],
    [{ ...good, status: 'timeout' }, 'failed'],
    [{ ...good, status: 'cancelled' }, undefined],
  ];
  for (const [request, expected] of cases) {
    const { registry, llm } = collector({ objectives });
    llm.registerModel(MODEL);
    llm.recordRequest(request);
    t.deepEqual(
      await lines(registry, 'objectives'),
      ['met', 'missed', 'failed'].map(
        (result) => `objectives_total{model="m",provider="p",result="${result}"} ${result === expected ? 1 : 0}`,
      ),
      JSON.stringify(request),
    );
  }
});

test('an objective that is not set is met', async (t) => {
  const { registry, llm } = collector({ objectives: { durationMs: 10 } });
  llm.recordRequest({ ...MODEL, timeToFirstTokenMs: 1e6, durationMs: 10, chunks: 1 });
  const [met] = await lines(registry, 'objectives');
  t.is(met, 'objectives_total{model="m",provider="p",result="met"} 1');
});

test('invalid objectives and stalls are refused with their path', (t) => {
  const invalid = [
    [{ objectives: { durationMs: 0 } }, 'objectives.durationMs'],
    [{ objectives: { durationMs: '5' } }, 'objectives.durationMs'],
    [{ objectives: { timeToFirstTokenMs: Number.NaN } }, 'objectives.timeToFirstTokenMs'],
    [{ objectives: { duration: 5 } }, 'Did you mean "durationMs"?'],
    [{ objectives: 5 }, 'for objectives'],
    [{ objectives: null }, 'for objectives'],
    [{ stallMs: 0 }, 'for stallMs'],
    [{ stallMs: -1 }, 'for stallMs'],
    [{ stallMs: true }, 'for stallMs'],
    [{ stallMs: Number.NaN }, 'for stallMs'],
  ];
  for (const [options, place] of invalid) {
    const error = t.throws(() => collector(options), { code: 'INVALID_CONFIG' });
    t.true(error.message.includes(place), error.message);
  }
  t.notThrows(() => collector({ objectives: {} }));
});

test('attempts are timed on request', async (t) => {
  const { registry, llm } = collector({ optional: { attemptDuration: true } });
  llm.registerModel(MODEL);
  t.true(llm.timesAttempts);
  llm.recordAttempt(MODEL, 250);
  llm.recordAttempt(MODEL, Number.NaN);
  t.deepEqual(await lines(registry, 'attempt'), [
    `attempt_duration_seconds_sum${SHOWN} 0.25`,
    `attempt_duration_seconds_count${SHOWN} 1`,
  ]);
  const off = collector();
  t.false(off.llm.timesAttempts);
  t.notThrows(() => off.llm.recordAttempt(MODEL, 250));
});

test('resets of budgets and rate limits are times, given as a date or as milliseconds', async (t) => {
  const { registry, llm } = collector();
  llm.registerModel(MODEL);
  llm.setBudget('march', { resetAt: new Date('2026-04-01T00:00:00Z') });
  llm.setRateLimit(MODEL, 'tokens', { remaining: 5, resetAt: 1_772_409_661_500 });
  t.deepEqual(await lines(registry, 'budget', 'ratelimit'), [
    'ratelimit_remaining{model="m",provider="p",resource="tokens"} 5',
    'ratelimit_reset_timestamp_seconds{model="m",provider="p",resource="tokens"} 1772409661.5',
    'budget_reset_timestamp_seconds{budget="march"} 1775001600',
  ]);
  for (const resetAt of [new Date('x'), '2026-04-01', Number.NaN, -1, null]) {
    t.throws(() => llm.setBudget('april', { limitUsd: 1, resetAt }), { code: 'INVALID_VALUE' });
    t.throws(() => llm.setRateLimit(MODEL, 'requests', { limit: 1, resetAt }), { code: 'INVALID_VALUE' });
  }
  t.false((await registry.metrics()).includes('april'));
});

test('calls of server tools are counted by tool', async (t) => {
  const { registry, llm } = collector({ prices: { m: { input: 0, output: 0, serverTools: { web_search: 0.01 } } } });
  llm.recordRequest({ ...MODEL, inputTokens: 1, outputTokens: 1, serverToolCalls: { web_search: 2 } });
  llm.recordRequest({ ...MODEL, inputTokens: 1, serverToolCalls: { web_search: 1, code_execution: 0, x: -1, y: 'n' } });
  t.deepEqual(await lines(registry, 'server_tool', 'cost'), [
    `cost_usd_total${SHOWN} 0.03`,
    'server_tool_calls_total{model="m",provider="p",tool="web_search"} 3',
  ]);
});
