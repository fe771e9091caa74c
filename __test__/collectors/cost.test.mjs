// Computes costs as bills say them: by part, tier, length of the context, medium and tool. Each case has the tokens of an
// answer and the dollars of its bill, calculated by hand.

import { createRequire } from 'node:module';
import test from 'ava';
import fc from 'fast-check';
import { count } from '../support/count.mjs';

const require = createRequire(import.meta.url);
const { LlmMetricsCollector, Registry } = require('../..');
const { SAMPLE_PRICES, SAMPLE_PRICES_AS_OF } = require('../../dist/entry/prices.js');
const { MockClock } = require('../../dist/entry/testing.js');

const M = { model: 'm', provider: 'p' };

async function bill(price, request, options = {}) {
  const registry = new Registry();
  const llm = new LlmMetricsCollector({ registry, prices: { m: price }, ...options });
  llm.recordRequest({ ...M, ...request });
  const text = await registry.metrics();
  const value = (name) => Number(new RegExp(`^llmdevops_llm_${name}{[^}]*} (.*)$`, 'm').exec(text)?.[1] ?? 0);
  return { usd: Math.round(value('cost_usd_total') * 1e9) / 1e9, unpriced: value('unpriced_requests_total') };
}

const USUAL = { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75, cacheWriteLong: 6 };
const million = { inputTokens: 1_000_000, outputTokens: 0 };

const cases = [
  ['input and output', USUAL, { inputTokens: 1_000_000, outputTokens: 100_000 }, 4.5],
  ['the cache was read', USUAL, { ...million, cacheReadTokens: 400_000 }, 1.8 + 0.12],
  ['the cache was written', USUAL, { ...million, cacheWriteTokens: 400_000 }, 1.8 + 1.5],
  ['written for an hour', USUAL, { ...million, cacheWriteTokens: 1_000_000, cacheWriteLongTokens: 1_000_000 }, 6],
  [
    'written in part for an hour',
    USUAL,
    { ...million, cacheWriteTokens: 1_000_000, cacheWriteLongTokens: 400_000 },
    2.4 + 2.25,
  ],
  [
    'an hour without a price of its own',
    { input: 3, output: 15, cacheWrite: 3.75 },
    { ...million, cacheWriteTokens: 1_000_000, cacheWriteLongTokens: 1_000_000 },
    3.75,
  ],
  [
    'audio',
    { input: 1, output: 2, audioInput: 10, audioOutput: 20 },
    { inputTokens: 1_000_000, outputTokens: 1_000_000, audioInputTokens: 100_000, audioOutputTokens: 100_000 },
    0.9 + 1 + 1.8 + 2,
  ],
  [
    'audio without a price of its own',
    { input: 1, output: 2 },
    { inputTokens: 1_000_000, outputTokens: 0, audioInputTokens: 100_000 },
    1,
  ],
  [
    'images by tokens',
    { input: 1, output: 2, imageInput: 5, imageOutput: 40 },
    { inputTokens: 1_000_000, outputTokens: 100_000, imageInputTokens: 200_000, imageOutputTokens: 100_000 },
    0.8 + 1 + 4,
  ],
  [
    'reasoning',
    { input: 1, output: 2, reasoning: 3 },
    { inputTokens: 0, outputTokens: 1_000_000, reasoningTokens: 400_000 },
    1.2 + 1.2,
  ],
  ['a tier with a factor', { ...USUAL, tiers: { batch: 0.5 } }, { ...million, serviceTier: 'batch' }, 1.5],
  [
    'a tier with prices',
    { ...USUAL, tiers: { fast: { input: 18, output: 90 } } },
    { inputTokens: 1_000_000, outputTokens: 100_000, serviceTier: 'fast' },
    27,
  ],
  [
    'a tier that leaves a price undefined',
    { ...USUAL, tiers: { fast: { input: undefined, output: 90 } }, longContext: { above: 5, input: undefined } },
    { inputTokens: 1_000_000, outputTokens: 100_000, serviceTier: 'fast' },
    12,
  ],
  ['a tier without a price', USUAL, { ...million, serviceTier: 'flex' }, 3],
  ['a context at its limit', { ...USUAL, longContext: { above: 1_000_000, input: 6 } }, million, 3],
  [
    'a context above its limit',
    { ...USUAL, longContext: { above: 200_000, input: 6, output: 22.5 } },
    { inputTokens: 1_000_000, outputTokens: 100_000 },
    6 + 2.25,
  ],
  ['images', { image: 0.04 }, { operation: 'image', media: { unit: 'images', amount: 3 } }, 0.12],
  [
    'seconds of audio',
    { audioSecond: 0.0001 },
    { operation: 'transcription', media: { unit: 'audio_seconds', amount: 600 } },
    0.06,
  ],
  ['characters', { characters: 15 }, { operation: 'speech', media: { unit: 'characters', amount: 2000 } }, 0.03],
  [
    'images that are billed by tokens',
    { input: 5, output: 40 },
    { operation: 'image', inputTokens: 0, outputTokens: 100_000, media: { unit: 'images', amount: 1 } },
    4,
  ],
  [
    "a provider's tool",
    { ...USUAL, serverTools: { web_search: 0.01 } },
    { ...million, serverToolCalls: { web_search: 2 } },
    3.02,
  ],
  ['parts that are larger than their whole', USUAL, { ...million, cacheReadTokens: 9_000_000 }, 0.3],
];

for (const [name, price, request, usd] of cases) {
  test(`cost: ${name}`, async (t) => {
    const billed = await bill(price, request);
    t.deepEqual(billed, { usd: Math.round(usd * 1e9) / 1e9, unpriced: 0 });
  });
}

test('a request with a part that has no price is unpriced', async (t) => {
  const unpriced = [
    [{ image: 0.04 }, { inputTokens: 5 }],
    [USUAL, { operation: 'image', media: { unit: 'images', amount: 1 } }],
    [USUAL, { inputTokens: 5, serverToolCalls: { web_search: 1 } }],
    [
      { input: 1, output: 1, serverTools: { toString: 1 } },
      { inputTokens: 5, serverToolCalls: { constructor: 1 } },
    ],
  ];
  for (const [price, request] of unpriced) t.deepEqual(await bill(price, request), { usd: 0, unpriced: 1 });
});

test("the provider's own cost counts on request, and the caller's always", async (t) => {
  const request = { ...million, providerCostUsd: 7 };
  t.is((await bill(USUAL, request)).usd, 3);
  t.is((await bill(USUAL, request, { providerCost: true })).usd, 7);
  t.is((await bill(USUAL, { ...request, costUsd: 8 }, { providerCost: true })).usd, 8);
  t.throws(() => new LlmMetricsCollector({ registry: new Registry(), providerCost: 1 }), { code: 'INVALID_CONFIG' });
});

test('the price is that of the requested model, or on request that of the model that answered', async (t) => {
  const prices = { auto: { input: 1, output: 1 }, m: { input: 5, output: 5 } };
  for (const [priceBy, usd] of [
    ['request', 1],
    ['answer', 5],
  ]) {
    const registry = new Registry();
    const llm = new LlmMetricsCollector({ registry, prices, priceBy });
    llm.recordRequest({ model: 'auto', provider: 'p', responseModel: 'm-2025-01-01', ...million });
    t.true((await registry.metrics()).includes(`cost_usd_total{model="auto",provider="p"} ${usd}\n`));
  }
  t.throws(() => new LlmMetricsCollector({ registry: new Registry(), priceBy: 'x' }), { code: 'INVALID_CONFIG' });
});

test('a request that names no model counts for the model that answered', async (t) => {
  const registry = new Registry();
  const llm = new LlmMetricsCollector({ registry, prices: { m: USUAL } });
  llm.startRequest({ model: 'other', provider: 'p' }).end({ ...million, responseModel: 'm-2025-01-01' });
  const text = await registry.metrics();
  t.true(text.includes('cost_usd_total{model="m",provider="p"} 3\n'), text);
  t.false(text.includes('model="other"'), text);
});

test('invalid prices are refused, with the place and the value', (t) => {
  const invalid = [
    [{ input: 1 }, 'prices["m"].output'],
    [{ input: 1, output: Number.NaN }, 'prices["m"].output'],
    [{ input: 1, output: 1, cacheWriteLong: -1 }, 'prices["m"].cacheWriteLong'],
    [{ input: 1, output: 1, tiers: { flex: -1 } }, 'prices["m"].tiers.flex'],
    [{ input: 1, output: 1, tiers: { flex: { input: '1' } } }, 'prices["m"].tiers.flex.input'],
    [{ input: 1, output: 1, tiers: { flex: { inputs: 1 } } }, 'prices["m"].tiers.flex'],
    [{ input: 1, output: 1, tiers: [0.5] }, 'prices["m"].tiers'],
    [{ input: 1, output: 1, longContext: { input: 2 } }, 'prices["m"].longContext.above'],
    [{ input: 1, output: 1, longContext: 200_000 }, 'prices["m"].longContext'],
    [{ input: 1, output: 1, serverTools: { web_search: 'x' } }, 'prices["m"].serverTools.web_search'],
    [{ input: 1, output: 1, image: Number.POSITIVE_INFINITY }, 'prices["m"].image'],
    [{ input: 1, output: 1, cacheReed: 1 }, 'cacheRead'],
    [{ input: '1', output: 1 }, 'prices["m"].input'],
    [{ input: -0.1, output: 1 }, 'prices["m"].input'],
    [
      { input: 1, output: 1, tiers: { prority: 2 } },
      'such as "priority", for prices["m"].tiers but received "prority"',
    ],
    [{ input: 1, output: 1, tiers: { default: 1 } }, 'prices["m"].tiers but received "default"'],
    [{ input: 1, output: 1, from: '2026-02-30' }, 'prices["m"].from'],
    [{ input: 1, output: 1, from: 20260101 }, 'prices["m"].from'],
    [null, 'Expected a price for prices["m"]'],
    [3, 'Expected a price for prices["m"]'],
    ['3', 'Expected a price for prices["m"]'],
    [[], 'prices["m"]'],
    [[{ input: 1, output: 1 }, null], 'prices["m"][1]'],
    [
      [
        { input: 1, output: 1 },
        { from: '2026-01-01', input: 1, output: Number.NaN },
      ],
      'prices["m"][1].output',
    ],
    [[{ from: '2026-01-01', input: 1, output: 1, tiers: { flex: 'x' } }], 'prices["m"][0].tiers.flex'],
    [[{ from: 'soon', input: 1, output: 1 }], 'prices["m"][0].from'],
    [
      [
        { from: '2026-01-01', input: 1, output: 1 },
        { input: 1, output: 1 },
        { from: '2026-01-01', input: 2, output: 2 },
      ],
      'Expected one price from each day for prices["m"] but received two from 2026-01-01',
    ],
    [
      [
        { input: 1, output: 1 },
        { input: 2, output: 2 },
      ],
      'prices["m"] but received two without `from`',
    ],
  ];
  for (const [price, place] of invalid) {
    const make = () => new LlmMetricsCollector({ registry: new Registry(), prices: { m: price } });
    const error = t.throws(make, { code: 'INVALID_CONFIG' });
    t.true(error.message.includes(place), error.message);
  }
});

test('a tier that only its provider knows is accepted', (t) => {
  const tiers = { performance: 2, on_demand_priority: { input: 2 }, fast: 6 };
  t.notThrows(() => new LlmMetricsCollector({ registry: new Registry(), prices: { m: { ...USUAL, tiers } } }));
});

test('a price that would never apply is refused: labels show models without dates and accounts', (t) => {
  const make = (prices, options) => () => new LlmMetricsCollector({ registry: new Registry(), prices, ...options });
  for (const [model, shown] of [
    ['gpt-4o-2024-08-06', 'gpt-4o'],
    ['claude-3-opus@20240229', 'claude-3-opus'],
    ['azure/gpt-4o-2024-08-06', 'azure/gpt-4o'],
  ]) {
    const { code, message } = t.throws(make({ [model]: USUAL }));
    t.deepEqual(
      [code, message],
      [
        'INVALID_CONFIG',
        `Expected prices["${shown}"] but received prices["${model}"]: labels show models without dates and accounts, ` +
          'so this price would never apply',
      ],
    );
    // With names of its own, the program decides what labels show.
    t.notThrows(make({ [model]: USUAL }, { normalizeModel: (name) => name }));
  }
  for (const model of [
    'gpt-4o',
    'azure/gpt-4o',
    'openrouter/openai/gpt-4o',
    'ft:gpt-4o',
    'azure/ft:gpt-4o',
    'llama3:8b',
  ])
    t.notThrows(make({ [model]: USUAL }), model);
});

test('any value as a price is accepted, or refused with its path', (t) => {
  const fields = ['input', 'output', 'cacheRead', 'tiers', 'longContext', 'image', 'serverTools', 'from', 'above', 'x'];
  const { price } = fc.letrec((tie) => ({
    price: fc.oneof(
      { depthSize: 'small' },
      fc.anything(),
      fc.double(),
      fc.constantFrom('2026-01-01', '2026-02-31', '', null, undefined),
      fc.array(tie('price'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...fields, 'flex', 'web_search'), tie('price'), { noNullPrototype: false }),
    ),
  }));
  const model = fc.constantFrom('m', 'p/m', 'gpt-4o-2024-08-06');
  fc.assert(
    fc.property(model, price, (name, entry) => {
      try {
        new LlmMetricsCollector({ registry: new Registry(), prices: { [name]: entry } });
      } catch (error) {
        t.is(error.code, 'INVALID_CONFIG', error.stack);
        t.true(error.message.includes(`prices["${name}"]`), error.message);
      }
    }),
    { numRuns: count(100, 300) },
  );
});

test.serial(
  'the sample prices warn once when they are older than half a year, also after they were spread',
  async (t) => {
    const warned = [];
    const listener = (warning) => warned.push(warning.message);
    process.on('warning', listener);
    const day = 86_400_000;
    const clock = new MockClock({ now: Date.parse(SAMPLE_PRICES_AS_OF) + 183 * day }).install();
    t.teardown(() => {
      process.off('warning', listener);
      clock.restore();
    });
    const prices = { ...SAMPLE_PRICES, mine: { input: 1, output: 1 } };
    const count = async () => {
      new LlmMetricsCollector({ registry: new Registry(), prices });
      await new Promise((resolve) => setImmediate(resolve));
      return warned.filter((text) => text.includes(SAMPLE_PRICES_AS_OF)).length;
    };
    t.is(await count(), 0);
    clock.advanceMs(1);
    t.is(await count(), 1);
    t.is(await count(), 1);
  },
);

test('for any tokens, a bill lies between the cheapest and the dearest price of all tokens', async (t) => {
  const tokens = fc.nat(1_000_000);
  const usage = fc.record({
    inputTokens: tokens,
    cacheReadTokens: tokens,
    cacheWriteTokens: tokens,
    cacheWriteLongTokens: tokens,
  });
  await fc.assert(
    fc.asyncProperty(usage, async (used) => {
      const { usd } = await bill(USUAL, used);
      t.true(usd >= (used.inputTokens * 0.3) / 1e6 - 1e-9 && usd <= (used.inputTokens * 6) / 1e6 + 1e-9);
    }),
  );
});
