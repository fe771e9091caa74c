/**
 * Reads the usage that an answer reports: tokens, the provider's own cost, the service tier and the calls of tools that
 * the provider runs. All integrations use this module. To teach it another API, gateway or framework, add a path to a
 * table below, and a row to `__test__/instrumentation/usage.json`.
 */
import { isAmount, toAmount } from '../collectors/amount';
import { OTHER } from '../collectors/label-values';
import type { LlmUsage, ModelUsage } from '../collectors/llm/request';
import { read, readText } from '../read';

/** What an answer reports beside its text. */
export interface ReportedUsage extends LlmUsage {
  /** The cost in US dollars, if the provider reports one. */
  providerCostUsd?: number | undefined;
  /** `flex`, `priority`, `batch`, `fast`; undefined for the usual tier. */
  serviceTier?: string | undefined;
  /** How often the provider ran its tools: `{ web_search: 2 }`. */
  serverToolCalls?: Readonly<Record<string, number>> | undefined;
  /** Tokens of other models that took part: Anthropic's advisor. */
  otherModels?: readonly ModelUsage[] | undefined;
}

/** A field of an object: its name, and the names within it. */
type Path = readonly string[];

const paths = (...names: readonly string[]): readonly Path[] => names.map((name) => name.split('.'));

/** The places of the usage in an answer or a chunk. */
const PLACES = paths(
  'usage', // OpenAI, Anthropic and most others
  'usageMetadata', // Gemini
  'response.usage', // events of the Responses API
  'message.usage', // Anthropic's first event
  'x_groq.usage', // Groq's last chunk
  'choices.0.usage', // Moonshot's last chunk
  'meta.tokens', // Cohere
  'metadata.usage', // Bedrock's last event
);

/** The names of each figure. The first that is a number counts. */
const TOKENS = {
  input: paths(
    'prompt_tokens',
    'input_tokens',
    'promptTokenCount',
    'inputTokens',
    'inputTokens.total',
    'promptTokens',
    'tokens.input_tokens',
    'prompt_eval_count',
  ),
  output: paths(
    'completion_tokens',
    'output_tokens',
    'outputTokens',
    'outputTokens.total',
    'completionTokens',
    'tokens.output_tokens',
    'eval_count',
  ),
  total: paths('total_tokens', 'totalTokenCount', 'totalTokens'),
  cacheRead: paths(
    'prompt_tokens_details.cached_tokens',
    'input_tokens_details.cached_tokens',
    'cache_read_input_tokens',
    'input_token_details.cache_read',
    'input_token_details.cached_tokens',
    'cachedContentTokenCount',
    'inputTokens.cacheRead',
    'inputTokenDetails.cacheReadTokens',
    'inputDetails.cacheRead',
    'cachedInputTokens',
    'cacheReadInputTokens',
    'prompt_cache_hit_tokens', // DeepSeek
    'cached_tokens', // Moonshot, Together
  ),
  cacheWrite: paths(
    'prompt_tokens_details.cache_write_tokens',
    'input_tokens_details.cache_write_tokens',
    'cache_creation_input_tokens',
    'input_token_details.cache_creation',
    'inputTokens.cacheWrite',
    'inputTokenDetails.cacheWriteTokens',
    'inputDetails.cacheWrite',
    'cacheWriteInputTokens',
    'prompt_tokens_details.cache_creation_input_tokens',
  ),
  cacheWriteLong: paths(
    'cache_creation.ephemeral_1h_input_tokens',
    'input_token_details.ephemeral_1h_input_tokens',
    'prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens',
  ),
  reasoning: paths(
    'completion_tokens_details.reasoning_tokens',
    'output_tokens_details.reasoning_tokens',
    'output_tokens_details.thinking_tokens',
    'output_token_details.reasoning',
    'outputTokens.reasoning',
    'outputTokenDetails.reasoningTokens',
    'outputDetails.reasoning',
    'reasoningTokens',
    'reasoning_tokens', // Perplexity
    'thoughtsTokenCount',
  ),
  audioInput: paths(
    'prompt_tokens_details.audio_tokens',
    'input_tokens_details.audio_tokens',
    'input_token_details.audio_tokens',
    'input_token_details.audio',
    'inputDetails.audio',
  ),
  audioOutput: paths(
    'completion_tokens_details.audio_tokens',
    'output_tokens_details.audio_tokens',
    'output_token_details.audio',
    'outputDetails.audio',
  ),
  imageInput: paths(
    'prompt_tokens_details.image_tokens',
    'input_tokens_details.image_tokens',
    'input_token_details.image_tokens',
    'input_token_details.image',
    'inputDetails.image',
  ),
  imageOutput: paths(
    'completion_tokens_details.image_tokens',
    'output_tokens_details.image_tokens',
    'output_token_details.image',
    'outputDetails.image',
  ),
} as const;

/** The cost in US dollars. OpenRouter adds what the upstream provider bills to an account of the caller's. */
const COST = paths('cost', 'cost.total_cost', 'costUsd');
const UPSTREAM_COST = 'cost_details.upstream_inference_cost'.split('.');

/** xAI reports a cost in units of a ten thousand millionth of a dollar. */
const TICKS_PER_DOLLAR = 1e10;

const SERVER_TOOLS: readonly (readonly [tool: string, counts: readonly Path[]])[] = [
  ['web_search', paths('server_tool_use.web_search_requests', 'num_search_queries', 'web_search_requests')],
  ['web_fetch', paths('server_tool_use.web_fetch_requests')],
];

/** Tiers under which a provider bills its usual price. */
const USUAL_TIERS: ReadonlySet<string> = new Set(['default', 'standard', 'auto', 'on_demand', 'scale']);

/** The usage in an answer, a chunk or an event; undefined if it holds none. */
export function findUsage(answer: unknown): unknown {
  for (const place of PLACES) {
    const usage = follow(answer, place);
    if (typeof usage === 'object' && usage !== null) return usage;
  }
  // Ollama puts the counts beside the answer.
  return typeof read(answer, 'eval_count') === 'number' ? answer : undefined;
}

/** Reads a usage object of any known dialect. A figure that it does not have stays undefined, which is not 0. */
export function readUsage(usage: unknown): ReportedUsage {
  if (typeof usage !== 'object' || usage === null) return {};
  const tokens = settle(usage, readTokens(usage));
  for (const iteration of iterationsOf(usage, 'compaction')) add(tokens, settle(iteration, readTokens(iteration)));
  return {
    ...toUsage(tokens),
    providerCostUsd: readCost(usage),
    serviceTier: readTier(usage),
    serverToolCalls: readServerTools(usage),
    otherModels: readOtherModels(usage),
  };
}

function toUsage(tokens: Tokens): LlmUsage {
  return {
    inputTokens: tokens.input,
    outputTokens: tokens.output,
    cacheReadTokens: tokens.cacheRead,
    cacheWriteTokens: tokens.cacheWrite,
    cacheWriteLongTokens: tokens.cacheWriteLong,
    reasoningTokens: tokens.reasoning,
    audioInputTokens: tokens.audioInput,
    audioOutputTokens: tokens.audioOutput,
    imageInputTokens: tokens.imageInput,
    imageOutputTokens: tokens.imageOutput,
  };
}

type Tokens = { -readonly [name in keyof typeof TOKENS]?: number | undefined };

const NAMES = Object.keys(TOKENS) as (keyof typeof TOKENS)[];

function readTokens(usage: object): Tokens {
  const tokens: Tokens = {};
  for (const name of NAMES) tokens[name] = readAmount(usage, TOKENS[name]);
  return tokens;
}

/** Makes `input` and `output` the whole of their details in every dialect. */
function settle(usage: object, tokens: Tokens): Tokens {
  if (read(usage, 'promptTokenCount') !== undefined || read(usage, 'candidatesTokenCount') !== undefined) {
    readGemini(usage, tokens);
  }
  const { total, cacheRead = 0, cacheWrite = 0 } = tokens;
  if (tokens.input !== undefined && excludesCache(usage)) {
    const whole = tokens.input + cacheRead + cacheWrite;
    // A gateway may use Anthropic's names for counts that include the cache; then only the total tells.
    if (total === undefined || tokens.input + (tokens.output ?? 0) !== total) tokens.input = whole;
  }
  if (total !== undefined) {
    tokens.input ??= tokens.output === undefined ? undefined : Math.max(0, total - tokens.output);
    if (tokens.input !== undefined) tokens.output = Math.max(tokens.output ?? 0, total - tokens.input);
  } else if (tokens.output !== undefined && (tokens.reasoning ?? 0) > tokens.output) {
    // A part cannot be larger than its whole, so the reasoning is not in the reported output.
    tokens.output += tokens.reasoning ?? 0;
  }
  return tokens;
}

/** True for the dialects whose input leaves out the tokens of the cache: Anthropic's and Bedrock's. */
function excludesCache(usage: object): boolean {
  const anthropic = isAmount(read(usage, 'input_tokens')) && !isAmount(read(usage, 'prompt_tokens'));
  if (anthropic) return 'cache_read_input_tokens' in usage || 'cache_creation_input_tokens' in usage;
  return 'cacheReadInputTokens' in usage || 'cacheWriteInputTokens' in usage;
}

/** Gemini counts prompts of tools and thoughts apart, and details by modality in lists. */
function readGemini(usage: object, tokens: Tokens): void {
  const candidates = toAmount(read(usage, 'candidatesTokenCount'));
  tokens.input = plus(tokens.input, toAmount(read(usage, 'toolUsePromptTokenCount')));
  tokens.output = plus(candidates, tokens.reasoning);
  const prompt = read(usage, 'promptTokensDetails');
  const answer = read(usage, 'candidatesTokensDetails');
  tokens.audioInput = modality(prompt, 'AUDIO');
  tokens.imageInput = modality(prompt, 'IMAGE');
  tokens.audioOutput = modality(answer, 'AUDIO');
  tokens.imageOutput = modality(answer, 'IMAGE');
}

function modality(details: unknown, wanted: string): number | undefined {
  if (!Array.isArray(details)) return undefined;
  return toAmount(
    read(
      details.find((detail) => read(detail, 'modality') === wanted),
      'tokenCount',
    ),
  );
}

/**
 * Anthropic's sub-requests of one kind. Compactions of a context and calls of an advisor are billed, but are not a part of the
 * usage beside them.
 */
function iterationsOf(usage: object, type: string): readonly object[] {
  const iterations = read(usage, 'iterations');
  return Array.isArray(iterations) ? iterations.filter((entry) => read(entry, 'type') === type) : [];
}

/** The advisor is another model with a price of its own. */
function readOtherModels(usage: object): readonly ModelUsage[] | undefined {
  const advisors = iterationsOf(usage, 'advisor_message');
  if (advisors.length === 0) return undefined;
  return advisors.map((advisor) => ({
    model: readText(advisor, 'model') ?? OTHER,
    ...toUsage(settle(advisor, readTokens(advisor))),
  }));
}

function add(to: Tokens, more: Tokens): void {
  for (const name of NAMES) to[name] = plus(to[name], more[name]);
}

function readCost(usage: object): number | undefined {
  const cost = readAmount(usage, COST);
  if (cost !== undefined) {
    const upstream = read(usage, 'is_byok') === true ? toAmount(follow(usage, UPSTREAM_COST)) : undefined;
    return cost + (upstream ?? 0);
  }
  const ticks = toAmount(read(usage, 'cost_in_usd_ticks'));
  return ticks === undefined ? undefined : ticks / TICKS_PER_DOLLAR;
}

function readTier(usage: object): string | undefined {
  if (read(usage, 'speed') === 'fast') return 'fast';
  return toTier(read(usage, 'service_tier'));
}

/** The tier that an answer names; undefined for the usual one. */
export function toTier(named: unknown): string | undefined {
  return typeof named === 'string' && named !== '' && !USUAL_TIERS.has(named) ? named : undefined;
}

/** The tier of an answer: on the answer itself, or within its usage. */
export function findTier(answer: unknown): string | undefined {
  return toTier(readText(answer, 'service_tier') ?? readText(read(answer, 'response'), 'service_tier'));
}

function readServerTools(usage: object): Readonly<Record<string, number>> | undefined {
  let calls: Record<string, number> | undefined;
  for (const [tool, places] of SERVER_TOOLS) {
    const count = readAmount(usage, places);
    if (count === undefined || count === 0) continue;
    calls ??= {};
    calls[tool] = count;
  }
  return calls;
}

function readAmount(from: unknown, places: readonly Path[]): number | undefined {
  for (const place of places) {
    const value = follow(from, place);
    if (isAmount(value)) return value;
  }
  return undefined;
}

function follow(from: unknown, path: Path): unknown {
  let at = from;
  for (const name of path) {
    at = read(at, name);
    if (at === undefined || at === null) return undefined;
  }
  return at;
}

/** The sum of the reported counts; undefined, not 0, if neither was reported. */
function plus(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined && other === undefined ? undefined : (one ?? 0) + (other ?? 0);
}

/** Reads everything that an answer, or the last chunk or event of a stream, reports about usage. */
export function readAnswerUsage(answer: unknown): ReportedUsage & { responseModel?: string | undefined } {
  const usage = readUsage(findUsage(answer));
  return { ...usage, serviceTier: usage.serviceTier ?? findTier(answer), responseModel: readText(answer, 'model') };
}
