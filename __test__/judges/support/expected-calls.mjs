// Computes the model calls that the gateway must have made for one request, and their outcomes, from the simulated
// failures and from what the client saw. It does not use the gateway's code.

/** Every model, its provider, and the version in its answers. */
export const MODELS = {
  'gpt-4o-mini': { provider: 'openai', version: 'gpt-4o-mini-2024-07-18', fallback: 'claude-sonnet-4' },
  'claude-sonnet-4': { provider: 'anthropic', version: 'claude-sonnet-4-20250514', fallback: 'gpt-4o-mini' },
  'llama-3.3-70b': { provider: 'vllm', version: 'llama-3.3-70b', fallback: 'gpt-4o-mini' },
  'o4-mini': { provider: 'openai', version: 'o4-mini-2025-04-16', fallback: 'claude-sonnet-4' },
  'text-embedding-3-small': {
    provider: 'openai',
    operation: 'embeddings',
    version: 'text-embedding-3-small',
  },
  'gpt-image-1': { provider: 'openai', operation: 'image', version: 'gpt-image-1' },
};

/** Error types of the metrics, by the error types that clients receive. */
export const ERROR_TYPES = {
  rate_limit_error: 'rate_limit',
  overloaded_error: 'overloaded',
  server_error: 'server_error',
  context_length_exceeded: 'context_length',
  connection: 'connection',
  stream_interrupted: 'stream_interrupted',
  timeout: 'timeout',
  cancelled: 'cancelled',
};

/** Outcomes after which the gateway retries once. */
const RETRIED = new Set(['rate_limit', 'overloaded']);

/** Outcomes after which another model is asked, with the error type of the first call. */
const FALLS_BACK = {
  rate_limit: 'rate_limit',
  overloaded: 'overloaded',
  server_error: 'server_error',
  cut: 'connection',
};

/**
 * @param request `simulate` gives the outcome of all attempts, or a list with one per attempt.
 * @param seen is what the client saw; it is the outcome of the last call.
 */
export function expectedCalls({ model, simulate, stream }, seen) {
  const outcomes = [simulate].flat();
  const next = () => (outcomes.length > 1 ? outcomes.shift() : outcomes[0]);
  const ask = (asked) => {
    const first = next();
    const retried = RETRIED.has(first) ? first : undefined;
    return { model: asked, retried, outcome: retried === undefined ? first : next() };
  };

  const call = ask(model);
  // A stream that was cut has already begun, so there is no fallback.
  const failed = stream && call.outcome === 'cut' ? undefined : FALLS_BACK[call.outcome];
  if (failed === undefined) return [described(call, seen)];
  return [
    described(call, { status: 'error', errorType: failed, chunks: 0, unanswered: call.outcome === 'cut' }),
    described(ask(MODELS[model].fallback), seen),
  ];
}

function described({ outcome: _seen, ...call }, outcome) {
  const { provider, version } = MODELS[call.model];
  return { ...call, provider, ...outcome, version: outcome.status === 'success' ? version : undefined };
}
