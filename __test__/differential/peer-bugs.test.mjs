// The bugs that prom-client and its successor share, one test each: the same program shows the bug there, exactly as
// it is today, and shows that it is absent here. A peer that repairs its bug fails its half, so no test goes stale.

import './clock.mjs';
import client from '@llm-devops/prometheus-metrics';
import successor from '@prometheus-io/client';
import test from 'ava';
import promClient from 'prom-client';
import { advanceClock, releaseClock, stopClock } from './clock.mjs';

// Callbacks that fail on purpose are warned about.
process.removeAllListeners('warning');

const OPENMETRICS = promClient.openMetricsContentType;

function registryOf({ Registry }, contentType) {
  return contentType === undefined ? new Registry() : new Registry(contentType);
}

async function attempt(call) {
  try {
    return await call();
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}

async function lines(registry) {
  return (await registry.metrics()).split('\n').filter((line) => line !== '');
}

async function samples(registry) {
  return (await lines(registry)).filter((line) => !line.startsWith('#'));
}

test('1: label values that hold the separator are series of their own', async (t) => {
  async function program(library) {
    const registers = [registryOf(library)];
    const counter = new library.Counter({ name: 'c', help: 'Some help', labelNames: ['a', 'b'], registers });
    counter.inc({ a: 'x|y', b: 'z' });
    counter.inc({ a: 'x', b: 'y|z' });
    counter.inc({ a: 'x', b: 'y' });
    counter.inc({ a: 'x,b:y' });
    return samples(registers[0]);
  }
  t.deepEqual(await program(client), [
    'c{a="x|y",b="z"} 1',
    'c{a="x",b="y|z"} 1',
    'c{a="x",b="y"} 1',
    'c{a="x,b:y"} 1',
  ]);
  t.deepEqual(await program(successor), ['c{a="x|y",b="z"} 2', 'c{a="x",b="y"} 1', 'c{a="x,b:y"} 1']);
  t.deepEqual(await program(promClient), ['c{a="x|y",b="z"} 1', 'c{a="x",b="y|z"} 1', 'c{a="x",b="y"} 2']);
});

test('2: the child of a counter with exemplars counts its own series', async (t) => {
  async function program(library) {
    const registers = [registryOf(library, OPENMETRICS)];
    const config = { name: 'c', help: 'Some help', labelNames: ['a'], registers, enableExemplars: true };
    const counter = new library.Counter(config);
    counter.labels('x').inc(5);
    return samples(registers[0]);
  }
  t.deepEqual(await program(client), ['c_total{a="x"} 5']);
  t.deepEqual(await program(successor), ['c_total 1']);
  t.deepEqual(await program(promClient), ['c_total 1']);
});

test('3: a label object may be changed and used again', async (t) => {
  async function program(library) {
    const registers = [registryOf(library)];
    const gauge = new library.Gauge({ name: 'g', help: 'Some help', labelNames: ['a'], registers });
    const labels = { a: 'series' };
    gauge.set(labels, 1);
    labels.a = 'child';
    const child = gauge.labels(labels);
    // A timer is the exception: wrappers fill its labels until it ends.
    labels.a = 'timer';
    const end = gauge.startTimer(labels);
    labels.a = 'last';
    child.set(1);
    end();
    gauge.set(labels, 1);
    return (await samples(registers[0])).map((line) => line.replace(/ .*/, ''));
  }
  t.deepEqual(await program(client), ['g{a="series"}', 'g{a="child"}', 'g{a="last"}']);
  t.deepEqual(await program(successor), ['g{a="last"}', 'g{a="last"}']);
  t.deepEqual(await program(promClient), ['g{a="last"}', 'g{a="last"}']);
});

test('4: a counter refuses NaN, and goes on counting', async (t) => {
  async function program(library) {
    const registers = [registryOf(library)];
    const counter = new library.Counter({ name: 'c', help: 'Some help', labelNames: ['a'], registers });
    const errors = [
      await attempt(() => counter.inc({ a: 'x' }, Number.NaN)),
      await attempt(() => counter.labels('x').inc(Number.NaN)),
      await attempt(() => counter.inc(Number.NaN)),
    ];
    counter.inc({ a: 'x' });
    return [...errors.map((error) => typeof error === 'string' && error), ...(await samples(registers[0]))];
  }
  const refused = 'TypeError: Value is not a valid number: NaN';
  t.deepEqual(await program(client), [refused, refused, refused, 'c{a="x"} 1']);
  t.deepEqual(await program(successor), [false, false, false, 'c{a="x"} Nan', 'c Nan']);
  t.deepEqual(await program(promClient), [false, false, false, 'c{a="x"} Nan', 'c Nan']);
});

test('4: a histogram refuses NaN by its name', async (t) => {
  async function program(library) {
    const registers = [registryOf(library)];
    const histogram = new library.Histogram({ name: 'h', help: 'Some help', buckets: [1], registers });
    return [await attempt(() => histogram.observe(Number.NaN)), ...(await samples(registers[0]))];
  }
  const untouched = ['h_bucket{le="1"} 0', 'h_bucket{le="+Inf"} 0', 'h_sum 0', 'h_count 0'];
  t.deepEqual(await program(client), ['TypeError: Value is not a valid number: NaN', ...untouched]);
  t.deepEqual(await program(successor), ['TypeError: Value is not a valid number: undefined', ...untouched]);
  t.deepEqual(await program(promClient), ['TypeError: Value is not a valid number: undefined', ...untouched]);
});

test('5: a collect() that throws or rejects costs its own metric only', async (t) => {
  async function program(library) {
    const registers = [registryOf(library)];
    const fail = () => {
      throw new Error('no connection');
    };
    const gauge = (name, collect) => new library.Gauge({ name, help: 'Some help', registers, collect });
    gauge('throws', fail).set(7);
    gauge('rejects', async () => fail()).set(8);
    gauge('works', function collect() {
      this.set(9);
    });
    return attempt(() => samples(registers[0]));
  }
  t.deepEqual(await program(client), ['throws 7', 'rejects 8', 'works 9']);
  t.deepEqual(await program(successor), 'Error: no connection');
  t.deepEqual(await program(promClient), 'Error: no connection');
});

test('6: buckets out of order, repeated or not finite are refused', async (t) => {
  async function program(library, buckets) {
    const registers = [registryOf(library)];
    const construct = () => new library.Histogram({ name: 'h', help: 'Some help', buckets, registers });
    const histogram = await attempt(construct);
    if (typeof histogram === 'string') {
      return [histogram, registers[0].getMetricsAsArray().length];
    }
    histogram.observe(1.5);
    return samples(registers[0]);
  }
  for (const buckets of [
    [5, 1, 2],
    [1, 1, 2],
    [1, Number.NaN],
  ]) {
    const [error, registered] = await program(client, buckets);
    t.regex(error, /^Error: Expected finite numbers in ascending order for the buckets of h but received \[/);
    t.is(registered, 0);
  }
  for (const peer of [successor, promClient]) {
    t.deepEqual(await program(peer, [5, 1, 2]), [
      'h_bucket{le="5"} 1',
      'h_bucket{le="1"} 1',
      'h_bucket{le="2"} 1',
      'h_bucket{le="+Inf"} 1',
      'h_sum 1.5',
      'h_count 1',
    ]);
    // One observation, and two lines of the same bucket that disagree about it.
    t.deepEqual((await program(peer, [2, 2])).slice(0, 3), [
      'h_bucket{le="2"} 1',
      'h_bucket{le="2"} 2',
      'h_bucket{le="+Inf"} 1',
    ]);
  }
});

test('7: remove() with a part of the labels removes the series whose other labels are empty', async (t) => {
  async function program(library) {
    const registers = [registryOf(library)];
    const counter = new library.Counter({ name: 'c', help: 'Some help', labelNames: ['a', 'b'], registers });
    counter.inc({ a: 'x', b: 'y' });
    counter.inc({ a: 'x', b: '' });
    counter.inc({ a: '', b: '' });
    counter.remove({ a: 'x' });
    counter.remove({});
    return samples(registers[0]);
  }
  t.deepEqual(await program(client), ['c{a="x",b="y"} 1']);
  t.deepEqual(await program(successor), ['c{a="x",b="y"} 1', 'c{a="",b=""} 1']);
  t.deepEqual(await program(promClient), ['c{a="x",b="y"} 1', 'c{a="x",b=""} 1', 'c{a="",b=""} 1']);
});

test('8: a label that is null, undefined or empty is an absent one', async (t) => {
  async function program(library) {
    const registers = [registryOf(library)];
    const counter = new library.Counter({ name: 'c', help: 'Some help', labelNames: ['a', 'b'], registers });
    counter.inc({ a: 'x' });
    counter.inc({ a: 'x', b: null });
    counter.inc({ a: 'x', b: undefined });
    counter.inc({ a: 'x', b: '' });
    counter.inc({ b: null, a: undefined });
    counter.inc({});
    return samples(registers[0]);
  }
  t.deepEqual(await program(client), ['c{a="x"} 4', 'c 2']);
  t.deepEqual(await program(successor), ['c{a="x"} 4', 'c{b="null",a="undefined"} 1', 'c 1']);
  t.deepEqual(await program(promClient), [
    'c{a="x"} 2',
    'c{a="x",b="null"} 1',
    'c{a="x",b=""} 1',
    'c{b="null",a="undefined"} 1',
    'c 1',
  ]);
});

test('9: OpenMetrics leaves metrics as they are, and is valid', async (t) => {
  async function program(library) {
    const registers = [registryOf(library, OPENMETRICS)];
    const counter = new library.Counter({ name: 'c_total', help: 'a "quoted" word', registers });
    new library.Histogram({ name: 'h', help: 'Some help', buckets: [1, 2.5], registers });
    return [...(await lines(registers[0])), counter.name];
  }
  t.deepEqual(await program(client), [
    '# HELP c a \\"quoted\\" word',
    '# TYPE c counter',
    'c_total 0',
    '# HELP h Some help',
    '# TYPE h histogram',
    'h_bucket{le="1.0"} 0',
    'h_bucket{le="2.5"} 0',
    'h_bucket{le="+Inf"} 0',
    'h_sum 0',
    'h_count 0',
    '# EOF',
    'c_total',
  ]);
  for (const peer of [successor, promClient]) {
    t.deepEqual(await program(peer), [
      '# HELP c a "quoted" word',
      '# TYPE c counter',
      'c_total 0',
      '# HELP h Some help',
      '# TYPE h histogram',
      'h_bucket{le="1"} 0',
      'h_bucket{le="2.5"} 0',
      'h_bucket{le="+Inf"} 0',
      'h_sum 0',
      'h_count 0',
      '# EOF',
      'c',
    ]);
  }
});

test.serial('10: the window of a summary forgets step by step, and prints NaN when it has forgotten all', async (t) => {
  async function program({ Registry, Summary }) {
    stopClock();
    const registry = new Registry();
    const window = { maxAgeSeconds: 5, ageBuckets: 5, percentiles: [0.5] };
    const summary = new Summary({ name: 's', help: 'Some help', registers: [registry], ...window });
    const median = async () => (await summary.get()).values[0].value;
    const seen = [];
    // One value a second, so that the window has the last five.
    for (let second = 0; second < 12; second += 1) {
      summary.observe(second);
      seen.push(await median());
      advanceClock(513);
    }
    advanceClock(513 * 5);
    seen.push(await median(), (await registry.metrics()).match(/quantile="0.5"\} (.*)/)[1]);
    releaseClock();
    return seen;
  }
  // Objects have 0, as in the peers.
  t.deepEqual(await program(client), [0, 0.5, 1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9, 0, 'NaN']);
  for (const peer of [successor, promClient]) {
    const seen = await program(peer);
    // All steps but the newest share one digest, in which each value counts several times, and the older the more often.
    t.deepEqual(seen.slice(0, 3), [0, 4 / 9, 7 / 9]);
    t.notDeepEqual(seen.slice(3, 12), [1.5, 2, 3, 4, 5, 6, 7, 8, 9]);
    t.deepEqual(seen.slice(12), [0, '0']);
  }
});
