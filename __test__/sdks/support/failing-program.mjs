// A program whose requests fail in each way that a class of an SDK stands for. It prints what was recorded. A test runs it as it
// is and minified.

import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { LlmMetricsCollector, Registry } from '@llm-devops/prometheus-metrics';
import { instrumentAnthropic } from '@llm-devops/prometheus-metrics/anthropic';
import { instrumentGoogleGenAI } from '@llm-devops/prometheus-metrics/google-genai';
import { instrumentOpenAI } from '@llm-devops/prometheus-metrics/openai';
import OpenAI, { AzureOpenAI } from 'openai';

const registry = new Registry();
const collector = new LlmMetricsCollector({ registry });
const settings = { apiKey: 'k', maxRetries: 1, logLevel: 'off' };
const ABORTED = new AbortController();
ABORTED.abort();

/** A server that fails by the model's name. */
async function fetch(url, { body, signal }) {
  const model = JSON.parse(body).model ?? decodeURIComponent(String(url)).split('/models/')[1].split(':')[0];
  const status = Number(model);
  if (status > 0) return Response.json({ error: { message: 'no' } }, { status, headers: { 'retry-after-ms': '1' } });
  if (model === 'refused') throw Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } });
  if (model === 'garbage') return new Response('{"choices": [', { headers: { 'content-type': 'application/json' } });
  if (model === 'broken') {
    const parts = [
      'data: {"choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n',
      'event: error\ndata: {"error":{"type":"overloaded_error"}}\n\n',
    ];
    return new Response(parts.join(''), { headers: { 'content-type': 'text/event-stream' } });
  }
  return new Promise((_, reject) => {
    const stop = () => reject(Object.assign(new Error('This operation was aborted'), { name: 'AbortError' }));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop);
  });
}

const WAYS = {
  429: {},
  529: {},
  500: {},
  404: {},
  refused: { maxRetries: 0 },
  garbage: {},
  broken: { stream: true },
  timeout: { timeout: 30, maxRetries: 0 },
  aborted: { signal: ABORTED.signal },
  timer: { signal: AbortSignal.timeout(30) },
};

class Own extends OpenAI {}
const openai =
  (client) =>
  (model, { stream = false, ...options }) =>
    client.chat.completions.create({ model, messages: [], stream }, options);
const clients = [
  [instrumentOpenAI, new OpenAI({ ...settings, fetch }), openai],
  [instrumentOpenAI, new Own({ ...settings, fetch }), openai],
  [
    instrumentOpenAI,
    new AzureOpenAI({ ...settings, fetch, apiVersion: '1', endpoint: 'https://a.openai.azure.com' }),
    openai,
  ],
  [
    instrumentAnthropic,
    new Anthropic({ ...settings, fetch }),
    (client) =>
      (model, { stream = false, ...options }) =>
        client.messages.create({ model, max_tokens: 9, messages: [], stream }, options),
  ],
  [
    instrumentGoogleGenAI,
    new GoogleGenAI({ apiKey: 'k', httpOptions: { fetch } }),
    (client) =>
      (model, { stream = false, signal: abortSignal, timeout }) => {
        const config = { abortSignal, ...(timeout && { httpOptions: { timeout } }) };
        const request = { model, contents: 'x', config };
        return stream ? client.models.generateContentStream(request) : client.models.generateContent(request);
      },
  ],
];
async function main() {
  for (const [instrument, client, make] of clients) {
    instrument(client, { collector });
    const ask = make(client);
    for (const [model, { stream, ...options }] of Object.entries(WAYS)) {
      collector.registerModel({ model, provider: 'openai' });
      try {
        const answer = await ask(model, { stream, ...options });
        if (stream) for await (const _ of answer);
      } catch {}
    }
  }
  const lines = (await registry.metrics()).split('\n');
  console.log(
    lines
      .filter((line) => /^llmdevops_llm_(requests|errors|retries)_total/.test(line) && !line.endsWith(' 0'))
      .join('\n'),
  );
}

// The timers of time-outs do not keep a process alive.
const alive = setInterval(() => {}, 1_000);
main().finally(() => clearInterval(alive));
