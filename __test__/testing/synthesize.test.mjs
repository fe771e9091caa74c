// Tests synthesize(): realistic metrics from a seed, equal on every machine.

import { createHash } from 'node:crypto';
import { openMetricsContentType, Registry } from '@llm-devops/prometheus-metrics';
import { parseExposition, synthesize } from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';
import { text } from '../support/exposition.mjs';

const digest = (exposition) => createHash('sha256').update(exposition).digest('hex');

test('a seed gives the same registry on every machine', async (t) => {
  const options = [
    {},
    { seed: 2, hostile: true, families: 20 },
    { seed: -1, series: 100 },
    { seed: 2 ** 40 + 1, families: 3 },
  ];
  const texts = await Promise.all(options.map((each) => synthesize(each).metrics()));
  t.deepEqual(texts.map(digest), [
    'c6fc6f0b7b9cf2589b97be42b00a190407bbd2ca79ec4e0a92eebaa9c844f3df',
    'a03ab3d7eb21b8411a1031d24e3560585a29c7f97ff33121adbab2770c24c252',
    '9d2b55b62255f2d2c47b9afc6d81e084b6f2aeecb0179ce4338210cad7a28e1c',
    'a39732ec1487e977535e3e3d9d5798087fa1b55dc21782caacdf326fbac6e880',
  ]);
});

test('the first metric of the first seed', async (t) => {
  t.is(
    await synthesize({ families: 1, series: 2 }).metrics(),
    text(
      '# HELP http_requests_total Requests served',
      '# TYPE http_requests_total counter',
      'http_requests_total{method="GET",route="/",status="200"} 330',
      'http_requests_total{method="DELETE",route="/v1/embeddings",status="400"} 83',
    ),
  );
});

test('it returns a registry whose metrics can be recorded to', async (t) => {
  const registry = synthesize({ seed: 5 });
  t.true(registry instanceof Registry);
  t.deepEqual(
    registry.getMetricsAsArray().map(({ type, name }) => `${type} ${name}`),
    [
      'counter http_requests_total',
      'histogram http_request_duration_seconds',
      'counter llm_tokens_total',
      'counter llm_cost_usd_total',
      'histogram llm_time_to_first_token_seconds',
      'gauge queue_depth',
      'gauge cache_hit_ratio',
      'histogram response_size_bytes',
    ],
  );
  registry.getSingleMetric('queue_depth').set({ queue: 'new', priority: 'high' }, 1);
  t.is(parseExposition(await registry.metrics()).value('queue_depth', { queue: 'new', priority: 'high' }), 1);
});

test('the requested number of families and series, valid in both formats', async (t) => {
  for (const contentType of [undefined, openMetricsContentType]) {
    for (const hostile of [false, true]) {
      const options = { seed: 11, families: 30, series: 40, hostile, ...(contentType && { contentType }) };
      const { families } = parseExposition(await synthesize(options).metrics(), { strict: true });
      t.is(families.length, 30);
      t.is(new Set(families.map(({ name }) => name)).size, 30);
      const counters = families.filter(({ type }) => type === 'counter');
      t.true(counters.every(({ samples }) => samples.length >= 20 && samples.length <= 40));
    }
  }
  t.is(synthesize({ families: 0 }).getMetricsAsArray().length, 0);
});

test('a distribution has a body and a tail', async (t) => {
  const { families } = parseExposition(await synthesize({ seed: 3, series: 60 }).metrics());
  const duration = families.find(({ name }) => name === 'http_request_duration_seconds');
  const total = (le) =>
    duration.samples.filter(({ labels }) => labels.le === le).reduce((sum, { value }) => sum + value, 0);
  const [fast, slow, all] = ['0.01', '0.25', '+Inf'].map(total);
  t.true(fast > all * 0.02 && fast < all * 0.4, `${fast} of ${all}`);
  t.true(slow > all * 0.8 && slow < all, `${slow} of ${all}`);
});

test('invalid options throw with their names', (t) => {
  const range = `a whole number from 0 to 1000 for families`;
  t.throws(() => synthesize({ families: 1.5 }), { message: `Expected ${range} but received 1.5 of type number` });
  for (const options of [{ seed: Number.NaN }, { series: 0 }, { series: 10_001 }, { families: '3' }]) {
    t.throws(() => synthesize(options), { code: 'INVALID_CONFIG' });
  }
});
