// Reads the usage of each dialect, and holds what must be true of any usage object: a part is never larger than its whole.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import test from 'ava';
import fc from 'fast-check';

const require = createRequire(import.meta.url);
const { mergeUsage, readAnswerUsage, readUsage } = require('../../dist/instrumentation/usage.js');

const rows = JSON.parse(readFileSync(new URL('usage.json', import.meta.url), 'utf8'));

/** The fields that are set, also those of objects within. */
const withoutAbsent = (object) => JSON.parse(JSON.stringify(object));

for (const { name, answer, usage } of rows) {
  test(`usage: ${name}`, (t) => {
    const { responseModel, ...read } = withoutAbsent(readAnswerUsage(answer));
    t.deepEqual(read, usage);
    t.is(responseModel, answer.model);
  });
}

test('values that are not usage are read as none, and getters that throw as absent', (t) => {
  for (const value of [undefined, null, 1, 'text', true, [], () => 1]) t.deepEqual(withoutAbsent(readUsage(value)), {});
  const hostile = Object.defineProperty({ prompt_tokens: 1, completion_tokens: 2 }, 'total_tokens', {
    get() {
      throw new Error('no total');
    },
  });
  t.deepEqual(withoutAbsent(readUsage(hostile)), { inputTokens: 1, outputTokens: 2 });
});

test('for any reported numbers, the parts fit into their wholes', (t) => {
  const amount = fc.option(fc.nat(1000), { nil: undefined });
  const details = fc.record({ cached_tokens: amount, reasoning_tokens: amount, audio_tokens: amount });
  const usage = fc.record({
    prompt_tokens: amount,
    completion_tokens: amount,
    total_tokens: amount,
    completion_tokens_details: details,
  });
  fc.assert(
    fc.property(usage, (given) => {
      const { inputTokens, outputTokens, reasoningTokens = 0 } = readUsage(given);
      if (given.prompt_tokens !== undefined) t.is(inputTokens, given.prompt_tokens);
      if (given.completion_tokens !== undefined) t.true(outputTokens >= given.completion_tokens);
      if (given.total_tokens === undefined && outputTokens !== undefined) t.true(reasoningTokens <= outputTokens);
      const total = given.total_tokens ?? 0;
      if (inputTokens !== undefined && outputTokens !== undefined) t.true(inputTokens + outputTokens >= total);
    }),
  );
});

test('of several reports in one stream the larger amount of each figure counts, in any order', (t) => {
  const amount = fc.option(fc.nat(1000), { nil: null });
  const report = fc.record(
    {
      prompt_tokens: amount,
      completion_tokens: amount,
      prompt_tokens_details: fc.option(fc.record({ cached_tokens: amount }, { requiredKeys: [] }), { nil: null }),
    },
    { requiredKeys: [] },
  );
  const largest = (reports, read) => {
    const amounts = reports.map(read).filter((value) => typeof value === 'number');
    return amounts.length === 0 ? undefined : Math.max(...amounts);
  };
  fc.assert(
    fc.property(fc.array(report, { minLength: 1 }), (reports) => {
      const { inputTokens, outputTokens, cacheReadTokens } = readUsage(
        reports.reduce((earlier, later) => mergeUsage(earlier, later), undefined),
      );
      t.is(
        inputTokens,
        largest(reports, (each) => each.prompt_tokens),
      );
      t.is(
        outputTokens,
        largest(reports, (each) => each.completion_tokens),
      );
      t.is(
        cacheReadTokens,
        largest(reports, (each) => each.prompt_tokens_details?.cached_tokens),
      );
    }),
  );
});

test('a report that comes later leaves the earlier one as it was', (t) => {
  const first = Object.freeze({ a: 1, within: Object.freeze({ b: 1 }) });
  t.deepEqual(mergeUsage(first, { a: 2, within: { b: 2 } }), { a: 2, within: { b: 2 } });
  t.deepEqual(first, { a: 1, within: { b: 1 } });
});
