// Tests collect() callbacks: their order, their budget, and their failures.

import { Gauge, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { samples, samplesOf, seriesValue, text, withoutSelfMetrics } from '../support/exposition.mjs';
import { counterIn, gaugeIn } from './support/metrics.mjs';

const OPENMETRICS = Registry.OPENMETRICS_CONTENT_TYPE;

test('collect() is called once a scrape, with its metric as this, before values are read', async (t) => {
  const registry = new Registry();
  let calls = 0;
  const gauge = gaugeIn(registry, 'g', {
    collect() {
      t.is(this, gauge);
      this.set(++calls);
    },
  });
  counterIn(registry, 'c', {
    async collect() {
      await new Promise(setImmediate);
      this.inc(10);
    },
  });
  t.deepEqual(await samples(registry), ['g 1', 'c 10']);
  t.deepEqual(samplesOf((await registry.scrape()).body.toString()), ['g 2', 'c 20']);
  await registry.getMetricsAsJSON();
  await registry.getSingleMetricAsString('g');
  t.is(calls, 4);
});

test('collectors run at the same time', async (t) => {
  const registry = new Registry();
  // Each waits until the other has begun.
  let begun = 0;
  let both;
  const all = new Promise((resolve) => {
    both = resolve;
  });
  const collect = () => {
    if (++begun === 2) both();
    return all;
  };
  gaugeIn(registry, 'a', { collect });
  gaugeIn(registry, 'b', { collect });
  t.deepEqual(await samples(registry), ['a 0', 'b 0']);
});

const failures = {
  'throws an error': [
    () => {
      throw new Error('no connection');
    },
    'no connection',
  ],
  'throws undefined': [
    () => {
      throw undefined;
    },
    'undefined',
  ],
  'throws what cannot be printed': [
    () => {
      throw Object.create(null);
    },
    null,
  ],
  'rejects with an error': [() => Promise.reject(new Error('no connection')), 'no connection'],
  'rejects with undefined': [() => Promise.reject(), 'undefined'],
  'rejects with null': [() => Promise.reject(null), 'null'],
  'rejects with a long text': [() => Promise.reject(new Error('x'.repeat(1000))), `${'x'.repeat(200)}…`],
  'returns a thenable that throws': [
    () => ({
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
      then() {
        throw new Error('then');
      },
    }),
    'then',
  ],
};
for (const [title, [collect, shown]] of Object.entries(failures)) {
  test(`a collect() that ${title} leaves its metric without the update, and changes nothing else`, async (t) => {
    const warnings = [];
    const registry = new Registry({ logger: { warn: (message) => warnings.push(message) } });
    gaugeIn(registry, 'before', {
      collect() {
        this.set(1);
      },
    });
    gaugeIn(registry, 'failing', { collect }).set(7);
    gaugeIn(registry, 'after', {
      async collect() {
        this.set(2);
      },
    });
    t.deepEqual(await samples(registry), ['before 1', 'failing 7', 'after 2']);
    const [warning] = warnings;
    if (shown === null) t.regex(warning, /^COLLECTOR_FAILED: collect\(\) of "failing" failed: /);
    else t.is(warning, `COLLECTOR_FAILED: collect() of "failing" failed: ${shown}; its metric keeps the values it had`);
    t.is(warnings.length, 1);
    t.is((await registry.scrape()).status, 200);
  });
}

test('metric.get() rejects if collect() fails', async (t) => {
  const gauge = new Gauge({ name: 'g', help: 'g', registers: [], collect: () => Promise.reject(new Error('no')) });
  await t.throwsAsync(gauge.get(), { message: 'no' });
});

test('a collect() that hangs holds a scrape no longer than timeoutMs, and may finish later', async (t) => {
  const warnings = [];
  const registry = new Registry({ logger: { warn: (message) => warnings.push(message) } });
  let finish;
  const gauge = gaugeIn(registry, 'slow', {
    async collect() {
      await new Promise((resolve) => {
        finish = resolve;
      });
      this.set(8);
    },
  });
  gauge.set(7);
  gaugeIn(registry, 'quick', {
    collect() {
      this.set(1);
    },
  });
  const started = performance.now();
  const { body } = await registry.scrape({ timeoutMs: 30 });
  const took = performance.now() - started;
  t.true(took >= 29 && took < 5000, `${took} ms`);
  t.deepEqual(samplesOf(body.toString()).slice(0, 2), ['slow 7', 'quick 1']);
  t.deepEqual(warnings, [
    'COLLECTOR_TIMEOUT: collect() of "slow" took longer than 30 ms; its metric keeps the values it had',
  ]);
  finish();
  await new Promise(setImmediate);
  t.is(gauge.value(), 8);
});

test('a collect() that rejects after its timeout has no effect', async (t) => {
  const registry = new Registry({ logger: { warn() {} } });
  let fail;
  gaugeIn(registry, 'slow', {
    collect: () =>
      new Promise((_, reject) => {
        fail = reject;
      }),
  });
  await registry.scrape({ timeoutMs: 1 });
  // AVA fails on an unhandled rejection.
  fail(new Error('too late'));
  await new Promise(setImmediate);
  t.is((await registry.scrape({ timeoutMs: 1 })).status, 200);
});

test('an invalid timeoutMs is rejected', async (t) => {
  const registry = new Registry();
  for (const timeoutMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '100', null, {}]) {
    await t.throwsAsync(
      () => registry.scrape({ timeoutMs }),
      { instanceOf: TypeError, code: 'INVALID_CONFIG', message: /^Expected milliseconds above 0 for timeoutMs/ },
      String(timeoutMs),
    );
  }
});

test('a timeoutMs longer than the longest timer of Node.js does not end at once', async (t) => {
  const warnings = [];
  const registry = new Registry({ logger: { warn: (message) => warnings.push(message) } });
  gaugeIn(registry, 'g', {
    async collect() {
      await new Promise((resolve) => setTimeout(resolve, 20));
      this.set(1);
    },
  });
  // setTimeout() treats a delay over 31 bits as one millisecond.
  const { body } = await registry.scrape({ timeoutMs: 2 ** 31 });
  t.deepEqual(warnings, []);
  t.deepEqual(samplesOf(body.toString()), ['g 1']);
});

test.serial('a scrape leaves no timer behind', async (t) => {
  const registry = new Registry();
  gaugeIn(registry, 'g', { collect: async () => {} });
  const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
  const before = timers();
  await registry.metrics();
  await registry.scrape({ timeoutMs: 60_000 });
  t.is(timers(), before);
});

test.serial('each failing collector is reported once a minute', async (t) => {
  const warnings = [];
  const registry = new Registry({ logger: { warn: (message) => warnings.push(/"(.*)"/.exec(message)[1]) } });
  const collect = () => {
    throw new Error('no');
  };
  gaugeIn(registry, 'a', { collect });
  const { now } = Date;
  let time = now();
  Date.now = () => time;
  try {
    await registry.metrics();
    await registry.metrics();
    gaugeIn(registry, 'b', { collect });
    time += 59_999;
    await registry.metrics();
    t.deepEqual(warnings, ['a', 'b']);
    time += 1;
    await registry.metrics();
    t.deepEqual(warnings, ['a', 'b', 'a']);
    time += 60_000;
    await registry.metrics();
    t.deepEqual(warnings, ['a', 'b', 'a', 'a', 'b']);
  } finally {
    Date.now = now;
  }
});

test.serial(
  "without a logger, Node.js' own warnings are used; a logger that throws does not fail the scrape",
  async (t) => {
    const throwing = {
      warn: () => {
        throw new Error('mine');
      },
    };
    for (const options of [undefined, { logger: throwing }]) {
      const registry = new Registry(options);
      gaugeIn(registry, 'g', {
        collect: () => {
          throw new Error('no');
        },
      });
      const warned = new Promise((resolve) => process.once('warning', resolve));
      t.deepEqual(await samples(registry), ['g 0']);
      const warning = await warned;
      t.is(warning.name, 'PrometheusMetricsWarning');
      t.is(warning.message, 'COLLECTOR_FAILED: collect() of "g" failed: no; its metric keeps the values it had');
    }
  },
);

test('failures are counted in scrapes only', async (t) => {
  const registry = new Registry({ logger: { warn() {} }, defaultLabels: { pod: 'p' } });
  gaugeIn(registry, 'fails', { collect: () => Promise.reject(new Error('no')) });
  const fine = gaugeIn(registry, 'fine');
  const own = text(
    '# HELP fails Some help',
    '# TYPE fails gauge',
    'fails{pod="p"} 0',
    '',
    '# HELP fine Some help',
    '# TYPE fine gauge',
    'fine{pod="p"} 0',
  );
  const counted = (times) =>
    text(
      '',
      '# HELP llmdevops_metrics_collector_errors_total Calls of a collector that failed or took too long',
      '# TYPE llmdevops_metrics_collector_errors_total counter',
      `llmdevops_metrics_collector_errors_total{collector="fails",pod="p"} ${times}`,
    );
  const scraped = async () => {
    const body = (await registry.scrape()).body.toString();
    t.is(withoutSelfMetrics(body), own);
    return body.slice(own.length);
  };
  t.true((await scraped()).startsWith(counted(1)));
  t.is(await registry.metrics(), own);
  t.is((await registry.getMetricsAsJSON()).length, 2);
  t.true((await scraped()).startsWith(counted(4)));
  t.deepEqual(registry.getMetricsAsArray(), [registry.getSingleMetric('fails'), fine]);
  const one = await registry.scrape({ names: ['fine'] });
  t.deepEqual(samplesOf(one.body.toString()), ['fine{pod="p"} 0']);
  const healthy = new Registry();
  gaugeIn(healthy);
  const body = (await healthy.scrape()).body.toString();
  t.deepEqual(samplesOf(body), ['g 0']);
  t.false(body.includes('collector_errors_total{'));
});

test('a foreign metric that fails keeps its last samples until it answers again', async (t) => {
  const warnings = [];
  const registry = new Registry({ logger: { warn: (message) => warnings.push(message) } });
  const answers = [
    () => [{ value: 1, labels: { a: 'x' } }],
    () => {
      throw new Error('no');
    },
    () => Promise.reject(undefined),
    () => [{ value: 3, labels: {} }],
  ];
  let asked = 0;
  registry.registerMetric({
    name: 'f',
    get: async () => ({ name: 'f', help: 'F', type: 'gauge', values: await answers[asked++]() }),
  });
  gaugeIn(registry);
  for (const shown of ['f{a="x"} 1', 'f{a="x"} 1', 'f{a="x"} 1', 'f 3']) {
    t.deepEqual(samplesOf((await registry.scrape()).body.toString()), [shown, 'g 0']);
  }
  t.deepEqual(warnings, ['COLLECTOR_FAILED: collect() of "f" failed: no; its metric keeps the values it had']);
  const body = (await registry.scrape({ names: ['llmdevops_metrics_collector_errors_total'] })).body.toString();
  t.is(seriesValue(body, 'llmdevops_metrics_collector_errors_total{collector="f"}'), 2);
});

test('the endpoint’s own metrics are in scrapes, and in no other output of a registry', async (t) => {
  const registry = new Registry();
  gaugeIn(registry);
  t.true((await registry.scrape()).body.toString().includes('\nllmdevops_metrics_series_count 1\n'));
  const own = '# HELP g Some help\n# TYPE g gauge\ng 0\n';
  t.is(await registry.metrics(), own);
  registry.setContentType(OPENMETRICS);
  t.is(await registry.metrics(), `${own}# EOF\n`);
  t.deepEqual(
    (await registry.getMetricsAsJSON()).map(({ name }) => name),
    ['g'],
  );
  t.deepEqual(
    registry.getMetricsAsArray().map(({ name }) => name),
    ['g'],
  );
});

test('collect() may register, remove and reset', async (t) => {
  const registry = new Registry();
  gaugeIn(registry, 'a', {
    collect() {
      registry.removeSingleMetric('b');
      registry.removeSingleMetric('f');
      registry.gauge({ name: 'd', help: 'd' }).inc();
      this.reset();
    },
  }).set(5);
  gaugeIn(registry, 'b', {
    collect() {
      this.set(1);
    },
  });
  registry.registerMetric({
    name: 'f',
    get: () => ({ name: 'f', help: 'F', type: 'gauge', values: [{ value: 1, labels: {} }] }),
  });
  gaugeIn(registry, 'c');
  t.deepEqual(await samples(registry), ['a 0', 'c 0', 'd 1']);
  t.deepEqual(await samples(registry), ['a 0', 'c 0', 'd 2']);
});

test('collect() may read the registry', async (t) => {
  const registry = new Registry();
  const other = new Registry();
  counterIn(other).inc(3);
  gaugeIn(registry, 'g', {
    async collect() {
      const [{ values }] = await other.getMetricsAsJSON();
      this.set(values[0].value);
    },
  });
  t.deepEqual(await samples(registry), ['g 3']);
});
