// Makes the answers of the simulated model server and counts their tokens. A token is one word here; real tokenizers
// differ.

const WORDS = 'a model answers one token after another and the gateway counts what passes'.split(' ');
const ANSWER_WORDS = { min: 8, max: 30 };

/** A beginning of at least this many tokens is kept in the provider's cache. */
const CACHED_MIN = 100;
/** How often a beginning is read before it leaves the cache and must be written again. */
const CACHED_READS = 4;
/** How often each beginning was sent. */
const beginnings = new Map();

export function countTokens(messages) {
  return messages.reduce((sum, { content }) => sum + countWords(content), 0);
}

/** The answer of a chat model: words, or a call of the tool in metadata.tool_call. */
export function messageOf({ messages, metadata, max_tokens: most = Number.POSITIVE_INFINITY }, model, outcome) {
  if (messages === undefined) return { words: [], thoughts: 0 };
  const wanted = ANSWER_WORDS.min + Math.floor(Math.random() * (ANSWER_WORDS.max - ANSWER_WORDS.min + 1));
  const words = Array.from({ length: Math.min(wanted, most) }, () => WORDS[Math.floor(Math.random() * WORDS.length)]);
  const thoughts = model.reasons ? words.length * 4 : 0;
  const call = metadata?.tool_call;
  if (call !== undefined) {
    const tool = { name: call.name, arguments: JSON.stringify(call.arguments) };
    const tool_calls = [{ id: `call-${call.name}`, type: 'function', function: tool }];
    return { words: [], thoughts, tool_calls, finish_reason: 'tool_calls' };
  }
  const stopped = wanted > most ? 'length' : 'stop';
  return { words, thoughts, finish_reason: outcome === 'content_filter' ? outcome : stopped };
}

export function usageOf({ model, messages, input, prompt }, { reasons, searches }, { words, thoughts, tool_calls }) {
  if (messages === undefined) return usage(countWords(String(input ?? prompt)), 0);
  const spoken = tool_calls === undefined ? words.length : 12;
  return {
    ...usage(countTokens(messages), spoken + thoughts),
    prompt_tokens_details: cachedOf(model, messages),
    ...(reasons && { completion_tokens_details: { reasoning_tokens: thoughts } }),
    ...(searches && { server_tool_use: { web_search_requests: 1 } }),
  };
}

export function embeddingOf(_asked, usage) {
  return { object: 'list', data: [{ object: 'embedding', index: 0, embedding: [0.6, 0, 0.8] }], usage };
}

export function imagesOf({ n = 1 }, { prompt_tokens: input }) {
  // A transparent pixel.
  const b64_json = 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7';
  const output = n * 272;
  const usage = { input_tokens: input, output_tokens: output, total_tokens: input + output };
  return { data: Array.from({ length: n }, () => ({ b64_json })), usage };
}

/** A long beginning is written to the provider's cache and then read from it for a while. */
function cachedOf(model, [{ content }]) {
  const tokens = countWords(content);
  if (tokens < CACHED_MIN) return { cached_tokens: 0 };
  const beginning = `${model}\n${content}`;
  const before = beginnings.get(beginning) ?? 0;
  beginnings.set(beginning, before + 1);
  if (before % (CACHED_READS + 1) !== 0) return { cached_tokens: tokens };
  return model.startsWith('claude') ? { cached_tokens: 0, cache_write_tokens: tokens } : { cached_tokens: 0 };
}

function usage(input, output) {
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
}

function countWords(text) {
  return text.split(/\s+/).filter(Boolean).length;
}
