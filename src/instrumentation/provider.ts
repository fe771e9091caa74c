/**
 * Finds the provider by a base URL, or by the name that a framework has for it. The SDK alone does not tell it, because most providers offer an OpenAI-compatible API.
 */
import { OTHER } from '../collectors/label-values';

/**
 * Providers by host. An entry includes its subdomains; `*` stands for one part of a name, such as a region. An entry has a
 * port if only the port identifies the provider; `*` then stands for any host.
 */
const BY_HOST: readonly (readonly [host: string, provider: string])[] = [
  ['models.inference.ai.azure.com', 'github'],
  ['models.github.ai', 'github'],
  ['openai.azure.com', 'azure'],
  ['services.ai.azure.com', 'azure'],
  ['inference.ai.azure.com', 'azure'],
  ['models.ai.azure.com', 'azure'],
  ['inference.ml.azure.com', 'azure'],
  ['cognitiveservices.azure.com', 'azure'],
  ['openai.azure.us', 'azure'],
  ['openai.azure.cn', 'azure'],
  ['openai.com', 'openai'],
  ['anthropic.com', 'anthropic'],
  ['generativelanguage.googleapis.com', 'google'],
  ['aiplatform.googleapis.com', 'vertex'],
  ['*-aiplatform.googleapis.com', 'vertex'],
  ['aiplatform.*.rep.googleapis.com', 'vertex'],
  ['bedrock-*.amazonaws.com', 'bedrock'],
  ['bedrock.*.amazonaws.com', 'bedrock'],
  ['bedrock-*.*.amazonaws.com', 'bedrock'],
  ['bedrock-*.*.amazonaws.com.cn', 'bedrock'],
  ['bedrock.*.api.aws', 'bedrock'],
  ['bedrock-*.*.api.aws', 'bedrock'],
  ['bedrock-*.*.vpce.amazonaws.com', 'bedrock'],
  ['openrouter.ai', 'openrouter'],
  ['ai-gateway.vercel.sh', 'vercel'],
  ['gateway.ai.cloudflare.com', 'cloudflare'],
  ['api.cloudflare.com', 'cloudflare'],
  ['helicone.ai', 'helicone'],
  ['hconeai.com', 'helicone'],
  ['portkey.ai', 'portkey'],
  ['cloud.databricks.com', 'databricks'],
  ['gcp.databricks.com', 'databricks'],
  ['azuredatabricks.net', 'databricks'],
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
  ['huggingface.cloud', 'huggingface'],
  ['deepinfra.com', 'deepinfra'],
  ['moonshot.ai', 'moonshot'],
  ['moonshot.cn', 'moonshot'],
  ['z.ai', 'zai'],
  ['bigmodel.cn', 'zai'],
  ['dashscope.aliyuncs.com', 'dashscope'],
  ['dashscope-*.aliyuncs.com', 'dashscope'],
  ['sambanova.ai', 'sambanova'],
  ['novita.ai', 'novita'],
  ['minimax.io', 'minimax'],
  ['minimax.chat', 'minimax'],
  ['minimaxi.com', 'minimax'],
  ['siliconflow.cn', 'siliconflow'],
  ['siliconflow.com', 'siliconflow'],
  ['nebius.com', 'nebius'],
  ['nebius.ai', 'nebius'],
  ['hyperbolic.xyz', 'hyperbolic'],
  ['baseten.co', 'baseten'],
  ['replicate.com', 'replicate'],
  ['ai21.com', 'ai21'],
  ['voyageai.com', 'voyage'],
  ['jina.ai', 'jina'],
  ['upstage.ai', 'upstage'],
  ['friendli.ai', 'friendli'],
  ['volces.com', 'volcengine'],
  ['baidubce.com', 'baidu'],
  ['hunyuan.cloud.tencent.com', 'tencent'],
  ['watsonx.ai', 'watsonx'],
  ['*.ml.cloud.ibm.com', 'watsonx'],
  ['*:11434', 'ollama'],
  ['localhost:1234', 'lmstudio'],
  ['localhost:8000', 'vllm'],
];

/** Names of the machine itself, also as seen from a container on it. They match entries of `localhost`. */
const LOCAL: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', '0.0.0.0', 'host.docker.internal']);

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

function matchesHost({ hostname, port }: URL, wanted: string): boolean {
  const [ending, wantedPort] = /:(\d+)$/.exec(wanted) ?? [];
  if (wantedPort !== undefined && wantedPort !== port) return false;
  const host = ending === undefined ? wanted : wanted.slice(0, -ending.length);
  if (host === '*') return true;
  const name = host === 'localhost' && LOCAL.has(hostname) ? host : hostname;
  return matchesName(name.split('.'), host.split('.'));
}

/** Whether the last parts of a name match the wanted parts. */
function matchesName(parts: readonly string[], wanted: readonly string[]): boolean {
  const subdomains = parts.length - wanted.length;
  return subdomains >= 0 && wanted.every((want, at) => matchesPart(parts[subdomains + at] as string, want));
}

function matchesPart(part: string, wanted: string): boolean {
  const star = wanted.indexOf('*');
  if (star < 0) return part === wanted;
  const [before, after] = [wanted.slice(0, star), wanted.slice(star + 1)];
  return part.length >= wanted.length && part.startsWith(before) && part.endsWith(after);
}

/** Names that frameworks use, where they differ from the label's values. */
const BY_NAME: ReadonlyMap<string, string> = new Map([
  ['google_genai', 'google'],
  ['google_generative_ai', 'google'],
  ['gemini', 'google'],
  ['google_vertexai', 'vertex'],
  ['google_vertex', 'vertex'],
  ['amazon_bedrock', 'bedrock'],
  ['aws_bedrock', 'bedrock'],
  ['bedrock_converse', 'bedrock'],
  ['azure_openai', 'azure'],
  ['azure_ai', 'azure'],
  ['mistralai', 'mistral'],
  ['togetherai', 'together'],
  ['chat_ollama', 'ollama'],
]);

/** The label value for a framework's provider name: `openai` for `openai.responses`, `vertex` for `google.vertex.chat`. */
export function normalizeProviderName(given: string): string {
  const [maker = '', part] = given.split('.');
  return part === 'vertex' ? part : (BY_NAME.get(maker.toLowerCase().replaceAll('-', '_')) ?? maker);
}
