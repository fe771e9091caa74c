// Tests the label of the user's own on requests, tokens and cost: where its value comes from, and its limit.

import { createRequire } from 'node:module';
import test from 'ava';

const require = createRequire(import.meta.url);
const { LlmMetricsCollector, Registry } = require('../..');

const M = { model: 'm', provider: 'p' };

function collector(labels = { tenant: { max: 2 } }) {
  const registry = new Registry();
  const llm = new LlmMetricsCollector({ registry, labels, prices: { m: { input: 1e6, output: 1e6 } } });
  const lines = async (name) =>
    (await registry.metrics())
      .split('\n')
      .filter((line) => line.startsWith(`llmdevops_llm_${name}{`) && !line.endsWith(' 0'))
      .map((line) => line.slice('llmdevops_llm_'.length))
      .sort();
  return { llm, lines };
}

test('the value of a call stands on requests, tokens and cost, and on no other metric', async (t) => {
  const { llm, lines } = collector();
  llm.recordRequest({ ...M, labels: { tenant: 'acme' }, inputTokens: 2, outputTokens: 1, durationMs: 5 });
  llm.recordRequest({ ...M, inputTokens: 1, outputTokens: 0 });
  t.deepEqual(await lines('requests_total'), [
    'requests_total{model="m",provider="p",operation="chat",status="success",tenant="acme"} 1',
    'requests_total{model="m",provider="p",operation="chat",status="success"} 1',
  ]);
  t.deepEqual(await lines('cost_usd_total'), [
    'cost_usd_total{model="m",provider="p",tenant="acme"} 3',
    'cost_usd_total{model="m",provider="p"} 1',
  ]);
  t.deepEqual(await lines('request_duration_seconds_count'), [
    'request_duration_seconds_count{model="m",provider="p",operation="chat"} 1',
  ]);
});

test('values above the limit count as other', async (t) => {
  const { llm, lines } = collector();
  for (let tenant = 0; tenant < 10_000; tenant++) llm.recordRequest({ ...M, labels: { tenant: `t${tenant}` } });
  const requests = await lines('requests_total');
  t.deepEqual(
    requests.map((line) => /tenant="(\w+)"} (\d+)/.exec(line)?.slice(1)),
    [
      ['other', '9998'],
      ['t0', '1'],
      ['t1', '1'],
    ],
  );
});

test('withLabels() gives the value to calls that begin within it, across awaits', async (t) => {
  const { llm, lines } = collector();
  const call = await llm.withLabels({ tenant: 'acme' }, async () => {
    await null;
    return llm.startRequest(M);
  });
  call.end({ inputTokens: 1 });
  await llm.withLabels({ tenant: 'acme' }, async () => llm.recordRequest({ ...M, labels: { tenant: 'own' } }));
  llm.startRequest(M).end();
  const tenants = (await lines('requests_total')).map((line) => /tenant="(\w+)"/.exec(line)?.[1]);
  t.deepEqual(tenants.sort(), ['acme', 'own', undefined]);
});

test('a collector without the label ignores values', async (t) => {
  const { llm, lines } = collector(undefined);
  llm.withLabels({ tenant: 'acme' }, () => llm.recordRequest({ ...M, labels: { tenant: 'x' } }));
  const plain = new LlmMetricsCollector({ registry: new Registry() });
  plain.recordRequest({ ...M, labels: { tenant: 'x' } });
  t.is((await lines('requests_total')).length, 1);
});

test('odd values are names or other, and never an error', async (t) => {
  const { llm, lines } = collector({ tenant: { max: 100 } });
  const odd = [null, '', 5, {}, 'x'.repeat(10_000), '\ud800', Symbol('s'), { toString: null }];
  for (const tenant of odd) t.notThrows(() => llm.recordRequest({ ...M, labels: { tenant } }));
  for (const labels of [null, 5, 'text', []]) t.notThrows(() => llm.recordRequest({ ...M, labels }));
  const total = (await lines('requests_total')).reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  t.is(total, odd.length + 4);
});

test('invalid options are refused', (t) => {
  const invalid = [
    5,
    null,
    { a: { max: 1 }, b: { max: 1 } },
    { model: { max: 1 } },
    { 'a b': { max: 1 } },
    { __a: { max: 1 } },
    { a: 5 },
    { a: { max: 0 } },
    { a: { max: 1001 } },
    { a: { max: 1.5 } },
    { a: { limit: 5 } },
  ];
  for (const labels of invalid) {
    const make = () => new LlmMetricsCollector({ registry: new Registry(), labels });
    t.throws(make, { code: 'INVALID_CONFIG' }, JSON.stringify(labels));
  }
});
