// Tests how rate limits and the times of their resets are read from headers.

import { createRequire } from 'node:module';
import test from 'ava';
import fc from 'fast-check';

const require = createRequire(import.meta.url);
const { ANTHROPIC_LIMITS, OPENAI_LIMITS, readRateLimits } = require('../../dist/instrumentation/rate-limits.js');
const { freezeClock, resumeClock } = require('../../dist/clock.js');

const NOW = Date.parse('2026-03-01T12:00:00Z');

function stopClock(t) {
  freezeClock(NOW);
  t.teardown(resumeClock);
}

/** The time of the reset that an answer of OpenAI's API tells with this text. */
function resetOf(text) {
  const headers = { 'x-ratelimit-remaining-tokens': '5', 'x-ratelimit-reset-tokens': text };
  const [limit] = readRateLimits(OPENAI_LIMITS, (name) => headers[name] ?? null);
  return limit.amounts.resetAt;
}

test.serial('resets as servers write them: durations, seconds, times', (t) => {
  stopClock(t);
  for (const [text, ms] of [
    ['1s', 1000],
    ['6m0s', 360_000],
    ['20ms', 20],
    ['0s', 0],
    ['2m59.56s', 179_560],
    ['1h2m3.5s', 3_723_500],
    ['24h0m0s', 86_400_000],
    ['1m', 60_000],
    ['60', 60_000],
    ['0.5', 500],
    ['2026-03-01T12:00:30Z', 30_000],
    ['2026-03-01T13:00:00+01:00', 0],
    [String(NOW / 1000 + 90), 90_000],
    [String(NOW + 90_000), 90_000],
  ]) {
    t.is(resetOf(text), NOW + ms, text);
  }
});

test.serial('a text that tells no time is left out', (t) => {
  stopClock(t);
  for (const text of [
    null,
    undefined,
    '',
    'soon',
    '-5',
    's',
    '5x',
    'NaN',
    '1s2m',
    'Infinity',
    '2026-99-01T00:00:00Z',
    '5 s',
  ])
    t.is(resetOf(text), undefined, String(text));
});

test.serial('any duration that Go writes is read', (t) => {
  stopClock(t);
  const part = (most) => fc.integer({ min: 0, max: most });
  fc.assert(
    fc.property(part(99), part(59), part(59), part(999), (hours, minutes, seconds, ms) => {
      const text = `${hours}h${minutes}m${seconds}.${String(ms).padStart(3, '0')}s`;
      const expected = NOW + ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms;
      t.true(Math.abs(resetOf(text) - expected) < 0.01, text);
    }),
  );
});

test.serial('no text makes the reading fail', (t) => {
  stopClock(t);
  fc.assert(
    fc.property(fc.string(), (text) => {
      const at = resetOf(text);
      t.true(at === undefined || Number.isFinite(at), text);
    }),
  );
});

test('Anthropic tells each limit with its reset', (t) => {
  const headers = {
    'anthropic-ratelimit-requests-limit': '50',
    'anthropic-ratelimit-requests-remaining': '49',
    'anthropic-ratelimit-requests-reset': '2026-03-01T12:00:01Z',
    'anthropic-ratelimit-input-tokens-remaining': '1000',
    'anthropic-ratelimit-output-tokens-reset': '2026-03-01T12:00:01Z',
  };
  t.deepEqual(
    readRateLimits(ANTHROPIC_LIMITS, (name) => headers[name]),
    [
      { resource: 'requests', amounts: { limit: 50, remaining: 49, resetAt: NOW + 1000 } },
      { resource: 'input_tokens', amounts: { limit: undefined, remaining: 1000, resetAt: undefined } },
    ],
  );
});
