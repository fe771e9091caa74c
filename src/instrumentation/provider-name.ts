/**
 * Maps the provider names that frameworks use to the values of the `provider` label.
 */
const NAMES: ReadonlyMap<string, string> = new Map([
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
  return part === 'vertex' ? part : (NAMES.get(maker.toLowerCase().replaceAll('-', '_')) ?? maker);
}
