// The models this gateway knows, and who provides each. Label values come from this table and never from a
// request, so that nobody can create series by inventing model names.

export const MODELS = new Map([
  ['gpt-4o-mini', { model: 'gpt-4o-mini', provider: 'openai' }],
  ['claude-sonnet-4', { model: 'claude-sonnet-4', provider: 'anthropic' }],
  ['llama-3.3-70b', { model: 'llama-3.3-70b', provider: 'vllm' }],
]);

/** What every request for a model outside the table is counted under. */
export const OTHER_MODEL = { model: 'other', provider: 'other' };

/** Every request here is a chat; a gateway with embeddings or images would count those under their own names. */
export const OPERATION = 'chat';
