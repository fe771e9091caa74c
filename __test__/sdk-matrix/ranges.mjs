// The versions of SDKs and frameworks that are supported: for each, the oldest and the newest of every major version, and the
// program that must record the same lines with all of them. The pages of docs/integrations name the same ranges.

/** `versions` are what npm is asked for; each entry lists the packages of one installation. */
export const RANGES = [
  {
    name: 'openai',
    page: 'openai',
    versions: versions('openai', '4.20.0', '4', '5.0.0', '5', '6.0.0', '6', '7.0.0', '7'),
  },
  {
    name: 'anthropic',
    page: 'anthropic',
    versions: versions('@anthropic-ai/sdk', '0.18.0', '0', '1.0.0', '1'),
  },
  {
    name: 'google-genai',
    page: 'google-genai',
    versions: versions('@google/genai', '1.0.0', '1', '2.0.0', '2', '3.1.0', '3'),
  },
  {
    name: 'ai-middleware',
    page: 'ai-sdk',
    versions: versions('ai', '5.0.0', '5', '6.0.0', '6', '7.0.0', '7').map((packages) => [...packages, 'zod@4']),
  },
  {
    name: 'ai-telemetry',
    page: 'ai-sdk',
    versions: versions('ai', '7.0.0', '7').map((packages) => [...packages, 'zod@4']),
  },
  { name: 'mcp-1', page: 'mcp', versions: versions('@modelcontextprotocol/sdk', '1.0.0', '1') },
  {
    name: 'mcp-2',
    page: 'mcp',
    versions: ['2.0.0', '2'].map((version) => [
      `@modelcontextprotocol/client@${version}`,
      `@modelcontextprotocol/server@${version}`,
    ]),
  },
  {
    name: 'langchain',
    page: 'langchain',
    versions: [
      ['@langchain/core@0.3.68', '@langchain/openai@0.6.1'],
      ['@langchain/core@0.3', '@langchain/openai@0.6'],
      ['@langchain/core@1.0.0', '@langchain/openai@1.0.0'],
      ['@langchain/core@1', '@langchain/openai@1'],
    ],
  },
  {
    name: 'openai-agents',
    page: 'openai-agents',
    versions: [
      ['@openai/agents@0.1.0', 'zod@3'],
      ['@openai/agents@0', 'zod@4'],
    ],
  },
  {
    name: 'mastra',
    page: 'mastra',
    versions: [
      ['@mastra/core@1.71.0', '@mastra/observability@1.17.9', 'zod@4'],
      ['@mastra/core@1', '@mastra/observability@1', 'zod@4'],
    ],
  },
];

function versions(name, ...wanted) {
  return wanted.map((version) => [`${name}@${version}`]);
}
