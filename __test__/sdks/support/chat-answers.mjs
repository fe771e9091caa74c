// Answers of OpenAI's chat completions and Responses API, for frameworks that use its format.

import { events, json } from './wire-server.mjs';

/** 10 input tokens, 4 of them cached; 5 output tokens, 2 of them reasoning. */
export const USAGE = {
  prompt_tokens: 10,
  completion_tokens: 5,
  total_tokens: 15,
  prompt_tokens_details: { cached_tokens: 4 },
  completion_tokens_details: { reasoning_tokens: 2 },
};
const MODEL = 'gpt-4o-mini-2024-07-18';

/** Frameworks treat two messages with one id as one message. */
let answers = 0;
const nextId = () => `chat_${++answers}`;

const toolCalls = (calls) =>
  calls.map(([name, args], index) => ({
    index,
    id: `call_${nextId()}`,
    type: 'function',
    function: { name, arguments: JSON.stringify(args) },
  }));

/** A complete answer: a text, or calls of tools as `[name, arguments]`. It gets a new id each time it is sent. */
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

/** A streamed answer: role, each text, finish reason, usage. */
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

/** An error in OpenAI's format. */
export function refusal(status, error = {}) {
  return json({ error: { message: 'refused', type: null, code: null, ...error } }, { status });
}

const RESPONSE_USAGE = {
  input_tokens: 10,
  output_tokens: 5,
  total_tokens: 15,
  input_tokens_details: { cached_tokens: 4 },
  output_tokens_details: { reasoning_tokens: 2 },
};

function responseBody(content, fields) {
  const calls = Array.isArray(content) ? content : undefined;
  const output = (calls ?? []).map(([name, args]) => ({
    type: 'function_call',
    id: nextId(),
    call_id: nextId(),
    name,
    arguments: JSON.stringify(args),
    status: 'completed',
  }));
  if (calls === undefined) {
    const text = { type: 'output_text', text: content, annotations: [] };
    output.push({ type: 'message', id: nextId(), role: 'assistant', status: 'completed', content: [text] });
  }
  const head = { id: nextId(), object: 'response', created_at: 1, status: 'completed', error: null };
  return { ...head, model: MODEL, output, usage: RESPONSE_USAGE, ...fields };
}

/** A complete answer of the Responses API: a text, or calls of tools as `[name, arguments]`. */
export function response(content, fields) {
  return (sent) => json(responseBody(content, fields))(sent);
}

/** A streamed answer of the Responses API. */
export function responseStream(texts, sending = {}) {
  const deltas = texts.map((delta, sequence_number) => ({
    type: 'response.output_text.delta',
    item_id: 'item',
    output_index: 0,
    content_index: 0,
    sequence_number,
    delta,
  }));
  const body = responseBody(texts.join(''));
  const created = { type: 'response.created', response: { ...body, status: 'in_progress', output: [], usage: null } };
  const completed = sending.end === 'cut' ? [] : [{ type: 'response.completed', response: body }];
  return events([created, ...deltas, ...completed], sending);
}
