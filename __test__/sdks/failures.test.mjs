// Sends the same failures through all clients: the same bytes must give the same error type and outcome.

import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { instrumentAnthropic } from '@llm-devops/prometheus-metrics/anthropic';
import { instrumentGoogleGenAI } from '@llm-devops/prometheus-metrics/google-genai';
import { instrumentOpenAI } from '@llm-devops/prometheus-metrics/openai';
import test from 'ava';
import OpenAI from 'openai';
import { chunksOf } from './support/api-client.mjs';
import { holdsFailures, inChoice } from './support/failures.mjs';
import { message, named } from './support/messages.mjs';
import { collectors } from './support/recorded.mjs';
import { WireServer } from './support/wire-server.mjs';

const settings = { apiKey: 'k', maxRetries: 0, logLevel: 'off' };
const started = { type: 'message_start', message: message({ content: [], stop_reason: null }) };
const delta = { choices: [{ index: 0, delta: { content: 'hi' }, finish_reason: null }] };
const part = { candidates: [{ content: { parts: [{ text: 'hi' }] } }] };
const textDelta = { type: 'response.output_text.delta', delta: 'hi', item_id: 'i', output_index: 0, content_index: 0 };

const read = async (answer, stream) => (stream ? chunksOf(await answer) : answer);

const CLIENTS = {
  'OpenAI, chat completions': {
    instrument: instrumentOpenAI,
    connect: (baseURL) => new OpenAI({ ...settings, baseURL }),
    ask: (client, { stream, options }) =>
      read(client.chat.completions.create({ model: 'm', messages: [], stream }, options), stream),
    inBody: (error) => ({ error }),
    inEvent: (error) => [[{ error }], [delta, { error }], [delta, inChoice(error)]],
  },
  'OpenAI, chat completions with the failure in a choice': {
    instrument: instrumentOpenAI,
    connect: (baseURL) => new OpenAI({ ...settings, baseURL }),
    ask: (client, { stream, options }) =>
      read(client.chat.completions.create({ model: 'm', messages: [], stream }, options), stream),
    inBody: inChoice,
  },
  'OpenAI, responses': {
    instrument: instrumentOpenAI,
    connect: (baseURL) => new OpenAI({ ...settings, baseURL }),
    ask: (client, { stream, options }) =>
      read(client.responses.create({ model: 'm', input: 'x', stream }, options), stream),
    inBody: (error) => ({ id: 'r', object: 'response', status: 'failed', output: [], error }),
    inEvent: (error) => [
      [{ type: 'error', code: error.code ?? error.type, message: error.message, param: null }],
      [textDelta, { type: 'error', error }],
      [textDelta, { type: 'response.failed', response: { id: 'r', status: 'failed', output: [], error } }],
    ],
  },
  Anthropic: {
    instrument: instrumentAnthropic,
    connect: (baseURL) => new Anthropic({ ...settings, baseURL }),
    ask: (client, { stream, options }) =>
      read(client.messages.create({ model: 'm', max_tokens: 9, messages: [], stream }, options), stream),
    inBody: (error) => ({ type: 'error', error }),
    inEvent: (error) => [named([{ type: 'error', error }]), named([started, { type: 'error', error }])],
  },
  Gemini: {
    instrument: instrumentGoogleGenAI,
    connect: (baseUrl) => new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl } }),
    ask: (client, { stream, options: { timeout, signal: abortSignal } }) => {
      const config = { abortSignal, ...(timeout === undefined ? {} : { httpOptions: { timeout } }) };
      const request = { model: 'm', contents: 'x', config };
      return stream ? read(client.models.generateContentStream(request), true) : client.models.generateContent(request);
    },
    inBody: (error) => ({ error }),
    inEvent: (error) => [[{ error }], [part, { error }]],
  },
};

for (const [name, { instrument, connect, ask, ...ways }] of Object.entries(CLIENTS)) {
  test(`${name}: each failure has the same words`, async (t) => {
    const wire = await WireServer.start(t);
    const { registry, llm } = collectors();
    const client = connect(wire.url);
    instrument(client, { collector: llm, provider: 'p' });
    await holdsFailures(t, { wire, registry, ask: async (how) => ask(client, how), ...ways });
  });
}
