// Pushes by OTLP, as others understand them: an OpenTelemetry collector decodes what was recorded, and Prometheus stores it
// under the same names.

import { Counter, Gauge, Histogram, Registry, Summary, startPusher } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import fc from 'fast-check';
import { startCollector } from './support/collector.mjs';
import { EXEMPLAR, everyType, inText, keyed, LABEL, startOf } from './support/every-type.mjs';
import { seriesKey } from './support/ledger.mjs';
import { poll } from './support/processes.mjs';
import { program, readableLabels } from './support/programs.mjs';
import { differences } from './support/query.mjs';
import { PROMETHEUS_NEWEST, startPrometheus } from './support/scrapers.mjs';

const CUMULATIVE = 2;

/** Pushes once: the last push is also the first. */
async function push(t, registry, url) {
  const options = { registry, url, protocol: 'otlp', job: 'shop', instance: 'i', intervalMs: 3_600_000 };
  const pusher = await startPusher({ ...options, labels: { zone: 'z' } });
  await pusher.close();
  t.like(pusher.stats(), { pushes: 1, dropped: 0 });
}

const attributesOf = (list = []) => Object.fromEntries(list.map(({ key, value }) => [key, value.stringValue]));

/** The metrics of a request, without those of the library itself; each has one kind of points. */
function metricsOf({ resourceMetrics: [{ resource, scopeMetrics }] }) {
  const metrics = scopeMetrics.flatMap((scope) => scope.metrics).filter(({ name }) => !name.startsWith('llmdevops_'));
  const read = metrics.map(({ name, description, unit, ...kinds }) => {
    const [[kind, { dataPoints, ...about }]] = Object.entries(kinds);
    return { name, help: description, unit, kind, about, points: dataPoints };
  });
  return {
    resource: attributesOf(resource.attributes),
    scopes: scopeMetrics.map(({ scope }) => scope.name),
    metrics: read,
  };
}

/** Values are text here: JSON has neither infinities nor NaN, and `-0` is 0 to `JSON.stringify()`. */
const shown = (value) => (Object.is(value, -0) ? '-0' : String(value));
const point = (labels, rest) => JSON.stringify([Object.entries(labels).sort(), rest]);

const recordedMetric = ({ type, name, help, series, buckets }) => {
  const points = series.map(({ labels, value }) => {
    if (type !== 'histogram') return point(readableLabels(labels), shown(value));
    const below = (bound) => value.filter((observed) => observed <= bound).length;
    const bounds = [...buckets, Infinity];
    const counts = bounds.map((bound, at) => below(bound) - (at === 0 ? 0 : below(bounds[at - 1])));
    const sum = value.reduce((total, observed) => total + observed, 0);
    return point(readableLabels(labels), [value.length, shown(sum), counts, buckets]);
  });
  const about = { counter: { aggregationTemporality: CUMULATIVE, isMonotonic: true }, gauge: {} };
  return {
    name,
    help: help.toWellFormed(),
    kind: { counter: 'sum', gauge: 'gauge', histogram: 'histogram' }[type],
    about: about[type] ?? { aggregationTemporality: CUMULATIVE },
    points: points.sort(),
  };
};

const decodedMetric = ({ name, help, kind, about, points }) => {
  const read = points.map(({ attributes, asDouble, count, sum, bucketCounts, explicitBounds }) => {
    const { zone, ...labels } = attributesOf(attributes);
    if (zone !== 'z') throw new Error(`Expected the pusher's label but received ${JSON.stringify(attributes)}`);
    if (kind !== 'histogram') return point(labels, shown(asDouble));
    return point(labels, [Number(count), shown(sum), bucketCounts.map(Number), explicitBounds]);
  });
  return { name, help, kind, about, points: read.sort() };
};

test('a collector decodes what random programs have recorded', async (t) => {
  const { url, next } = await startCollector(t);
  let points = 0;
  const usable = program.filter((families) => families.every(({ labelNames }) => !labelNames.includes('zone')));
  await fc.assert(
    fc.asyncProperty(usable, async (families) => {
      const registry = new Registry();
      for (const { type, name, help, labelNames, series, buckets } of families) {
        const Class = { counter: Counter, gauge: Gauge, histogram: Histogram }[type];
        const metric = new Class({ name, help, labelNames, registers: [registry], ...(buckets && { buckets }) });
        for (const { labels, value } of series) {
          if (type === 'counter') metric.inc(labels, value);
          else if (type === 'gauge') metric.set(labels, value);
          else for (const observed of value) metric.observe(labels, observed);
        }
      }
      await push(t, registry, url);
      const { metrics } = metricsOf(await next());
      const recorded = families.filter(({ series }) => series.length > 0).map(recordedMetric);
      t.deepEqual(metrics.map(decodedMetric), recorded);
      points += recorded.flatMap((metric) => metric.points).length;
    }),
    { numRuns: 60, endOnFailure: true },
  );
  t.log(`${points} points`);
});

test('a collector decodes every type of metric, with units, starts, exemplars and the resource', async (t) => {
  const { url, next } = await startCollector(t);
  const { registry, native } = everyType();
  await push(t, registry, url);
  const { resource, scopes, metrics } = metricsOf(await next());
  t.like(resource, { 'service.name': 'shop', 'service.instance.id': 'i' });
  t.deepEqual(scopes, ['prometheus-metrics']);
  const counts = { aggregationTemporality: CUMULATIVE };
  t.deepEqual(
    metrics.map(({ name, unit = '', kind, about }) => [name, unit, kind, about]),
    [
      ['judged_events_total', '', 'sum', { ...counts, isMonotonic: true }],
      ['judged_share_ratio', '1', 'gauge', {}],
      ['judged_size_bytes', 'By', 'histogram', counts],
      ['judged_time_seconds', 's', 'exponentialHistogram', counts],
      ['judged_wait_ms', '{ms}', 'summary', {}],
      ['judged_build_info', '', 'gauge', {}],
      ['judged_mode', '', 'gauge', {}],
    ],
  );
  const [events, share, size, time, wait, build, mode] = metrics.map(({ points }) => points);
  for (const [name, [{ startTimeUnixNano, timeUnixNano }]] of [
    ['judged_events_total', events],
    ['judged_size_bytes', size],
    ['judged_time_seconds', time],
    ['judged_wait_ms', wait],
  ]) {
    t.is(startTimeUnixNano, `${await startOf(registry, name)}000000`, name);
    t.true(BigInt(timeUnixNano) >= BigInt(startTimeUnixNano), name);
  }
  const { trace_id: traceId, span_id: spanId, ...others } = EXEMPLAR;
  t.is(events[0].asDouble, 2.5);
  t.like(attributesOf(events[0].attributes), { kind: LABEL });
  t.like(events[0].exemplars[0], { asDouble: 2.5, traceId, spanId });
  t.deepEqual(attributesOf(events[0].exemplars[0].filteredAttributes), others);
  t.is(share[0].asDouble, 0.1);
  t.like(size[0], { count: '4', sum: 2_000_004.25, explicitBounds: [0.5, 1, 1e6] });
  t.deepEqual(size[0].bucketCounts, ['1', '1', '1', '1']);
  t.like(wait[0], {
    count: '3',
    sum: 6,
    quantileValues: [
      { quantile: 0.5, value: 2 },
      { quantile: 1, value: 3 },
    ],
  });
  t.like(build[0], { asDouble: 1 });
  t.like(attributesOf(build[0].attributes), { version: '1' });
  t.deepEqual(
    mode.map(({ attributes, asDouble }) => [attributesOf(attributes).judged_mode, asDouble]),
    [
      ['on', 0],
      ['off', 1],
    ],
  );

  const [{ scale, count, sum, zeroCount, positive, negative, exemplars }] = time;
  const value = native.value();
  t.deepEqual([Number(count), sum, Number(zeroCount), scale], [1003, value.sum, 1, 3]);
  t.deepEqual(
    exemplars.map((exemplar) => [exemplar.traceId, exemplar.asDouble]),
    [[traceId, 1e6]],
  );
  // OTLP's bucket `index` ends with `2 ** ((index + 1) / 2 ** scale)`, which it includes.
  const sides = [
    [-1, negative],
    [1, positive],
  ].flatMap(([sign, { offset = 0, bucketCounts }]) =>
    bucketCounts.map((count, at) => [sign * 2 ** ((offset + at + 1) / 2 ** scale), Number(count)]),
  );
  const populated = sides.filter(([, count]) => count > 0);
  const expected = value.native.buckets.filter(({ lower, upper }) => lower > 0 || upper < 0);
  t.is(populated.length, expected.length);
  for (const [at, { lower, upper, count }] of expected.entries()) {
    const end = lower > 0 ? upper : lower;
    t.true(Math.abs(populated[at][0] / end - 1) < 1e-9, `${populated[at][0]}, ${end}`);
    t.is(populated[at][1], count);
  }
});

/** Units that Prometheus' receiver would add to names in a form of its own if they were sent as they are, and random ones. */
const UNITS = new Set([
  ...['seconds', 'bytes', 'ratio', 's', 'ms', 'm', 'h', 'By', 'KiBy', 'g', 'Cel', '1', 'celsius', 'bytes_per_second'],
  ...fc.sample(fc.stringMatching(/^[a-zA-Z0-9]{1,7}(_[a-z0-9:]{1,5}){0,2}$/), 100),
]);

for (const strategy of ['UnderscoreEscapingWithSuffixes', 'NoTranslation']) {
  test(`Prometheus stores what was pushed under the same names, with the strategy ${strategy}`, async (t) => {
    const { registry, native, series } = everyType();
    // Its receiver does not write bounds as a scrape does.
    const expected = series(inText);
    for (const unit of UNITS) {
      const config = { help: 'Some help', unit, registers: [registry] };
      new Gauge({ ...config, name: `judged_gauge_${unit}` }).set(2);
      new Counter({ ...config, name: `judged_counter_${unit}_total` }).inc(2);
      new Histogram({ ...config, name: `judged_histogram_${unit}`, buckets: [] }).observe(2);
      new Summary({ ...config, name: `judged_summary_${unit}`, percentiles: [] }).observe(2);
      expected.push([`judged_gauge_${unit}`, {}, 2], [`judged_counter_${unit}_total`, {}, 2]);
      expected.push([`judged_histogram_${unit}_bucket`, { le: '+Inf' }, 1]);
      for (const type of ['histogram', 'summary']) {
        expected.push([`judged_${type}_${unit}_sum`, {}, 2], [`judged_${type}_${unit}_count`, {}, 1]);
      }
    }
    // What docs/push.md says of names that are changed.
    const otherwise = (own, translated) => (strategy === 'NoTranslation' ? own : translated);
    const config = { help: 'Some help', registers: [registry] };
    for (const [name, translated] of [
      ['judged_jobs', 'judged_jobs_total'],
      ['judged_total_rows_total', 'judged_rows_total'],
      ['judged__twice_total_', 'judged_twice_total'],
    ]) {
      new Counter({ ...config, name }).inc(2);
      expected.push([otherwise(name, translated), {}, 2]);
    }
    const labels = { _a: 'a', b__c_: 'b', job: 'own', instance: 'own' };
    new Gauge({ ...config, name: 'judged_labels', labelNames: Object.keys(labels) }).set(labels, 2);
    expected.push(['judged_labels', { [otherwise('_a', 'key_a')]: 'a', b__c_: 'b' }, 2]);

    const api = await startPrometheus(
      t,
      {},
      {
        program: PROMETHEUS_NEWEST,
        features: ['created-timestamp-zero-ingestion', 'exemplar-storage'],
        flags: ['--web.enable-otlp-receiver'],
        config: { otlp: { translation_strategy: strategy } },
      },
    );
    await push(t, registry, `${api.url}/api/v1/otlp/v1/metrics`);

    const found = await api.query('{__name__=~"judged_.*"}');
    const read = found.map(({ labels: { __name__: name, job, instance, zone, ...labels }, value }) => {
      t.deepEqual({ job, instance, zone }, { job: 'shop', instance: 'i', zone: 'z' });
      return [seriesKey(name, labels), value];
    });
    t.deepEqual(differences(new Map(read), keyed(expected)), []);

    const name = 'judged_time_seconds';
    const { count, sum } = native.value();
    t.is(await api.scalar(`histogram_count(${name})`), count);
    t.is(await api.scalar(`histogram_sum(${name})`), sum);
    t.is(Math.round((await api.scalar(`histogram_fraction(-Inf, -1, ${name})`)) * count), 1);
    const median = await api.scalar(`histogram_quantile(0.5, ${name})`);
    t.true(Math.abs(median / (500 / 128) - 1) < 0.05, `${median}`);

    // The server stores 0 at the time of birth.
    for (const of of ['judged_events_total', name]) {
      const { result } = await api.get('/api/v1/query', { query: `${of}[1m]` });
      const [[at, first], ...others] = result[0].values ?? result[0].histograms;
      t.is(Math.round(at * 1000), await startOf(registry, of));
      t.is(Number(first.count ?? first), 0);
      t.deepEqual(
        others.map(([, sample]) => Number(sample.count ?? sample)),
        [of === name ? count : 2.5],
      );
    }
    const range = { start: Date.now() / 1000 - 600, end: Date.now() / 1000 + 1 };
    const exemplars = await poll(async () => {
      const stored = await api.get('/api/v1/query_exemplars', { query: '{__name__=~"judged_.*"}', ...range });
      return stored.length > 1 ? stored : undefined;
    }, 'exemplars are stored');
    const ofSeries = exemplars.map((series) => [series.seriesLabels.__name__, series.exemplars[0].labels]);
    t.deepEqual(Object.fromEntries(ofSeries), {
      judged_events_total: EXEMPLAR,
      judged_time_seconds: EXEMPLAR,
    });
  });
}
