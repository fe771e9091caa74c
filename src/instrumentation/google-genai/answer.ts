/**
 * Reads answers of Gemini's API: tokens, finish reason, whether a chunk has content, and the error type of a failed request.
 * Records nothing.
 */
import { abortTypeOf, errorTypeOf } from '../../collectors/error-type';
import type { LlmEnd } from '../../collectors/llm/request';
import type { FinishReason } from '../../collectors/words';
import { read, readText } from '../../read';
import { parseFinishReason } from '../finish-reason';
import { mergeUsage, readUsage } from '../usage';
import type { ContentResponseLike, EmbedResponseLike, PartLike, RequestLike } from './shapes';

/** Collects an answer, whole or chunk by chunk, and tells how it ended. Each chunk reports the usage so far. */
export class Answer {
  #usage: unknown;
  #model: string | undefined;
  #thought = false;
  #reason: string | undefined;
  #blocked = false;
  #calls = false;
  #images = 0;

  /** Adds an answer or a chunk. @returns true if it holds content */
  add({ candidates, promptFeedback, usageMetadata, modelVersion }: ContentResponseLike): boolean {
    const [first] = candidates ?? [];
    const parts = (first?.content?.parts ?? []).filter((part) => typeof part === 'object' && part !== null);
    this.#usage = mergeUsage(this.#usage, usageMetadata);
    this.#model ??= modelVersion;
    this.#reason = first?.finishReason ?? this.#reason;
    this.#thought ||= parts.some(({ thought }) => thought === true);
    this.#blocked ||= promptFeedback?.blockReason !== undefined;
    this.#calls ||= parts.some(({ functionCall }) => functionCall !== undefined);
    this.#images += parts.filter(({ inlineData }) => inlineData?.mimeType?.startsWith('image/')).length;
    return parts.some(hasContent);
  }

  end(): LlmEnd {
    const end = readUsage(this.#usage);
    end.finishReason = this.#finishReason();
    end.responseModel = this.#model;
    if (this.#thought) end.visibleTokens = end.outputTokens;
    if (this.#images > 0) end.media = { unit: 'images', amount: this.#images };
    return end;
  }

  #finishReason(): FinishReason | undefined {
    // A blocked prompt has no candidates, and the SDK does not throw for it.
    if (this.#reason === undefined) return this.#blocked ? 'content_filter' : undefined;
    const reason = parseFinishReason(this.#reason);
    return reason === 'stop' && this.#calls ? 'tool_calls' : reason;
  }
}

/** Embeddings have no output tokens. Vertex reports the input tokens of each embedding instead of their total. */
export function readEmbeddingEnd({ usageMetadata, embeddings = [] }: EmbedResponseLike): LlmEnd {
  if (usageMetadata !== undefined) return readUsage(usageMetadata);
  const counted = embeddings.map(({ statistics }) => statistics?.tokenCount).filter((count) => count !== undefined);
  return counted.length === 0 ? {} : { inputTokens: counted.reduce((sum, count) => sum + count, 0) };
}

function hasContent({ text, functionCall, inlineData, executableCode }: PartLike): boolean {
  return (
    (text !== undefined && text !== '') ||
    functionCall !== undefined ||
    inlineData !== undefined ||
    executableCode !== undefined
  );
}

const STATUS = /^got status: (\d{3})/;

/**
 * The error type of a failed request. The SDK's own timeout looks like the caller's abort.
 *
 * @param status of the last answer, if one came
 */
export function classifyError(error: unknown, { config }: RequestLike, status = 0): string {
  const type = errorTypeOf(error);
  // The SDK's own timeout throws the same error as the caller's abort, without a reason. Only the caller's signal tells
  // which one it was.
  if (type === 'cancelled' && read(error, 'name') === 'AbortError') {
    return config?.abortSignal?.aborted === true ? abortTypeOf(config.abortSignal.reason) : 'timeout';
  }
  const isUnread = read(error, 'name') === 'SyntaxError';
  // The first versions of the SDK tell the status only in the text.
  const [, told = status] = STATUS.exec(readText(error, 'message') ?? '') ?? [];
  // The SDK's own error is lost if the body of a failed answer is not JSON.
  if (Number(told) >= 400 && (isUnread || type === 'other')) return errorTypeOf({ status: Number(told) });
  return isUnread ? 'invalid_response' : type;
}
