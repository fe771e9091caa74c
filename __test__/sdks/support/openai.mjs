// Answers in OpenAI's wire format, and the lines that its requests must record.

import { instrumentOpenAI } from '@llm-devops/prometheus-metrics/openai';
import OpenAI from 'openai';
import { worldOf } from './api-client.mjs';
import { json } from './wire-server.mjs';

export const connect = (baseURL) =>
  new OpenAI({ apiKey: 'k', baseURL, maxRetries: 0, timeout: 5_000, logLevel: 'off' });
export const world = (t, options = {}, llm = {}) => worldOf(t, { instrument: instrumentOpenAI, connect, options, llm });

export const ASKED = { model: 'm', messages: [{ role: 'user', content: 'hello' }] };
export const USAGE = {
  prompt_tokens: 20,
  completion_tokens: 10,
  total_tokens: 30,
  prompt_tokens_details: { cached_tokens: 8, audio_tokens: 2, cache_write_tokens: 3 },
  completion_tokens_details: { reasoning_tokens: 4, audio_tokens: 1 },
};

export function chat(message = { role: 'assistant', content: 'hi' }, finish = 'stop', usage = USAGE) {
  const choices = [{ index: 0, message: { refusal: null, ...message }, finish_reason: finish }];
  return json({ id: 'c', object: 'chat.completion', created: 1, model: 'm', choices, usage });
}

export const chunk = (delta, finish = null, more = {}) => ({
  id: 'c',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta, finish_reason: finish }],
  ...more,
});
export const HELLO = [chunk({ role: 'assistant', content: '' }), chunk({ content: 'é€' }), chunk({ content: '😀' })];
export const CHAT_STREAM = [...HELLO, chunk({}, 'stop'), '[DONE]'];

export const SUCCESS = (operation) => [
  `llm_requests_total{operation="${operation}",status="success"} 1`,
  `llm_request_duration_seconds_count{operation="${operation}"} 1`,
];
export const FAILURE = (type, status = 'error') => [
  `llm_requests_total{operation="chat",status="${status}"} 1`,
  'llm_request_duration_seconds_count{operation="chat"} 1',
  `llm_errors_total{error_type="${type}"} 1`,
];
export const DETAILS = [
  'llm_token_details_total{detail="cache_read"} 8',
  'llm_token_details_total{detail="cache_write"} 3',
  'llm_token_details_total{detail="reasoning"} 4',
  'llm_token_details_total{detail="audio_input"} 2',
  'llm_token_details_total{detail="audio_output"} 1',
];
export const TOKENS = ['llm_tokens_total{type="input"} 20', 'llm_tokens_total{type="output"} 10'];
export const UNPRICED = 'llm_unpriced_requests_total 1';
export const MISSING = 'llm_usage_missing_total 1';
export const STREAMED = (chunks) => [
  'llm_streaming_requests_total 1',
  `llm_streaming_chunks_total ${chunks}`,
  'llm_streaming_time_to_first_token_seconds_count 1',
];
export const finished = (reason) => `llm_finish_reasons_total{reason="${reason}"} 1`;
export const broken = (who) => `llm_streaming_interrupted_total{reason="${who}"} 1`;
