// Answers of Anthropic's Messages API.

import { events } from './wire-server.mjs';

/** A whole message. */
export const message = (more = {}) => ({
  id: 'msg',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content: [{ type: 'text', text: 'hi' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 20, output_tokens: 10 },
  ...more,
});

/** Events, each under its type. */
export const named = (list) => list.map((data) => ({ event: data.type, data }));

/** A streamed message that ends with this usage. */
export const messageStream = (usage = { output_tokens: 10 }) =>
  events(
    named([
      {
        type: 'message_start',
        message: message({ content: [], stop_reason: null, usage: { input_tokens: 20, output_tokens: 1 } }),
      },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'hi' } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage },
      { type: 'message_stop' },
    ]),
  );
