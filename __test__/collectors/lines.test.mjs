// Tests that docs/numbers.md says how many lines one model adds to a scrape.

import { readFile } from 'node:fs/promises';
import { LlmMetricsCollector, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';

const CHAT = { durationMs: 1500, inputTokens: 10, outputTokens: 5, finishReason: 'stop', queueMs: 1 };
const STREAM = { ...CHAT, timeToFirstTokenMs: 500, chunks: 4, longestGapMs: 5, stalls: 0 };

const chat = (llm, target) => llm.recordRequest({ ...target, ...CHAT });
const stream = (llm, target) => llm.recordRequest({ ...target, ...STREAM });

function limited(llm, target) {
  stream(llm, target);
  const limits = { limit: 100, remaining: 50, resetAt: 1_772_409_661_500 };
  for (const resource of ['requests', 'tokens']) llm.setRateLimit(target, resource, limits);
}

function attempted(llm, target) {
  stream(llm, target);
  llm.recordAttempt(target, 100);
}

function called(llm, target) {
  llm.registerModel(target);
  const call = llm.startRequest(target);
  call.chunk();
  call.chunk();
  call.end(CHAT);
}

const optional = (name) => ({ optional: { [name]: true } });

/** The rows of the page: what is used, the options, the requests; lines of a plain stream are taken off if `more`. */
const ROWS = [
  ['chats', {}, chat],
  ['chats with streaming', {}, stream],
  ['rate limits with their resets, for requests and tokens', {}, limited, stream],
  ['`stallMs`', { stallMs: 1000 }, stream, stream],
  ['`objectives`', { objectives: { durationMs: 1 } }, stream, stream],
  ['`optional.attemptDuration`', optional('attemptDuration'), attempted, stream],
  ['`optional.queueDuration`', optional('queueDuration'), stream, stream],
  ['`optional.interChunk`', optional('interChunk'), called, called],
  ['`optional.tokensPerRequest`', optional('tokensPerRequest'), stream, stream],
  ["`genAiNames: '0.1'`", { genAiNames: '0.1' }, stream, stream],
  ["`genAiNames: '1.41'`", { genAiNames: '1.41' }, stream, stream],
];

/** The lines of one more model. */
async function linesOf(options, use) {
  const [one, two] = await Promise.all(
    [1, 2].map(async (models) => {
      const registry = new Registry();
      const llm = new LlmMetricsCollector({ registry, ...options });
      for (let n = 0; n < models; n++) use(llm, { model: `m-${n}`, provider: 'p' });
      return (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
    }),
  );
  return two - one;
}

test('the lines of a model in a scrape', async (t) => {
  const page = await readFile(new URL('../../docs/numbers.md', import.meta.url), 'utf8');
  for (const [used, options, use, without] of ROWS) {
    const told = page.split('\n').find((line) => line.startsWith(`| ${used} |`));
    const expected = (await linesOf(options, use)) - (without === undefined ? 0 : await linesOf({}, without));
    t.is(Number(/\| (\d+)/.exec(told?.slice(used.length + 2) ?? '')?.[1]), expected, used);
  }
});

test('another operation, and a value of the user’s own label', async (t) => {
  const page = await readFile(new URL('../../docs/numbers.md', import.meta.url), 'utf8');
  const [, operation, value] = /beside chats adds (\d+) lines.*value of your own label\s+(\d+)/s.exec(page);
  const both = (llm, target) => {
    chat(llm, target);
    llm.recordRequest({ ...target, ...CHAT, operation: 'embeddings' });
  };
  t.is((await linesOf({}, both)) - (await linesOf({}, chat)), Number(operation));
  const labels = { labels: { tenant: { max: 9 } } };
  const two = (llm, target) => {
    chat(llm, target);
    llm.recordRequest({ ...target, ...CHAT, labels: { tenant: 'acme' } });
  };
  t.is((await linesOf(labels, two)) - (await linesOf(labels, chat)), Number(value));
});
