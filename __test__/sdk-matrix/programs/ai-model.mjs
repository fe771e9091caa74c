// A model of the program's own, for each version of the SDK, which wants models of its own generation.

import { createRequire } from 'node:module';
import { ReadableStream } from 'node:stream/web';
import { APICallError } from 'ai';

const [major] = createRequire(import.meta.url)('ai/package.json').version.split('.');
const isOld = major === '5';
const finishReason = isOld ? 'stop' : { unified: 'stop', raw: 'stop' };
const usage = isOld
  ? { inputTokens: 10, outputTokens: 5, totalTokens: 15, cachedInputTokens: 4, reasoningTokens: 2 }
  : { inputTokens: { total: 10, cacheRead: 4 }, outputTokens: { total: 5, reasoning: 2 } };

/** Answers each of `answers` in turn: a text, or an error to throw. */
export function ownModel(...answers) {
  const next = () => {
    const answer = answers.shift();
    if (typeof answer !== 'string') throw answer;
    return answer;
  };
  return {
    specificationVersion: `v${major - 3}`,
    provider: 'openai.chat',
    modelId: 'gpt-4o-mini',
    supportedUrls: {},
    async doGenerate() {
      return { content: [{ type: 'text', text: next() }], finishReason, usage, warnings: [] };
    },
    async doStream() {
      const parts = [
        { type: 'stream-start', warnings: [] },
        { type: 'text-start', id: '1' },
        ...[...next()].map((delta) => ({ type: 'text-delta', id: '1', delta })),
        { type: 'text-end', id: '1' },
        { type: 'finish', finishReason, usage },
      ];
      const pull = (controller) => (parts.length > 0 ? controller.enqueue(parts.shift()) : controller.close());
      return { stream: new ReadableStream({ pull }) };
    },
  };
}

/** The error of a provider that refuses a request. */
export const refused = () =>
  new APICallError({ message: 'no', statusCode: 401, url: 'u', requestBodyValues: {}, isRetryable: false });
