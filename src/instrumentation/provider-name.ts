/**
 * Providers as labels show them, from the names that frameworks have for them.
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

/** A framework's name for a provider as labels show it: `openai` of `openai.responses`, `vertex` of `google.vertex.chat`. */
export function providerName(given: string): string {
  const [maker = '', part] = given.split('.');
  return part === 'vertex' ? part : (NAMES.get(maker.toLowerCase().replaceAll('-', '_')) ?? maker);
}
