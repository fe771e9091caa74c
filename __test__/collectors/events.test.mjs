// Plays one script of events through TypeScript; the core's `collector_events_test` plays it through Rust. Both must
// give the same bytes. With UPDATE_EXPOSITIONS=1 this test writes the expected expositions. The core's test only reads
// them, so a difference between the two is never overwritten.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import {
  AgentMetricsCollector,
  LlmMetricsCollector,
  openMetricsContentType,
  prometheusContentType,
  Registry,
} from '@llm-devops/prometheus-metrics';
import { MockClock } from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';

const file = (name) => new URL(name, import.meta.url);
const WHOLES = file('events.wholes.json');
/** Where both languages leave whole expositions, to be compared when a hash differs. */
const WRITTEN = new URL('../../target/events/', import.meta.url);
const UPDATE = 'UPDATE_EXPOSITIONS=1 npx ava __test__/collectors/events.test.mjs';

/** The lines of an exposition that a reader wants to see: not the hundreds of samples that are 0. */
const withoutZeros = (text) => text.replace(/^.* 0\n/gm, '');

/** FNV-1a with 64 bits: a dozen lines in both languages, and it only has to notice a mistake. */
function fnv1a(text) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, '0');
}

/** Methods of a collector that the script calls directly. */
const RECORDED = {
  llm: [
    'recordRequest',
    'recordStreamingChunk',
    'recordError',
    'recordRetry',
    'recordAttempt',
    'recordFallback',
    'setRateLimit',
    'recordCacheLookup',
    'recordGuardrail',
    'setBudget',
    'recordMedia',
    'registerModel',
    'setModelInfo',
  ],
  agents: [
    'recordExecutionStart',
    'recordExecutionEnd',
    'recordStep',
    'recordToolCall',
    'recordHandoff',
    'recordMemoryOperation',
    'setActiveAgents',
  ],
};

/** Methods of a call or an execution, which the script refers to by name. */
const CALLED = {
  firstToken: 'firstToken',
  chunk: 'chunk',
  end: 'end',
  fail: 'fail',
  cancel: 'cancel',
  dispose: Symbol.dispose,
  executionStep: 'recordStep',
  executionToolCall: 'recordToolCall',
  addUsage: 'addUsage',
  endExecution: 'end',
  failExecution: 'fail',
  disposeExecution: Symbol.dispose,
};

/** The action of each event. */
function operations({ clock, llm, agents }) {
  const going = new Map();
  const collectors = { llm, agents };
  return {
    advanceMs: (ms) => clock.advanceMs(ms),
    startRequest: (name, target) => going.set(name, llm.startRequest(target)),
    startExecution: (name, agentType) => going.set(name, agents.startExecution(agentType)),
    recordAgentError: (agentType, error) => agents.recordError(agentType, error),
    ...Object.fromEntries(
      Object.entries(RECORDED).flatMap(([whose, names]) =>
        names.map((name) => [name, (...given) => collectors[whose][name](...given)]),
      ),
    ),
    ...Object.fromEntries(
      Object.entries(CALLED).map(([event, method]) => [
        event,
        (name, ...given) => going.get(name)[method](...given.map((value) => value ?? undefined)),
      ]),
    ),
  };
}

/** The single events; repeated ones have their number in place of `#`. */
function* eventsOf({ events }) {
  for (const event of events) {
    if (Array.isArray(event)) yield event;
    else {
      for (let n = 0; n < event.times; n++) yield JSON.parse(JSON.stringify(event.event).replaceAll('#', String(n)));
    }
  }
}

test('a script of events gives the same expositions as in Rust', async (t) => {
  const script = JSON.parse(await readFile(file('events.json'), 'utf8'));
  const clock = new MockClock({ now: script.nowMs }).install();
  t.teardown(() => clock.restore());
  const registry = new Registry();
  const { prices, tools, stallMs, objectives } = script;
  const optional = { tokensPerRequest: true, queueDuration: true, interChunk: true, attemptDuration: true };
  const llm = new LlmMetricsCollector({ registry, prices, optional, stallMs, objectives });
  const agents = new AgentMetricsCollector({ registry, tools });
  const known = operations({ clock, llm, agents });
  const played = new Set();
  for (const [name, ...given] of eventsOf(script)) {
    known[name](...given);
    played.add(name);
  }
  t.deepEqual([...played].sort(), Object.keys(known).sort());
  const wholes = JSON.parse(await readFile(WHOLES, 'utf8'));
  for (const [name, type] of [
    ['events.prom', prometheusContentType],
    ['events.om', openMetricsContentType],
  ]) {
    registry.setContentType(type);
    const text = await registry.metrics();
    const whole = { bytes: Buffer.byteLength(text), fnv1a: fnv1a(text) };
    if (process.env.UPDATE_EXPOSITIONS === '1') {
      wholes[name] = whole;
      await writeFile(file(name), withoutZeros(text));
      await writeFile(WHOLES, `${JSON.stringify(wholes, undefined, 2)}\n`);
    }
    t.is(withoutZeros(text), await readFile(file(name), 'utf8'), `${name}: to write it anew: ${UPDATE}`);
    await mkdir(WRITTEN, { recursive: true });
    await writeFile(new URL(`typescript-${name}`, WRITTEN), text);
    const compare = `diff target/events/typescript-${name} target/events/rust-${name}`;
    t.deepEqual(whole, wholes[name], `${name}: only lines that are 0 differ. ${compare}. To accept them: ${UPDATE}`);
  }
});
