// The models of this gateway: provider, path, fallback model and price.

const CHAT = '/v1/chat/completions';
const EMBEDDINGS = '/v1/embeddings';
const IMAGES = '/v1/images/generations';

/** By path: the operation, and the member that a request must have. */
export const ROUTES = new Map([
  [CHAT, { operation: 'chat', input: 'messages' }],
  [EMBEDDINGS, { operation: 'embeddings', input: 'input' }],
  [IMAGES, { operation: 'image', input: 'prompt' }],
]);

export const MODELS = new Map(
  [
    { model: 'gpt-4o-mini', provider: 'openai', path: CHAT, fallback: 'claude-sonnet-4' },
    { model: 'claude-sonnet-4', provider: 'anthropic', path: CHAT, fallback: 'gpt-4o-mini' },
    { model: 'llama-3.3-70b', provider: 'vllm', path: CHAT, fallback: 'gpt-4o-mini' },
    { model: 'o4-mini', provider: 'openai', path: CHAT, fallback: 'claude-sonnet-4' },
    { model: 'text-embedding-3-small', provider: 'openai', path: EMBEDDINGS },
    { model: 'gpt-image-1', provider: 'openai', path: IMAGES },
  ].map((entry) => [entry.model, { ...entry, operation: ROUTES.get(entry.path).operation }]),
);

/** US dollars per million tokens, and for each call of a provider's tool. A model on your own hardware has no price; that is different from a price of zero. */
export const PRICES = {
  'gpt-4o-mini': { input: 0.15, output: 0.6, cacheRead: 0.075 },
  'claude-sonnet-4': { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 },
  'o4-mini': { input: 1.1, output: 4.4, cacheRead: 0.275, serverTools: { web_search: 0.01 } },
  'text-embedding-3-small': { input: 0.02, output: 0 },
  'gpt-image-1': { input: 5, output: 40 },
};
