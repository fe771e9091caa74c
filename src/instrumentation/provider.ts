/**
 * Finds the provider by a base URL. The SDK alone does not tell it, because most providers offer an OpenAI-compatible API.
 */
import { OTHER } from '../collectors/label-values';

/**
 * Providers by host. An entry includes its subdomains; `*` stands for a region. An entry has a port if only the port
 * identifies the provider.
 */
const BY_HOST: readonly (readonly [host: string, provider: string])[] = [
  ['openai.azure.com', 'azure'],
  ['services.ai.azure.com', 'azure'],
  ['cognitiveservices.azure.com', 'azure'],
  ['api.openai.com', 'openai'],
  ['openai.com', 'openai'],
  ['anthropic.com', 'anthropic'],
  ['generativelanguage.googleapis.com', 'google'],
  ['aiplatform.googleapis.com', 'vertex'],
  ['*-aiplatform.googleapis.com', 'vertex'],
  ['amazonaws.com', 'bedrock'],
  ['openrouter.ai', 'openrouter'],
  ['groq.com', 'groq'],
  ['mistral.ai', 'mistral'],
  ['deepseek.com', 'deepseek'],
  ['x.ai', 'xai'],
  ['together.xyz', 'together'],
  ['together.ai', 'together'],
  ['fireworks.ai', 'fireworks'],
  ['perplexity.ai', 'perplexity'],
  ['cohere.com', 'cohere'],
  ['cohere.ai', 'cohere'],
  ['cerebras.ai', 'cerebras'],
  ['nvidia.com', 'nvidia'],
  ['huggingface.co', 'huggingface'],
  ['localhost:11434', 'ollama'],
  ['127.0.0.1:11434', 'ollama'],
  ['localhost:1234', 'lmstudio'],
  ['127.0.0.1:1234', 'lmstudio'],
  ['localhost:8000', 'vllm'],
  ['127.0.0.1:8000', 'vllm'],
];

/** Providers by host, subdomains included: `{ 'llm.example.com': 'vllm' }`. */
export type ProviderTable = Readonly<Record<string, string>>;

/**
 * The provider at an address.
 *
 * @param more entries that take precedence over the built-in table
 * @returns `other` for an unknown host or an invalid URL
 */
export function findProvider(address: unknown, more: ProviderTable = {}): string {
  const url = typeof address === 'string' && URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined) return OTHER;
  for (const [host, provider] of [...Object.entries(more), ...BY_HOST]) {
    if (matchesHost(url, host.toLowerCase())) return provider;
  }
  return OTHER;
}

function matchesHost({ host, hostname }: URL, wanted: string): boolean {
  if (wanted.startsWith('*')) return hostname.endsWith(wanted.slice(1));
  return host === wanted || hostname === wanted || hostname.endsWith(`.${wanted}`);
}
