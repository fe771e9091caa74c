// Tests the warnings about label sets over a limit: how often they come, what they say, and that they show no secret.

import { Counter, Gauge, Histogram } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { heldTimers, settled } from '../support/time.mjs';
import { of, overflow } from './support/limited.mjs';

/** A registry whose warnings are kept, and a function that lets time pass. */
function warned(t, options = {}) {
  const told = [];
  const pass = heldTimers(t);
  const logger = { warn: (message) => told.push(message) };
  const { registry, metric } = of(Counter, {
    labelNames: ['plan', 'user'],
    registry: { logger, cardinality: { maxSeries: 1 } },
    ...options,
  });
  return { registry, metric, pass, told, take: () => told.splice(0) };
}

const WARNING =
  'CARDINALITY_LIMIT: "m" has 2 series of at most 1; label sets beyond its limits are counted as "other". The label with the most values is "plan" (2). Some: ';

test.serial('label sets over a limit are reported once a minute, with three examples', async (t) => {
  const { metric, pass, take } = warned(t);
  const beyond = (user) => metric.inc({ plan: 'free', user });
  for (const user of ['u1', 'u2', 'u3', 'u4', 'u5']) beyond(user);
  t.deepEqual(take(), [], 'a recording call does not wait for a logger');
  await settled();
  t.deepEqual(take(), [`${WARNING}{plan="free",user="u2"} {plan="free",user="u3"} {plan="free",user="u4"}`]);
  for (let n = 0; n < 100; n++) beyond(`n${n}`);
  await pass(59_999);
  t.deepEqual(take(), []);
  await pass(1);
  t.deepEqual(take(), [`${WARNING}{plan="free",user="n0"} {plan="free",user="n1"} {plan="free",user="n2"}`]);
  await pass(60_000);
  await pass(60_000);
  t.deepEqual(take(), [], 'a minute without one is silent');
  // With fewer than three examples, the report waits a second for more.
  beyond('last');
  await pass(999);
  t.deepEqual(take(), []);
  await pass(1);
  t.deepEqual(take(), [`${WARNING}{plan="free",user="last"}`]);
});

test.serial('a warning contains no secret', async (t) => {
  const { metric, pass, take } = warned(t);
  metric.inc({ plan: 'free', user: 'u' });
  metric.inc({ plan: 'free', user: `Bearer ${'s3cr3t.'.repeat(9)}` });
  metric.labels('free', 'sk-proj-S3cr3tS3cr3tS3cr3tS3cr3tS3cr3tS3cr3t').inc();
  metric.inc({ plan: 'free', user: `https://joe:s3cr3t@example.com/\n${'long '.repeat(50)}` });
  await pass(0);
  const [told, ...more] = take();
  t.deepEqual(more, []);
  t.true(told.startsWith(WARNING), told);
  t.notRegex(told, /s3cr3t|\n/i);
  t.is(told.slice(WARNING.length).split('plan="free"').length, 4, told);
});

test.serial('the warning of each policy and type says where the values went', async (t) => {
  for (const [Class, policy, becomes, series] of [
    [Counter, 'fold', 'are counted as "other"', 2],
    [Histogram, 'fold', 'are counted as "other"', 2],
    [Gauge, 'fold', 'are dropped', 1],
    [Counter, 'drop', 'are dropped', 1],
    [Counter, 'throw', 'are refused', 1],
  ]) {
    const told = [];
    const { metric } = of(Class, {
      cardinality: { maxSeries: 1, policy },
      registry: { logger: { warn: (message) => told.push(message) } },
    });
    const record = Class === Histogram ? 'observe' : 'inc';
    metric[record]({ a: 'x' }, 1);
    for (const a of ['y', 'z', 'w']) {
      if (policy === 'throw') t.throws(() => metric[record]({ a }, 1));
      else metric[record]({ a }, 1);
    }
    await settled();
    t.deepEqual(told, [
      `CARDINALITY_LIMIT: "m" has ${series} series of at most 1; label sets beyond its limits ${becomes}. The label with the most values is "a" (${series}). Some: {a="y"} {a="z"} {a="w"}`,
    ]);
  }
});

test.serial("if the logger throws, the call succeeds and the warning goes to Node.js' own warnings", async (t) => {
  const warnings = [];
  const keep = (warning) => warnings.push(warning);
  process.on('warning', keep);
  t.teardown(() => process.off('warning', keep));
  const { metric, registry, pass } = warned(t, {
    registry: {
      cardinality: { maxSeries: 1 },
      logger: {
        warn() {
          throw new Error('no disk');
        },
      },
    },
  });
  for (const user of ['1', '2', '3', '4']) metric.inc({ plan: 'p', user });
  await pass(0);
  t.deepEqual(
    warnings.map(({ name, message }) => [name, message.slice(0, 22)]),
    [['PrometheusMetricsWarning', 'CARDINALITY_LIMIT: "m"']],
  );
  t.is(overflow(registry), 3);
  // A metric outside of every registry has no other logger.
  const alone = new Counter({
    name: 'alone',
    help: 'h',
    labelNames: ['a'],
    registers: [],
    cardinality: { maxSeries: 1 },
  });
  for (const a of ['1', '2', '3', '4']) alone.inc({ a });
  await pass(0);
  t.is(warnings.length, 2);
});
