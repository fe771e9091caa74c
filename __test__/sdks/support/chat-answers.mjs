// Answers of OpenAI's chat completions and responses, for frameworks that speak its language.

import { events, json } from './wire-server.mjs';

/** 10 tokens in, 4 of them cached; 5 out, 2 of them reasoning. */
const USAGE = {
  prompt_tokens: 10,
  completion_tokens: 5,
  total_tokens: 15,
  prompt_tokens_details: { cached_tokens: 4 },
  completion_tokens_details: { reasoning_tokens: 2 },
};
const MODEL = 'gpt-4o-mini-2024-07-18';

/** Frameworks take two messages with one id for one message. */
let answers = 0;
const nextId = () => `chat_${++answers}`;

const toolCalls = (calls) =>
  calls.map(([name, args], index) => ({
    index,
    id: `call_${nextId()}`,
    type: 'function',
    function: { name, arguments: JSON.stringify(args) },
  }));

/** A whole answer: a text, or calls of tools as `[name, arguments]`. Each time it is given it has an id of its own. */
export function chat(content, options) {
  return (response) => chatOnce(content, options)(response);
}

function chatOnce(content, { usage = USAGE, reason } = {}) {
  const calls = Array.isArray(content) ? content : undefined;
  const id = nextId();
  const message = calls === undefined ? { content } : { content: null, tool_calls: toolCalls(calls) };
  return json({
    id,
    object: 'chat.completion',
    created: 1,
    model: MODEL,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', ...message },
        finish_reason: reason ?? (calls === undefined ? 'stop' : 'tool_calls'),
      },
    ],
    usage,
  });
}

/** A streamed answer: its role, each text, why it stopped, its usage. */
export function chatStream(texts, { usage = USAGE, reason = 'stop', ...sending } = {}) {
  const id = nextId();
  const chunk = (delta, finish_reason = null) => ({
    id,
    object: 'chat.completion.chunk',
    created: 1,
    model: MODEL,
    choices: [{ index: 0, delta, finish_reason }],
  });
  const chunks = [chunk({ role: 'assistant', content: '' }), ...texts.map((content) => chunk({ content }))];
  if (sending.end !== undefined && sending.end !== 'end') return events(chunks, sending);
  const usages = usage === null ? [] : [{ ...chunk({}), choices: [], usage }];
  return events([...chunks, chunk({}, reason), ...usages, '[DONE]'], sending);
}

/** An error as OpenAI says it. */
export function refusal(status, error = {}) {
  return json({ error: { message: 'refused', type: null, code: null, ...error } }, { status });
}
