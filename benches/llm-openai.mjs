// Opens OpenAI's SDK for llm.mjs: a client whose `fetch` answers at once, alone or with a library that measures it.
// Each contender has its own copy of the SDK, so they share neither wrapped methods nor optimised code.

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

const ASKED = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'hello' }] };
const STREAMED = { ...ASKED, stream: true };

const ANSWER = JSON.stringify({
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4o-mini',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hello', refusal: null }, finish_reason: 'stop' }],
  usage: {
    prompt_tokens: 20,
    completion_tokens: 10,
    total_tokens: 30,
    prompt_tokens_details: { cached_tokens: 8 },
    completion_tokens_details: { reasoning_tokens: 4 },
  },
});

/** Chunks of a stream. */
export const CHUNKS = 200;

const chunk = (delta, finish) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o-mini', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const EVENTS = Buffer.from(
  [
    chunk({ role: 'assistant', content: '' }, null),
    ...Array.from({ length: CHUNKS - 2 }, (_, index) => chunk({ content: `word${index} ` }, null)),
    chunk({}, 'stop'),
    'data: [DONE]\n\n',
  ].join(''),
);

const JSON_HEADERS = {
  'content-type': 'application/json',
  'x-ratelimit-limit-requests': '10000',
  'x-ratelimit-remaining-requests': '9999',
  'x-ratelimit-limit-tokens': '2000000',
  'x-ratelimit-remaining-tokens': '1999000',
};

async function answer(_url, { body }) {
  return body.includes('"stream":true')
    ? new Response(EVENTS, { headers: { 'content-type': 'text/event-stream' } })
    : new Response(ANSWER, { headers: JSON_HEADERS });
}

/** Loads a new copy of the SDK. */
function freshSdk() {
  for (const path of Object.keys(require.cache)) {
    if (/[\\/]node_modules[\\/]openai[\\/]/.test(path)) delete require.cache[path];
  }
  return require('openai');
}

/** Measures a copy of the SDK; returns a function that reads how many requests were counted. */
const measuring = {
  bare: () => undefined,
  ours(sdk) {
    const { LlmMetricsCollector, Registry } = require('../dist/entry/index.js');
    const { instrumentOpenAI } = require('../dist/entry/openai.js');
    const registry = new Registry();
    instrumentOpenAI(sdk.OpenAI, { collector: new LlmMetricsCollector({ registry }) });
    return async () => {
      const samples = (await registry.metrics()).matchAll(/llm_requests_total\{.*status="success"\} (\d+)/g);
      return [...samples].reduce((sum, [, count]) => sum + Number(count), 0);
    };
  },
  opentelemetry(sdk) {
    const { OpenAIInstrumentation } = require('@opentelemetry/instrumentation-openai');
    const sdkMetrics = require('@opentelemetry/sdk-metrics');
    const exporter = new sdkMetrics.InMemoryMetricExporter(sdkMetrics.AggregationTemporality.CUMULATIVE);
    const reader = new sdkMetrics.PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    const instrumentation = new OpenAIInstrumentation();
    instrumentation.setMeterProvider(new sdkMetrics.MeterProvider({ readers: [reader] }));
    // Its range of supported versions ends before this one, although the methods that it wraps exist. So it is applied
    // by hand.
    for (const definition of instrumentation.init()) definition.patch(sdk);
    return async () => {
      await reader.forceFlush();
      const metrics =
        exporter
          .getMetrics()
          .at(-1)
          ?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
      const durations = metrics.find(({ descriptor }) => descriptor.name === 'gen_ai.client.operation.duration');
      return durations?.dataPoints.reduce((sum, { value }) => sum + value.count, 0);
    };
  },
};

/** The contenders and their titles in the report. */
export const CONTENDERS = {
  bare: 'not measured',
  ours: '@llm-devops/prometheus-metrics',
  opentelemetry: '@opentelemetry/instrumentation-openai',
};

/** `call()` makes one request, `stream()` reads one stream; `verify()` throws if some were not counted. */
export function openContender(id) {
  const sdk = freshSdk();
  const counted = measuring[id](sdk);
  const client = new sdk.OpenAI({ apiKey: 'k', fetch: answer });
  let made = 0;
  return {
    id,
    call() {
      made++;
      return client.chat.completions.create(ASKED);
    },
    async stream() {
      made++;
      let chunks = 0;
      for await (const _ of await client.chat.completions.create(STREAMED)) chunks++;
      if (chunks !== CHUNKS) throw new Error(`Expected ${CHUNKS} chunks but received ${chunks}`);
    },
    async verify() {
      const found = await counted?.();
      if (counted !== undefined && found !== made) throw new Error(`${id} counted ${found} of ${made} requests`);
    },
  };
}
