/**
 * Reads a model's answer from LangChain's events: chunks, tokens, finish reason. LangChain adds up the usage of a stream's
 * chunks, also where a provider reports running totals; this module knows where.
 */
import type { LlmCall } from '../../collectors/llm/call';
import type { LlmEnd } from '../../collectors/llm/request';
import type { LlmErrorType } from '../../collectors/words';
import { read, readNumber, readText } from '../../read';
import { parseFinishReason } from '../finish-reason';
import { findUsage, type ReportedUsage, readUsage } from '../usage';

/** The answer to one request. */
export class ModelAnswer {
  readonly #call: LlmCall | undefined;
  readonly #provider: string | undefined;
  /** Events without the chunk that they are about. */
  #bareTokens = 0;
  #hasPending = false;
  /** Output tokens of the chunks' usages: their sum, and the last one. */
  #outputSum = 0;
  #outputLast = 0;

  constructor(call: LlmCall | undefined, metadata: unknown) {
    this.#call = call;
    this.#provider = readText(metadata, 'ls_provider');
  }

  /** A token has come, with the chunk that holds it. */
  token(token: unknown, chunk: unknown): void {
    if (chunk === undefined || chunk === null) this.#bareToken(token);
    else this.#chunk(token, chunk);
  }

  #chunk(token: unknown, chunk: unknown): void {
    this.#call?.chunk(hasContent(token, chunk));
    const output = readNumber(read(read(chunk, 'message'), 'usage_metadata'), 'output_tokens') ?? 0;
    this.#outputSum += output;
    if (output > 0) this.#outputLast = output;
  }

  /**
   * Some classes report a whole answer as if it were one token. So a token without a chunk counts when a second one comes, and
   * a single one makes no stream.
   */
  #bareToken(token: unknown): void {
    this.#bareTokens++;
    if (this.#bareTokens === 1) {
      this.#hasPending = hasContent(token, undefined);
      return;
    }
    if (this.#bareTokens === 2) this.#call?.chunk(this.#hasPending);
    this.#call?.chunk(hasContent(token, undefined));
  }

  /** Reads how the run ended, from the result's first answer. Each answer holds the usage of all of them. */
  readEnd(result: unknown): LlmEnd {
    const generation = read(read(read(result, 'generations'), '0'), '0');
    const message = read(generation, 'message');
    const info = read(generation, 'generationInfo');
    const answer = read(message, 'response_metadata');
    const reason = [info, answer, read(message, 'additional_kwargs')]
      .flatMap((from) =>
        ['finish_reason', 'stop_reason', 'finishReason', 'stopReason'].map((name) => readText(from, name)),
      )
      .find((text) => text !== undefined);
    const end = readTokens(message, answer, result);
    this.#correct(end);
    end.responseModel = readText(answer, 'model_name') ?? readText(answer, 'model');
    end.finishReason = parseFinishReason(reason ?? readStatus(answer, message));
    return end;
  }

  /** The failure that a result without an error reports; undefined for an answer. */
  readFailure(result: unknown): LlmErrorType | undefined {
    const generations = read(read(result, 'generations'), '0');
    // The package found no choice in the body: it was an error with status 200, of which LangChain keeps nothing.
    if (Array.isArray(generations) && generations.length === 0) return 'invalid_response';
    const info = read(read(generations, '0'), 'generationInfo');
    return read(info, 'finish_reason') === 'error' ? 'server_error' : undefined;
  }

  #correct(end: ReportedUsage): void {
    const { outputTokens, cacheReadTokens } = end;
    // Anthropic's last usage has all output tokens, those of the first usage included.
    if (this.#provider === 'anthropic' && outputTokens === this.#outputSum && this.#outputSum > 0) {
      end.outputTokens = this.#outputLast;
    }
    // Each chunk of Gemini's names all cached tokens again.
    const chunks = this.#bareTokens;
    if (this.#provider === 'google_genai' && chunks > 1 && (cacheReadTokens ?? 0) % chunks === 0) {
      end.cacheReadTokens = (cacheReadTokens ?? 0) / chunks;
    }
  }
}

/** The Responses API reports a status instead of a reason. A completed response may still call tools. */
function readStatus(answer: unknown, message: unknown): string | undefined {
  const status = readText(answer, 'status');
  if (status === 'incomplete') return readText(read(answer, 'incomplete_details'), 'reason');
  return status === 'completed' && Number(read(read(message, 'tool_calls'), 'length')) > 0 ? 'tool_calls' : status;
}

/**
 * The message's usage, completed by what only the answer's own usage tells, such as Groq's details; of text models, the
 * totals.
 */
function readTokens(message: unknown, answer: unknown, result: unknown): ReportedUsage {
  const tokens = readUsage(read(message, 'usage_metadata')) as ReportedUsage & Record<string, unknown>;
  const usages = [
    read(read(answer, 'x_groq'), 'usage'),
    findUsage(answer),
    read(answer, 'tokenUsage'),
    read(read(result, 'llmOutput'), 'tokenUsage'),
  ];
  for (const usage of usages) {
    for (const [name, value] of Object.entries(readUsage(usage))) tokens[name] ??= value;
  }
  return tokens;
}

/** True if a chunk holds some of the answer. The first chunk holds only a role. */
function hasContent(token: unknown, chunk: unknown): boolean {
  if (typeof token === 'string' && token !== '') return true;
  const message = read(chunk, 'message');
  const content = read(message, 'content');
  if (Array.isArray(content) && content.length > 0) return true;
  return Number(read(read(message, 'tool_call_chunks'), 'length')) > 0;
}
