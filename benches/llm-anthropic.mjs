// Anthropic's SDK for llm.mjs: its answers, and our library. No other library records its metrics.

import { answerWith, CHUNKS, measureWithOurs } from './llm-clients.mjs';

const ASKED = { model: 'claude-opus-4-8', max_tokens: 100, messages: [{ role: 'user', content: 'hello' }] };
const USAGE = { input_tokens: 12, cache_creation_input_tokens: 0, cache_read_input_tokens: 8, output_tokens: 10 };
const MESSAGE = { id: 'm', type: 'message', role: 'assistant', model: 'claude-opus-4-8', stop_sequence: null };

const event = (data) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
const word = (_, index) =>
  event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: `word${index} ` } });

const answer = answerWith({
  whole: { ...MESSAGE, content: [{ type: 'text', text: 'hello' }], stop_reason: 'end_turn', usage: USAGE },
  headers: Object.fromEntries(
    ['requests', 'tokens', 'input-tokens', 'output-tokens'].flatMap((resource) => [
      [`anthropic-ratelimit-${resource}-limit`, '2000000'],
      [`anthropic-ratelimit-${resource}-remaining`, '1999000'],
      [`anthropic-ratelimit-${resource}-reset`, '2026-11-28T12:00:00Z'],
    ]),
  ),
  events: [
    event({ type: 'message_start', message: { ...MESSAGE, content: [], stop_reason: null, usage: USAGE } }),
    event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
    ...Array.from({ length: CHUNKS - 5 }, word),
    event({ type: 'content_block_stop', index: 0 }),
    event({ type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: USAGE }),
    event({ type: 'message_stop' }),
  ],
});

export const anthropic = {
  module: '@anthropic-ai/sdk',
  call: 'messages.create()',
  measuring: {
    bare: () => undefined,
    ours: ({ Anthropic }) =>
      measureWithOurs('anthropic', ({ instrumentAnthropic }, options) => instrumentAnthropic(Anthropic, options)),
  },
  connect: ({ Anthropic }) => new Anthropic({ apiKey: 'k', fetch: answer }),
  ask: (client, more) => client.messages.create({ ...ASKED, ...more }),
};
