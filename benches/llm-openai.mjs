// OpenAI's SDK for llm.mjs: its answers, and the libraries that measure it.

import { answerWith, CHUNKS, measureWithOurs, require } from './llm-clients.mjs';

const ASKED = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'hello' }] };

const chunk = (delta, finish) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o-mini', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

const answer = answerWith({
  whole: {
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
  },
  headers: {
    'x-ratelimit-limit-requests': '10000',
    'x-ratelimit-remaining-requests': '9999',
    'x-ratelimit-limit-tokens': '2000000',
    'x-ratelimit-remaining-tokens': '1999000',
  },
  events: [
    chunk({ role: 'assistant', content: '' }, null),
    ...Array.from({ length: CHUNKS - 2 }, (_, index) => chunk({ content: `word${index} ` }, null)),
    chunk({}, 'stop'),
    'data: [DONE]\n\n',
  ],
});

function measureWithOpenTelemetry(sdk) {
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
}

export const openai = {
  module: 'openai',
  call: 'chat.completions.create()',
  measuring: {
    bare: () => undefined,
    ours: ({ OpenAI }) =>
      measureWithOurs('openai', ({ instrumentOpenAI }, options) => instrumentOpenAI(OpenAI, options)),
    opentelemetry: measureWithOpenTelemetry,
  },
  connect: ({ OpenAI }) => new OpenAI({ apiKey: 'k', fetch: answer }),
  ask: (client, more) => client.chat.completions.create({ ...ASKED, ...more }),
};
