// Tests LangChain's packages of providers, each against a server that speaks the provider's format: whole answers, streams
// and refusals must record the same figures as the provider's own answer names.

import { ChatAnthropic } from '@langchain/anthropic';
import { ChatGoogleGenerativeAI } from '@langchain/google-genai';
import { ChatGroq } from '@langchain/groq';
import { ChatMistralAI } from '@langchain/mistralai';
import { ChatOpenAI } from '@langchain/openai';
import { createLangChainHandler } from '@llm-devops/prometheus-metrics/langchain';
import test from 'ava';
import { chat, chatStream, refusal, USAGE } from './support/chat-answers.mjs';
import { collectors, recorded, sameLines } from './support/recorded.mjs';
import { cut, events, json, WireServer } from './support/wire-server.mjs';

const choice = (part, finish_reason = null) => [{ index: 0, ...part, finish_reason }];
const completion = (model, usage) => {
  const choices = choice({ message: { role: 'assistant', content: 'hi', tool_calls: null } }, 'stop');
  return json({ id: 'c', object: 'chat.completion', created: 1, model, choices, usage });
};
const chunk = (model, content, more = {}) => {
  const { finish_reason, ...rest } = more;
  const choices = choice({ delta: { role: 'assistant', content } }, finish_reason);
  return { id: 'c', object: 'chat.completion.chunk', created: 1, model, choices, ...rest };
};

const CLAUDE = { input_tokens: 4, cache_read_input_tokens: 4, cache_creation_input_tokens: 2 };
const claude = {
  id: 'm',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-5-20250929',
  stop_sequence: null,
};
const claudeEvent = (type, fields) => ({ event: type, data: { type, ...fields } });
const claudeText = (text) => claudeEvent('content_block_delta', { index: 0, delta: { type: 'text_delta', text } });

/** Each chunk of Gemini's names the usage so far. */
const gemini = (text, candidatesTokenCount, thoughtsTokenCount = 2) => ({
  candidates: [{ content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP', index: 0 }],
  usageMetadata: {
    promptTokenCount: 10,
    cachedContentTokenCount: 4,
    candidatesTokenCount,
    thoughtsTokenCount,
    totalTokenCount: 10 + candidatesTokenCount + thoughtsTokenCount,
  },
});

/** For each provider: its model, its answers, and the parts of 10 input and 5 output tokens that LangChain passes on. */
const PROVIDERS = {
  openai: {
    make: (url) =>
      new ChatOpenAI({ model: 'gpt-4o-mini', apiKey: 'k', maxRetries: 0, configuration: { baseURL: url } }),
    model: 'gpt-4o-mini',
    whole: chat('hi'),
    stream: chatStream(['h', 'i']),
    details: { cache_read: 4, reasoning: 2 },
    chunks: 5,
  },
  anthropic: {
    make: (anthropicApiUrl) =>
      new ChatAnthropic({ model: 'claude-sonnet-4-5', apiKey: 'k', maxRetries: 0, anthropicApiUrl }),
    model: 'claude-sonnet-4-5',
    whole: json({
      ...claude,
      content: [{ type: 'text', text: 'hi' }],
      stop_reason: 'end_turn',
      usage: { ...CLAUDE, output_tokens: 5 },
    }),
    stream: events([
      claudeEvent('message_start', { message: { ...claude, content: [], usage: { ...CLAUDE, output_tokens: 3 } } }),
      claudeEvent('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
      claudeText('h'),
      claudeText('i'),
      claudeEvent('content_block_stop', { index: 0 }),
      claudeEvent('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 5 } }),
      claudeEvent('message_stop', {}),
    ]),
    details: { cache_read: 4, cache_write: 2 },
    chunks: 5,
  },
  google: {
    make: (baseUrl) => new ChatGoogleGenerativeAI({ model: 'gemini-2.5-flash', apiKey: 'k', maxRetries: 0, baseUrl }),
    model: 'gemini-2.5-flash',
    whole: json(gemini('hi', 3)),
    stream: events([gemini('h', 1), gemini('i', 2), gemini('!', 3)]),
    details: { cache_read: 4 },
    chunks: 3,
  },
  groq: {
    make: (baseUrl) => new ChatGroq({ model: 'llama-3.3-70b', apiKey: 'k', maxRetries: 0, baseUrl }),
    model: 'llama-3.3-70b',
    whole: completion('llama-3.3-70b', USAGE),
    stream: events([
      chunk('llama-3.3-70b', ''),
      chunk('llama-3.3-70b', 'hi'),
      chunk('llama-3.3-70b', '', { finish_reason: 'stop', x_groq: { id: 'r', usage: USAGE } }),
      '[DONE]',
    ]),
    details: { cache_read: 4, reasoning: 2 },
    chunks: 3,
  },
  mistral: {
    make: (serverURL) => new ChatMistralAI({ model: 'mistral-small-latest', apiKey: 'k', maxRetries: 0, serverURL }),
    model: 'mistral-small-latest',
    whole: completion('mistral-small-latest', { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }),
    stream: events([
      chunk('mistral-small-latest', 'h'),
      chunk('mistral-small-latest', 'i', {
        finish_reason: 'stop',
        usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
      }),
      '[DONE]',
    ]),
    details: {},
    chunks: 2,
  },
};

for (const [name, { make, model: named, whole, stream, details, chunks }] of Object.entries(PROVIDERS)) {
  /** The model as its users make it, or with another address. */
  const rig = async (t) => {
    const wire = await WireServer.start(t);
    const { registry, agents, llm } = collectors({ llm: { prices: { [named]: { input: 1, output: 2 } } } });
    const providers = { '127.0.0.1': name };
    const callbacks = [createLangChainHandler({ collector: agents, llm, providers })];
    return { wire, callbacks, model: make(wire.url), lines: () => recorded(registry) };
  };
  const labels = `model="${named}",provider="${name}"`;
  const success = [
    `llm_requests_total{${labels},operation="chat",status="success"} 1`,
    `llm_request_duration_seconds_count{${labels},operation="chat"} 1`,
    `llm_tokens_total{${labels},type="input"} 10`,
    `llm_tokens_total{${labels},type="output"} 5`,
    ...Object.entries(details).map(
      ([detail, count]) => `llm_token_details_total{${labels},detail="${detail}"} ${count}`,
    ),
    `llm_cost_usd_total{${labels}} 0.00002`,
    `llm_finish_reasons_total{${labels},reason="stop"} 1`,
  ];

  test(`${name}: a whole answer`, async (t) => {
    const { wire, callbacks, model, lines } = await rig(t);
    wire.answer(whole);
    t.is((await model.invoke('hello', { callbacks })).content, 'hi');
    sameLines(t, await lines(), success);
  });

  test(`${name}: a stream`, async (t) => {
    const { wire, callbacks, model, lines } = await rig(t);
    wire.answer(stream);
    for await (const _ of await model.stream('hello', { callbacks }));
    sameLines(t, await lines(), [
      success,
      `llm_streaming_requests_total{${labels}} 1`,
      `llm_streaming_chunks_total{${labels}} ${chunks}`,
      `llm_streaming_time_to_first_token_seconds_count{${labels}} 1`,
      `llm_streaming_time_per_output_token_seconds_count{${labels}} 1`,
    ]);
  });

  test(`${name}: failures`, async (t) => {
    const { wire, callbacks, model, lines } = await rig(t);
    const answers = {
      authentication: refusal(401),
      rate_limit: refusal(429),
      server_error: refusal(500),
      connection: cut(),
    };
    for (const answer of Object.values(answers)) {
      wire.answer(answer);
      await t.throwsAsync(model.invoke('hello', { callbacks }));
    }
    sameLines(t, await lines(), [
      `llm_requests_total{${labels},operation="chat",status="error"} 4`,
      `llm_request_duration_seconds_count{${labels},operation="chat"} 4`,
      Object.keys(answers).map((type) => `llm_errors_total{${labels},error_type="${type}"} 1`),
    ]);
  });
}
