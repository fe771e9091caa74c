// The metrics of the gateway: names, labels and buckets, and nothing about when they are recorded (call.mjs).

import { Counter, Gauge, Histogram } from '@llm-devops/prometheus-metrics';
import { MODELS, OPERATION } from './models.mjs';

export const requests = new Counter({
  name: 'llmdevops_llm_requests_total',
  help: 'LLM requests by outcome: success, error, timeout or cancelled.',
  labelNames: ['model', 'provider', 'operation', 'status'],
});

export const requestDuration = new Histogram({
  name: 'llmdevops_llm_request_duration_seconds',
  help: 'Time from the request to the end of its answer, whatever the outcome.',
  labelNames: ['model', 'provider', 'operation'],
  buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600],
});

export const tokens = new Counter({
  name: 'llmdevops_llm_tokens_total',
  help: 'Tokens as reported by the model server: input or output.',
  labelNames: ['model', 'provider', 'type'],
});

export const errors = new Counter({
  name: 'llmdevops_llm_errors_total',
  help: 'LLM requests that did not succeed, by kind of error.',
  labelNames: ['model', 'provider', 'error_type'],
});

export const activeRequests = new Gauge({
  name: 'llmdevops_llm_active_requests',
  help: 'LLM requests in flight.',
  labelNames: ['model', 'provider'],
});

export const timeToFirstToken = new Histogram({
  name: 'llmdevops_llm_streaming_time_to_first_token_seconds',
  help: 'Time from the request to the first streamed chunk with content.',
  labelNames: ['model', 'provider'],
  buckets: [0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 20, 40, 80],
});

export const streamingChunks = new Counter({
  name: 'llmdevops_llm_streaming_chunks_total',
  help: 'Streamed chunks passed on to clients.',
  labelNames: ['model', 'provider'],
});

export const streamingInterrupted = new Counter({
  name: 'llmdevops_llm_streaming_interrupted_total',
  help: 'Streams that broke off after their first chunk, by who or what ended them: client, provider or timeout.',
  labelNames: ['model', 'provider', 'reason'],
});

// A series that appears with its first error has no rate until the second, and a ratio over an absent series is
// absent too. So each outcome of each known model starts at 0.
for (const { model, provider } of MODELS.values()) {
  activeRequests.set({ model, provider }, 0);
  for (const status of ['success', 'error', 'timeout', 'cancelled']) {
    requests.inc({ model, provider, operation: OPERATION, status }, 0);
  }
}
