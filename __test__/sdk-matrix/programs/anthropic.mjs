import Anthropic from '@anthropic-ai/sdk';
import { instrumentAnthropic } from '@llm-devops/prometheus-metrics/anthropic';
import { drain, fails, measured } from './measured.mjs';
import { events, json } from './support/wire-server.mjs';

const MODEL = 'claude-sonnet-4-5';
const usage = { input_tokens: 4, cache_read_input_tokens: 4, cache_creation_input_tokens: 2, output_tokens: 5 };
const message = { id: 'm', type: 'message', role: 'assistant', model: MODEL, content: [], stop_reason: null, usage };
const event = (type, fields) => ({ event: type, data: { type, ...fields } });
const text = (text) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } });

await measured(async ({ wire, llm }) => {
  const client = new Anthropic({ apiKey: 'k', baseURL: wire.url, maxRetries: 0 });
  const uninstall = instrumentAnthropic(client, { collector: llm, provider: 'anthropic' });
  const asked = { model: MODEL, max_tokens: 10, messages: [{ role: 'user', content: 'hello' }] };
  const whole = json({ ...message, content: [{ type: 'text', text: 'hi' }], stop_reason: 'end_turn' });
  const stream = events([
    event('message_start', { message: { ...message, usage: { ...usage, output_tokens: 1 } } }),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    text('h'),
    text('i'),
    event('content_block_stop', { index: 0 }),
    event('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 5 } }),
    event('message_stop', {}),
  ]);
  const refused = json({ type: 'error', error: { type: 'rate_limit_error', message: 'no' } }, { status: 429 });
  wire.answer(whole, stream, stream, refused);
  await client.messages.create(asked);
  await drain(await client.messages.create({ ...asked, stream: true }));
  await client.messages.stream(asked).finalMessage();
  await fails(client.messages.create(asked));
  uninstall();
  wire.answer(whole);
  await client.messages.create(asked);
});
