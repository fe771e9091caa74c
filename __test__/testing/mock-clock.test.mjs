// Tests MockClock: it controls metrics, their caches and their warnings, and nothing else.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { createMetricsHandler, Gauge, Histogram, Registry, startExporter } from '@llm-devops/prometheus-metrics';
import { MockClock } from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';

const { dispose } = Symbol;
const NEW_YEAR_MS = Date.UTC(2026, 0, 1);

function of(Class, more) {
  const registry = new Registry();
  return new Class({ name: 'm', help: 'Some help', labelNames: ['a'], registers: [registry], ...more });
}

/** A mock clock that is removed after the test. */
function installed(t, options) {
  const clock = new MockClock(options).install();
  t.teardown(() => clock.restore());
  return clock;
}

// There is one clock per realm.
test.serial('timers measure the time that the clock was advanced', (t) => {
  const clock = installed(t);
  const histogram = of(Histogram);
  const gauge = of(Gauge);
  const ends = [
    histogram.startTimer({ a: 'x' }),
    histogram.labels('y').startTimer(),
    gauge.startTimer(),
    gauge.labels('y').startTimer(),
  ];
  clock.advanceMs(1500);
  t.deepEqual(
    ends.map((end) => end()),
    [1.5, 1.5, 1.5, 1.5],
  );
  clock.advanceSeconds(0.5);
  t.is(ends[0](), 2);
  t.is(
    histogram.time({ a: 'z' }, () => clock.advanceMs(0.000001)),
    undefined,
  );
  t.deepEqual(
    [histogram.value({ a: 'x' }).sum, histogram.value({ a: 'z' }).sum, gauge.value()],
    [3.5, 0.000000001, 1.5],
  );
});

test.serial('time() of an asynchronous function ends when the function does', async (t) => {
  const clock = installed(t);
  const histogram = of(Histogram);
  const work = histogram.time(async () => {
    clock.advanceSeconds(1);
    await null;
    clock.advanceSeconds(2);
  });
  await work;
  t.is(histogram.value().sum, 3);
});

test.serial('the current time is the clock’s, as a value and in exemplars', async (t) => {
  const clock = installed(t, { now: NEW_YEAR_MS });
  const gauge = of(Gauge);
  gauge.setToCurrentTime();
  t.is(gauge.value(), NEW_YEAR_MS / 1000);
  clock.advanceSeconds(60);
  gauge.labels('x').setToCurrentTime();
  t.is(gauge.value({ a: 'x' }), NEW_YEAR_MS / 1000 + 60);
  t.is(clock.nowMs, NEW_YEAR_MS + 60_000);
  const histogram = of(Histogram, { enableExemplars: true });
  histogram.observe({ value: 1, exemplarLabels: { trace: '1' } });
  const { values } = await histogram.get();
  t.is(values.find(({ exemplar }) => exemplar)?.exemplar.timestamp, NEW_YEAR_MS / 1000 + 60);
});

test.serial('setting the time of day does not advance timers', (t) => {
  const clock = installed(t, { now: new Date(NEW_YEAR_MS) });
  const end = of(Histogram).startTimer();
  clock.set(0);
  t.is(clock.nowMs, 0);
  t.is(end(), 0);
  clock.set(new Date(NEW_YEAR_MS));
  clock.advanceSeconds(1);
  t.is(clock.nowMs, NEW_YEAR_MS + 1000);
  t.is(end(), 1);
});

test.serial('cached expositions expire on the mock clock, at both doors', async (t) => {
  const clock = installed(t);
  const registry = new Registry();
  const gauge = registry.gauge({ name: 'g', help: 'G' });
  const settings = { registry, cacheTtlMs: 60_000, selfMetrics: false };
  const { url, close } = await startExporter({ ...settings, host: '127.0.0.1', port: 0 });
  t.teardown(close);
  const server = createServer(createMetricsHandler(settings)).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const doors = [`${url}/metrics`, `http://127.0.0.1:${server.address().port}/metrics`];
  const shown = async () => {
    const texts = await Promise.all(doors.map(async (door) => (await fetch(door)).text()));
    return texts.map((text) => Number(/^g (\d+)$/m.exec(text)[1]));
  };
  gauge.set(1);
  t.deepEqual(await shown(), [1, 1]);
  gauge.set(2);
  clock.advanceMs(59_999);
  t.deepEqual(await shown(), [1, 1]);
  clock.advanceMs(1);
  t.deepEqual(await shown(), [2, 2]);
});

test.serial('a warning about a collector is repeated after a minute of the mock clock', async (t) => {
  const clock = installed(t);
  const warnings = [];
  const registry = new Registry({ logger: { warn: (message) => warnings.push(message) } });
  const collect = () => {
    throw new Error('as it must');
  };
  registry.gauge({ name: 'g', help: 'G', collect });
  const scrapeAfter = async (seconds) => {
    clock.advanceSeconds(seconds);
    await registry.metrics();
    return warnings.length;
  };
  t.deepEqual([await scrapeAfter(0), await scrapeAfter(59), await scrapeAfter(1)], [1, 1, 2]);
});

test.serial('other code uses the system clock', async (t) => {
  const clock = installed(t, { now: 0 });
  t.true(Date.now() > NEW_YEAR_MS / 2);
  const begin = process.hrtime();
  await new Promise((resolve) => setTimeout(resolve, 5));
  t.true(process.hrtime(begin)[1] > 1_000_000);
  t.is(clock.nowMs, 0);
});

test.serial('restore() restores the system clock, and monotonic time never goes back', (t) => {
  const histogram = of(Histogram);
  const early = histogram.startTimer();
  const clock = new MockClock({ now: 0 }).install();
  const end = histogram.startTimer();
  clock.advanceSeconds(1000);
  clock.restore();
  for (const seconds of [end(), early()]) t.true(seconds >= 1000 && seconds < 1010, String(seconds));
  t.true(histogram.startTimer()() < 10);
  const gauge = of(Gauge);
  gauge.setToCurrentTime();
  t.true(Math.abs(gauge.value() - Date.now() / 1000) < 60);
  // A second mock clock sees the same time.
  const next = new MockClock().install();
  const later = histogram.startTimer();
  next.advanceSeconds(1);
  t.is(later(), 1);
  next[dispose]();
});

test.serial('a second mock clock throws, and the message says where the first was installed', (t) => {
  const first = installed(t);
  const { message, code } = t.throws(() => new MockClock().install());
  t.is(code, 'INVALID_CONFIG');
  t.regex(
    message,
    /^Expected no other MockClock to be installed, but one was and is not restored\. It was installed at .*mock-clock\.test\.mjs:\d+:\d+/,
  );
  t.is(t.throws(() => first.install()).code, 'INVALID_CONFIG');
  new MockClock().restore();
  first.advanceMs(1);
  first.restore();
  first.restore();
  new MockClock().install().restore();
});

test.serial('invalid times and clocks that are not installed throw', (t) => {
  const clock = installed(t);
  for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY, '1', null, undefined, 1n, Date.UTC(3000, 0)]) {
    for (const call of ['advanceMs', 'advanceSeconds', 'set']) {
      t.is(t.throws(() => clock[call](ms)).code, 'INVALID_CONFIG', `${call} ${String(ms)}`);
    }
    if (ms !== undefined) t.is(t.throws(() => new MockClock({ now: ms })).code, 'INVALID_CONFIG');
  }
  t.is(
    t.throws(() => clock.advanceMs('5')).message,
    'Expected time of 0 or more for advanceMs() but received "5" of type string',
  );
  t.is(t.throws(() => new MockClock({ now: new Date(Number.NaN) })).code, 'INVALID_CONFIG');
  const other = new MockClock();
  for (const call of [() => other.advanceMs(1), () => other.advanceSeconds(1), () => other.set(1), () => other.nowMs]) {
    t.regex(t.throws(call).message, /^Expected an installed MockClock for \w+(\(\))?: call install\(\) first$/);
  }
});
