// Tests requests that two integrations see, and answers that come later: what counts, and what is active meanwhile.

import { AsyncResource } from 'node:async_hooks';
import { AgentMetricsCollector, LlmMetricsCollector, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';

const TARGET = { model: 'm', provider: 'p' };

function made() {
  const registry = new Registry();
  const llm = new LlmMetricsCollector({ registry });
  llm.registerModel(TARGET);
  const lines = async (
    pattern = /(llm_requests_total|active_requests|tokens_total|usage_missing_total|errors_total)\{/,
  ) => {
    const all = (await registry.metrics()).split('\n');
    return all
      .filter((line) => pattern.test(line) && !line.startsWith('#') && !/unpriced| 0$/.test(line))
      .map((line) => line.replace('llmdevops_', ''));
  };
  return { registry, llm, lines };
}

/** Runs in a context of its own: a framework's start event enters its request and cannot leave it. */
const alone = (run) => new AsyncResource('test').runInAsyncScope(run);
const success = (count) => `llm_requests_total{model="m",provider="p",operation="chat",status="success"} ${count}`;
const ACTIVE = 'llm_active_requests{model="m",provider="p"} 1';

test('a request within one that a framework reports counts in its place, also after awaits', async (t) => {
  const { llm, lines } = made();
  await alone(async () => {
    const outer = llm.startRequest(TARGET);
    outer.enclose();
    await Promise.resolve();
    t.deepEqual(await lines(), [ACTIVE]);
    const inner = llm.startRequest(TARGET);
    t.deepEqual(await lines(), [ACTIVE]);
    inner.end({ inputTokens: 3 });
    outer.end({ inputTokens: 99 });
    t.is(outer.outcome, undefined);
  });
  t.deepEqual(await lines(/requests_total|active|tokens_total/), [
    success(1),
    'llm_tokens_total{model="m",provider="p",type="input"} 3',
  ]);
});

test('a framework that retries makes several; one whose client is not measured counts itself', async (t) => {
  const { llm, lines } = made();
  alone(() => {
    const outer = llm.startRequest(TARGET);
    outer.enclose();
    for (let twice = 0; twice < 2; twice++) llm.startRequest(TARGET).end();
    outer.end();
  });
  alone(() => {
    const outer = llm.startRequest(TARGET);
    outer.enclose();
    outer.end();
  });
  t.deepEqual(await lines(/requests_total|active/), [success(3)]);
});

test('an ended request encloses nothing, and neither does that of another collector', async (t) => {
  const one = made();
  const two = made();
  alone(() => {
    const outer = one.llm.startRequest(TARGET);
    outer.enclose();
    two.llm.startRequest(TARGET).end();
    outer.end();
    one.llm.startRequest(TARGET).end();
  });
  t.deepEqual(await one.lines(/requests_total|active/), [success(2)]);
  t.deepEqual(await two.lines(/requests_total|active/), [success(1)]);
});

test('requests of two collectors enclose each other, and each is taken by its own', async (t) => {
  const one = made();
  const two = made();
  alone(() => {
    const outers = [one, two].map(({ llm }) => llm.startRequest(TARGET));
    for (const outer of outers) outer.enclose();
    for (const { llm } of [one, two]) llm.startRequest(TARGET).end();
    for (const outer of outers) outer.end();
  });
  for (const { lines } of [one, two]) t.deepEqual(await lines(/requests_total|active/), [success(1)]);
});

test('a framework that records at the end is told; its agent gets the tokens', async (t) => {
  const { registry, llm, lines } = made();
  const agents = new AgentMetricsCollector({ registry });
  const execution = agents.startExecution('a');
  alone(() => {
    const request = llm.encloseRequest(execution);
    llm.startRequest(TARGET).end({ inputTokens: 3 });
    request.end();
    t.true(request.taken);
  });
  alone(() => {
    const request = llm.encloseRequest(undefined);
    request.end();
    llm.startRequest(TARGET).end({ inputTokens: 4 });
    t.false(request.taken);
  });
  execution.end();
  t.deepEqual(await lines(/agent_tokens_total/), ['agent_tokens_total{agent_type="a",type="input"} 3']);
});

test('an answer that comes later has tokens and errors, and is no request', async (t) => {
  const { llm, lines } = made();
  llm.startRequest(TARGET).end({ usageFollows: true });
  llm.startRequest(TARGET).end({ usageFollows: true });
  llm.recordAnswer(TARGET, { inputTokens: 3, outputTokens: 2, finishReason: 'stop' });
  llm.recordAnswer(TARGET, {}, { status: 429 });
  t.deepEqual(await lines(), [
    success(2),
    'llm_tokens_total{model="m",provider="p",type="input"} 3',
    'llm_tokens_total{model="m",provider="p",type="output"} 2',
    'llm_errors_total{model="m",provider="p",error_type="rate_limit"} 1',
  ]);
});

test('tokens of another model are that model’s, which the answer makes known', async (t) => {
  const { llm, lines } = made();
  llm.startRequest(TARGET).end({ inputTokens: 3, outputTokens: 2, otherModels: [{ model: 'n', inputTokens: 7 }] });
  t.deepEqual(await lines(/tokens_total|requests_total/), [
    success(1),
    'llm_tokens_total{model="m",provider="p",type="input"} 3',
    'llm_tokens_total{model="m",provider="p",type="output"} 2',
    'llm_tokens_total{model="n",provider="p",type="input"} 7',
  ]);
});
