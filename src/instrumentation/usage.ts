/**
 * Reads the usage that an answer reports: tokens, the provider's own cost, the service tier and the calls of tools that
 * the provider runs. All integrations use this module. To teach it another API, gateway or framework, add a path to a
 * table below, and a row to `__test__/instrumentation/usage.json`.
 */
import { isAmount } from '../collectors/amount';
import { OTHER } from '../collectors/label-values';
import type { LlmEnd, LlmUsage, ModelUsage } from '../collectors/llm/request';
import { read, readText } from '../read';

/**
 * What an answer reports beside its text. The caller may set further fields of the object. It has all of them from the start:
 * a copy with `{ ...usage, more }` takes microseconds in Node.js 20.
 */
export type ReportedUsage = {
  -readonly [field in keyof Required<LlmEnd>]: field extends keyof LlmUsage ? number | undefined : LlmEnd[field];
};

/** While it is read. */
interface Reading extends ReportedUsage {
  /** Settles doubts about the parts. */
  total: number | undefined;
  /** Set if the usage tells more than tokens. */
  tellsMore: true | undefined;
}

/** A field of an object: its name, and the names within it. */
type Path = readonly string[];

const paths = (...names: readonly string[]): readonly Path[] => names.map((name) => name.split('.'));

/** The places of the usage in an answer or a chunk. The first that holds an object counts. */
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

/** The names of each figure. The first that is a number above 0 counts, because gateways write 0 under names that they do not use. */
const TOKENS = {
  inputTokens: paths(
    'prompt_tokens',
    'input_tokens',
    'promptTokenCount',
    'inputTokens',
    'inputTokens.total',
    'promptTokens',
    'tokens.input_tokens',
    'prompt_eval_count',
  ),
  outputTokens: paths(
    'completion_tokens',
    'output_tokens',
    'outputTokens',
    'outputTokens.total',
    'completionTokens',
    'tokens.output_tokens',
    'eval_count',
  ),
  total: paths('total_tokens', 'totalTokenCount', 'totalTokens'),
  cacheReadTokens: paths(
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
  cacheWriteTokens: paths(
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
  cacheWriteLongTokens: paths(
    'cache_creation.ephemeral_1h_input_tokens',
    'input_token_details.ephemeral_1h_input_tokens',
    'prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens',
  ),
  reasoningTokens: paths(
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
  audioInputTokens: paths(
    'prompt_tokens_details.audio_tokens',
    'input_tokens_details.audio_tokens',
    'input_token_details.audio_tokens',
    'input_token_details.audio',
    'inputDetails.audio',
  ),
  audioOutputTokens: paths(
    'completion_tokens_details.audio_tokens',
    'output_tokens_details.audio_tokens',
    'output_token_details.audio',
    'outputDetails.audio',
  ),
  imageInputTokens: paths(
    'prompt_tokens_details.image_tokens',
    'input_tokens_details.image_tokens',
    'input_token_details.image_tokens',
    'input_token_details.image',
    'inputDetails.image',
  ),
  imageOutputTokens: paths(
    'completion_tokens_details.image_tokens',
    'output_tokens_details.image_tokens',
    'output_token_details.image',
    'outputDetails.image',
  ),
} as const;

/** In US dollars. */
const COST = paths('cost', 'cost.total_cost', 'costUsd');
/** OpenRouter reports what the upstream provider bills to an account of the caller's. */
const UPSTREAM_COST = 'cost_details.upstream_inference_cost'.split('.');

/** xAI reports a cost in units of a ten thousand millionth of a dollar. */
const TICKS_PER_DOLLAR = 1e10;

const SERVER_TOOLS: readonly (readonly [tool: string, counts: readonly Path[]])[] = [
  ['web_search', paths('server_tool_use.web_search_requests', 'num_search_queries', 'web_search_requests')],
  ['web_fetch', paths('server_tool_use.web_fetch_requests')],
];

/** Further names that tell more than tokens. */
const MORE = paths('cost_in_usd_ticks', 'service_tier', 'speed', 'iterations');

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

/**
 * Adds a later report of the usage so far to an earlier one. An amount never falls during an answer, so the larger one counts:
 * some servers end a stream with a report of zeros, or tell input and output in different chunks.
 */
export function mergeUsage(earlier: unknown, later: unknown): unknown {
  if (!isPlain(later)) return later ?? earlier;
  if (!isPlain(earlier)) return later;
  const merged: Record<string, unknown> = { ...earlier };
  for (const [name, value] of Object.entries(later)) {
    const before = merged[name];
    if (isPlain(value)) merged[name] = mergeUsage(before, value);
    else if (!isCount(before) || (isCount(value) && value > before)) merged[name] = value ?? before;
  }
  return merged;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads a usage object of any known dialect. A figure that it does not have stays undefined, which is not 0. */
export function readUsage(usage: unknown): ReportedUsage {
  if (typeof usage !== 'object' || usage === null) return noUsage();
  const end = readTokens(usage);
  if (end.tellsMore === undefined) return end;
  end.tellsMore = undefined;
  for (const iteration of iterationsOf(usage, 'compaction')) add(end, readTokens(iteration));
  end.providerCostUsd = readCost(usage);
  end.serviceTier = readTier(usage);
  end.serverToolCalls = readServerTools(usage);
  end.otherModels = readOtherModels(usage);
  return end;
}

type Figure = keyof typeof TOKENS;

const FIGURES = Object.keys(TOKENS) as Figure[];

/** A usage before anything was read. */
function noUsage(): Reading {
  return {
    inputTokens: undefined,
    outputTokens: undefined,
    total: undefined,
    tellsMore: undefined,
    cacheReadTokens: undefined,
    cacheWriteTokens: undefined,
    cacheWriteLongTokens: undefined,
    reasoningTokens: undefined,
    audioInputTokens: undefined,
    audioOutputTokens: undefined,
    imageInputTokens: undefined,
    imageOutputTokens: undefined,
    finishReason: undefined,
    costUsd: undefined,
    providerCostUsd: undefined,
    serviceTier: undefined,
    serverToolCalls: undefined,
    media: undefined,
    otherModels: undefined,
    usageFollows: undefined,
    responseModel: undefined,
    visibleTokens: undefined,
  };
}

/** A name in a usage: the figure that it is, and the names within it. */
interface Field {
  figure?: Figure;
  within?: Map<string, Field>;
  /** True for a name that tells more than tokens. */
  more?: boolean;
}

/** `TOKENS` by names. A usage has few fields, so looking each of them up takes a fifth of the time of trying each path. */
const FIELDS = new Map<string, Field>();
for (const figure of FIGURES) for (const path of TOKENS[figure]) enter(FIELDS, path, figure);
for (const [name = ''] of [...COST, ...SERVER_TOOLS.flatMap(([, counts]) => counts), ...MORE]) {
  FIELDS.set(name, { ...FIELDS.get(name), more: true });
}

function enter(fields: Map<string, Field>, [name = '', ...rest]: Path, figure: Figure): void {
  const field = fields.get(name) ?? {};
  fields.set(name, field);
  if (rest.length === 0) {
    field.figure = figure;
    return;
  }
  field.within ??= new Map();
  enter(field.within, rest, figure);
}

function readTokens(usage: object): Reading {
  const tokens = noUsage();
  collect(usage, FIELDS, tokens, usage);
  settle(usage, tokens);
  tokens.total = undefined;
  return tokens;
}

/** @param usage the whole, of which `from` is a part */
function collect(from: object, fields: ReadonlyMap<string, Field>, tokens: Reading, usage: object): void {
  for (const name in from) {
    const field = fields.get(name);
    if (field === undefined) continue;
    const { figure, within, more } = field;
    if (more === true) tokens.tellsMore = true;
    const value = read(from, name);
    if (figure !== undefined && isCount(value)) {
      // A usage may tell a figure twice; then the order of the table decides.
      tokens[figure] =
        (tokens[figure] ?? 0) === 0 ? value : value === 0 ? tokens[figure] : readAmount(usage, TOKENS[figure]);
    } else if (within !== undefined && typeof value === 'object' && value !== null) {
      collect(value, within, tokens, usage);
    }
  }
}

/** Makes `input` and `output` the whole of their details in every dialect. */
function settle(usage: object, tokens: Reading): void {
  if (read(usage, 'promptTokenCount') !== undefined || read(usage, 'candidatesTokenCount') !== undefined) {
    readGemini(usage, tokens);
  }
  const { total, cacheReadTokens = 0, cacheWriteTokens = 0 } = tokens;
  const cached = cacheReadTokens + cacheWriteTokens;
  if (tokens.inputTokens !== undefined && cached > 0 && excludesCache(usage)) {
    const whole = tokens.inputTokens + cached;
    // A gateway may use Anthropic's names for counts that include the cache; then only the total tells.
    if (total === undefined || tokens.inputTokens + (tokens.outputTokens ?? 0) !== total) tokens.inputTokens = whole;
  }
  if (total !== undefined) {
    tokens.inputTokens ??= tokens.outputTokens === undefined ? undefined : Math.max(0, total - tokens.outputTokens);
    if (tokens.inputTokens !== undefined)
      tokens.outputTokens = Math.max(tokens.outputTokens ?? 0, total - tokens.inputTokens);
  } else if (tokens.outputTokens !== undefined && (tokens.reasoningTokens ?? 0) > tokens.outputTokens) {
    // A part cannot be larger than its whole, so the reasoning is not in the reported output.
    tokens.outputTokens += tokens.reasoningTokens ?? 0;
  }
}

/** True for the dialects whose input leaves out the tokens of the cache: Anthropic's and Bedrock's. */
function excludesCache(usage: object): boolean {
  const anthropic = isCount(read(usage, 'input_tokens')) && !isCount(read(usage, 'prompt_tokens'));
  if (anthropic) return 'cache_read_input_tokens' in usage || 'cache_creation_input_tokens' in usage;
  return 'cacheReadInputTokens' in usage || 'cacheWriteInputTokens' in usage;
}

/** Gemini counts prompts of tools and thoughts apart, and details by modality in lists. */
function readGemini(usage: object, tokens: Reading): void {
  const candidates = toCount(read(usage, 'candidatesTokenCount'));
  tokens.inputTokens = plus(tokens.inputTokens, toCount(read(usage, 'toolUsePromptTokenCount')));
  tokens.outputTokens = plus(candidates, tokens.reasoningTokens);
  const prompt = read(usage, 'promptTokensDetails');
  const answer = read(usage, 'candidatesTokensDetails');
  tokens.audioInputTokens = modality(prompt, 'AUDIO');
  tokens.imageInputTokens = modality(prompt, 'IMAGE');
  tokens.audioOutputTokens = modality(answer, 'AUDIO');
  tokens.imageOutputTokens = modality(answer, 'IMAGE');
}

function modality(details: unknown, wanted: string): number | undefined {
  if (!Array.isArray(details)) return undefined;
  return toCount(
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
    ...readTokens(advisor),
    tellsMore: undefined,
  }));
}

function add(to: Reading, more: Reading): void {
  for (const figure of FIGURES) to[figure] = plus(to[figure], more[figure]);
}

function readCost(usage: object): number | undefined {
  const cost = readAmount(usage, COST);
  if (cost !== undefined) {
    const upstream = read(usage, 'is_byok') === true ? toCount(follow(usage, UPSTREAM_COST)) : undefined;
    return cost + (upstream ?? 0);
  }
  const ticks = read(usage, 'cost_in_usd_ticks');
  return isAmount(ticks) ? ticks / TICKS_PER_DOLLAR : undefined;
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

/** The amount at the first of these places that has one above 0; 0 if a place has that and none has more. */
function readAmount(from: unknown, places: readonly Path[]): number | undefined {
  let found: number | undefined;
  for (const place of places) {
    const value = follow(from, place);
    if (!isCount(value)) continue;
    if (value > 0) return value;
    found = value;
  }
  return found;
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
export function readAnswerUsage(answer: unknown): ReportedUsage {
  const end = readUsage(findUsage(answer));
  end.serviceTier ??= findTier(answer);
  end.responseModel = readText(answer, 'model');
  return end;
}

/** More than any answer has. A counter that took 1e300 once would not rise any more. */
const COUNT_MAX = 1e12;

function isCount(value: unknown): value is number {
  return isAmount(value) && value <= COUNT_MAX;
}

function toCount(value: unknown): number | undefined {
  return isCount(value) ? value : undefined;
}
