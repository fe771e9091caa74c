// Measures the cost of measuring LLM requests: how long the collector takes to record one, and how much longer a call
// of an SDK takes. The provider answers at once, so only the SDK and the measuring are timed.

import {
  atMost,
  interleave,
  median,
  options,
  ownRole,
  progress,
  publish,
  serveRole,
  show,
  startRole,
} from './harness.mjs';
import { OURS } from './libraries.mjs';
import { anthropic } from './llm-anthropic.mjs';
import { CHUNKS, openClient } from './llm-clients.mjs';
import { openai } from './llm-openai.mjs';

const SDKS = { openai, anthropic };
/** The contenders and their titles in the report. */
const CONTENDERS = {
  bare: 'not measured',
  [OURS]: '@llm-devops/prometheus-metrics',
  opentelemetry: '@opentelemetry/instrumentation-openai',
};

const RECORD_NS_MAX = 250;
const CALL_US_MAX = 10;
const CHUNK_NS_MAX = 5;

const TARGET = { model: 'gpt-4o-mini', provider: 'openai', operation: 'chat' };
const USAGE = { inputTokens: 20, outputTokens: 10, cacheReadTokens: 8, cacheWriteTokens: 2, reasoningTokens: 4 };
const END = { ...USAGE, finishReason: 'stop' };
const ENDED = {
  ...TARGET,
  ...END,
  durationMs: 900,
  timeToFirstTokenMs: 300,
  chunks: 12,
  queueMs: 1,
  status: 'success',
};

/** Options that turn on everything that is off by default. */
const MORE = {
  optional: { tokensPerRequest: true, queueDuration: true, interChunk: true, attemptDuration: true },
  stallMs: 1000,
  objectives: { timeToFirstTokenMs: 500, timePerOutputTokenMs: 100, durationMs: 1000 },
};
const STALLED = { ...ENDED, longestGapMs: 120, stalls: 0, serverToolCalls: { web_search: 1 } };

/** The timed operations of the collector: id, title in the report, and a loop over `calls` calls. */
const recordings = [
  {
    id: 'record',
    title: '`recordRequest()` with all fields',
    loop: (llm) => (calls) => {
      for (let i = 0; i < calls; i++) llm.recordRequest(ENDED);
    },
  },
  {
    id: 'record-more',
    title: '`recordRequest()` with all optional metrics, stalls and objectives',
    options: MORE,
    loop: (llm) => (calls) => {
      for (let i = 0; i < calls; i++) llm.recordRequest(STALLED);
    },
  },
  {
    id: 'call',
    title: '`startRequest()` and `end()`',
    loop: (llm) => (calls) => {
      for (let i = 0; i < calls; i++) llm.startRequest(TARGET).end(END);
    },
  },
  {
    id: 'chunk',
    title: '`chunk()` of a call',
    loop: (llm) => {
      const call = llm.startRequest(TARGET);
      return (calls) => {
        for (let i = 0; i < calls; i++) call.chunk();
      };
    },
  },
  {
    id: 'chunk-timed',
    title: '`chunk()` of a call, with `stallMs`',
    options: { stallMs: 1000 },
    loop: (llm) => {
      const call = llm.startRequest(TARGET);
      return (calls) => {
        for (let i = 0; i < calls; i++) call.chunk();
      };
    },
  },
];

const role = ownRole();
if (role) serveRole({ measure: () => (role.sdk ? measureRequests(role) : measureCollector(role)) });
else await main();

async function main() {
  const plan = options.quick ? { rounds: 3, turns: 10, warmUpMs: 200 } : { rounds: 25, turns: 60, warmUpMs: 1_500 };
  const collector = options.peersOnly ? {} : await inProcess(plan);
  for (const { id, title } of recordings) if (collector[id]) progress(`${title}: ${show(median(collector[id]))} ns`);
  const requests = {};
  for (const [sdk, { measuring }] of Object.entries(SDKS)) {
    const contenders = Object.keys(measuring).filter((id) => id !== OURS || !options.peersOnly);
    if (contenders.length === 1) continue;
    requests[sdk] = await inProcess({ ...plan, sdk, contenders });
    for (const [work, samples] of Object.entries(requests[sdk])) progress(`${sdk}, ${work}: ${described(samples)}`);
  }
  publish({
    name: 'llm',
    title: 'LLM requests',
    about: `The clients are \`openai\` and \`@anthropic-ai/sdk\` with a \`fetch\` that answers at once. All contenders of a client take turns in one process, each with its own copy of the SDK. A round is the median of many turns of 16 calls or one stream, which leaves out rare garbage collections. Figures are medians of the rounds. *More* is the median of the differences, within each round, to the client that is not measured. Answers carry usage and rate limits; a stream has ${CHUNKS} chunks. OpenTelemetry has a metrics SDK and no tracer, so it records metrics only; it does not count attempts, rate limits, requests in flight or times to the first token. Afterwards, the counts of each contender are compared with the requests made.`,
    tables: tablesOf(collector, requests),
    verdicts: options.peersOnly ? [] : judge(collector, requests),
    samples: { collector, requests },
  });
}

async function inProcess(plan) {
  const child = startRole(import.meta.url, plan);
  try {
    return await child.ask('measure', null, 900_000);
  } finally {
    await child.stop();
  }
}

// ---- in the child ----

async function measureCollector(plan) {
  const { LlmMetricsCollector, Registry } = await import('../dist/entry/index.mjs');
  const entries = recordings.map(({ id, loop, options: more = {} }) => {
    // With prices, because users who count tokens also want their cost.
    const price = { input: 0.15, output: 0.6, cacheRead: 0.075, serverTools: { web_search: 0.01 } };
    const prices = { [TARGET.model]: price };
    const run = loop(new LlmMetricsCollector({ registry: new Registry(), prices, ...more }));
    return { id, run: async (calls) => run(calls), lap: 1_000 };
  });
  return timed(entries, plan, 1e9);
}

async function measureRequests(plan) {
  const opened = plan.contenders.map((id) => openClient(SDKS[plan.sdk], id));
  const entries = (make, lap) =>
    opened.map((contender) => ({
      id: contender.id,
      lap,
      run: async (calls) => {
        for (let i = 0; i < calls; i++) await contender[make]();
      },
    }));
  const call = await timed(entries('call', 16), plan, 1e6);
  const stream = await timed(entries('stream', 1), plan, 1e9 / CHUNKS);
  for (const contender of opened) await contender.verify();
  return { call, stream };
}

/**
 * Time per call, in units of 1/`unitsASecond` seconds. A round consists of many short turns that alternate between the
 * entries, and takes their median: the difference is small compared with other load on the machine.
 */
async function timed(entries, { rounds, turns, warmUpMs }, unitsASecond) {
  for (const entry of entries) await warmUp(entry, warmUpMs);
  const samples = Object.fromEntries(entries.map(({ id }) => [id, []]));
  for (let round = 0; round < rounds; round++) {
    const laps = await interleave(entries, turns, secondsACall);
    for (const { id } of entries) samples[id].push(median(laps[id]) * unitsASecond);
  }
  return samples;
}

async function secondsACall({ run, lap }) {
  const start = performance.now();
  await run(lap);
  return (performance.now() - start) / 1_000 / lap;
}

/** Warms up with the same laps that are timed, so that the code is compiled for them. */
async function warmUp(entry, ms) {
  const end = performance.now() + ms;
  while (performance.now() < end) await secondsACall(entry);
}

// ---- the report ----

function tablesOf(collector, requests) {
  const found = recordings.filter(({ id }) => collector[id]);
  const ofCollector = {
    caption: 'The collector, ns per call',
    columns: ['', 'ns'],
    rows: found.map(({ id, title }) => [title, show(median(collector[id]))]),
  };
  const ofClients = Object.entries(requests).map(([sdk, { call, stream }]) => ({
    caption: `\`${SDKS[sdk].call}\` of \`${SDKS[sdk].module}\``,
    columns: ['', 'µs per call', 'more', 'ns per streamed chunk', 'more'],
    rows: Object.keys(call).map((id) => [
      CONTENDERS[id],
      ...[call, stream].flatMap((samples) => [
        show(median(samples[id])),
        id === 'bare' ? '–' : show(more(samples, id)),
      ]),
    ]),
  }));
  return [...(found.length === 0 ? [] : [ofCollector]), ...ofClients];
}

function more(samples, id) {
  return median(samples[id].map((value, round) => value - samples.bare[round]));
}

function described(samples) {
  return Object.entries(samples)
    .map(([id, values]) => `${id} ${show(median(values))}`)
    .join(', ');
}

function judge(collector, requests) {
  return [
    atMost('`recordRequest()` with all fields', median(collector.record), RECORD_NS_MAX, 'ns'),
    ...Object.entries(requests).map(([sdk, { call }]) =>
      atMost(`a call of \`${SDKS[sdk].module}\`: time added by measuring`, more(call, OURS), CALL_US_MAX, 'µs'),
    ),
    atMost('`chunk()` of a call', median(collector.chunk), CHUNK_NS_MAX, 'ns'),
  ];
}
