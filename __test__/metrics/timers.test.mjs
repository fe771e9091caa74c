// Tests the timers of gauges and histograms: a call ends them, or `using`, or the end of a function.

import vm from 'node:vm';
import { Gauge, Histogram, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { samples } from '../support/exposition.mjs';

/** `using` ends a block with this method; the syntax itself is newer than the oldest Node.js we run on. */
const { dispose } = Symbol;

function of(Class, more) {
  const registry = new Registry();
  const config = { name: 'm', help: 'Some help', labelNames: ['a', 'b'], registers: [registry], ...more };
  return { registry, metric: new Class(Class === Histogram ? { buckets: [60], ...config } : config) };
}

/** The seconds that a timer has recorded: the gauge's value, or the histogram's one observation. */
function recorded(metric, labels) {
  const value = metric.value(labels);
  if (metric instanceof Gauge) return value;
  return value.count === 1 ? value.sum : `${value.count} observations`;
}

/** Runs a body with a clock that only the body moves; timers read `process.hrtime`. */
function withClock(body) {
  const { hrtime } = process;
  let now = [1000, 999_999_999];
  process.hrtime = Object.assign((since) => {
    if (since === undefined) return [...now];
    const nanoseconds = now[1] - since[1];
    return nanoseconds < 0 ? [now[0] - since[0] - 1, nanoseconds + 1e9] : [now[0] - since[0], nanoseconds];
  }, hrtime);
  const restore = () => {
    process.hrtime = hrtime;
  };
  const result = body((seconds, nanoseconds = 0) => {
    now = [now[0] + seconds, now[1] + nanoseconds];
    if (now[1] >= 1e9) now = [now[0] + 1, now[1] - 1e9];
  });
  if (result instanceof Promise) return result.finally(restore);
  restore();
  return result;
}

// Tests that stop the clock run one after the other.
for (const Class of [Gauge, Histogram]) {
  const { name } = Class;

  test.serial(`${name}: startTimer() records seconds, and end() returns them`, (t) => {
    const { metric } = of(Class);
    withClock((pass) => {
      const end = metric.startTimer();
      pass(2, 500_000_001);
      t.is(end(), 2.500000001);
    });
    t.is(recorded(metric), 2.500000001);
  });

  test.serial(`${name}: labels come from the start and the end; the end wins`, async (t) => {
    const { metric } = of(Class);
    withClock((pass) => {
      const both = metric.startTimer({ a: 'x', b: 'start' });
      const start = metric.startTimer({ a: 'start' });
      const end = metric.startTimer();
      pass(1);
      both({ b: 'end' });
      start();
      end({ b: 'y' });
    });
    t.is(recorded(metric, { a: 'x', b: 'end' }), 1);
    t.is(recorded(metric, { a: 'start' }), 1);
    t.is(recorded(metric, { b: 'y' }), 1);
    t.is((await metric.get()).values.length, Class === Gauge ? 3 : 12);
  });

  test.serial(`${name}: every end() records the time since the start`, (t) => {
    const { metric } = of(Class);
    withClock((pass) => {
      const end = metric.startTimer({ a: 'x' });
      pass(1);
      t.is(end(), 1);
      pass(1);
      t.is(end(), 2);
    });
    if (Class === Gauge) t.is(metric.value({ a: 'x' }), 2);
    else t.deepEqual([metric.value({ a: 'x' }).count, metric.value({ a: 'x' }).sum], [2, 3]);
  });

  test.serial(`${name}: the timer of a child records its series`, (t) => {
    const { metric } = of(Class);
    withClock((pass) => {
      const end = metric.labels('x', 'y').startTimer();
      pass(3);
      t.is(end(), 3);
    });
    t.is(recorded(metric, { a: 'x', b: 'y' }), 3);
  });

  test.serial(`${name}: the end of a block records, unless end() was called`, async (t) => {
    const { registry, metric } = of(Class);
    withClock((pass) => {
      const left = metric.startTimer({ a: 'left' });
      const ended = metric.startTimer({ a: 'ended' });
      const child = metric.labels('child', '').startTimer();
      pass(1);
      ended();
      pass(1);
      for (const timer of [left, ended, child]) t.is(timer[dispose](), undefined);
      pass(1);
      // Once is enough.
      for (const timer of [left, ended, child]) timer[dispose]();
    });
    t.is(recorded(metric, { a: 'left' }), 2);
    t.is(recorded(metric, { a: 'ended' }), 1);
    t.is(recorded(metric, { a: 'child' }), 2);
    const shown = await samples(registry);
    t.is(shown.length, Class === Gauge ? 3 : 12);
  });

  test.serial(`${name}: time() records the time of a function, and returns its result`, (t) => {
    const { metric } = of(Class);
    withClock((pass) => {
      const taking = (seconds, result) => () => {
        pass(seconds);
        return result;
      };
      const result = {};
      t.is(metric.time(taking(1, result)), result);
      t.is(metric.time({ a: 'x' }, taking(2, 'x')), 'x');
      t.is(metric.time({ a: 'undefined' }, taking(3)), undefined);
    });
    t.is(recorded(metric), 1);
    t.is(recorded(metric, { a: 'x' }), 2);
    t.is(recorded(metric, { a: 'undefined' }), 3);
  });

  test.serial(`${name}: time() records the time of a function that throws, and throws the same error`, (t) => {
    const { metric } = of(Class);
    const error = new Error('mine');
    withClock((pass) => {
      const thrown = t.throws(() =>
        metric.time({ a: 'x' }, () => {
          pass(2);
          throw error;
        }),
      );
      t.is(thrown, error);
    });
    t.is(recorded(metric, { a: 'x' }), 2);
  });

  test.serial(`${name}: time() waits for a promise, fulfilled or not`, async (t) => {
    const { metric } = of(Class);
    const error = new Error('mine');
    await withClock(async (pass) => {
      const turn = () => new Promise(setImmediate);
      const work = async (seconds, result) => {
        await turn();
        pass(seconds);
        return result;
      };
      const promise = metric.time({ a: 'x' }, () => work(2, 'result'));
      t.true(promise instanceof Promise);
      t.deepEqual((await metric.get()).values, []);
      t.is(await promise, 'result');
      const failing = metric.time({ a: 'y' }, async () => {
        await work(3);
        throw error;
      });
      t.is(await t.throwsAsync(failing), error);
    });
    t.is(recorded(metric, { a: 'x' }), 2);
    t.is(recorded(metric, { a: 'y' }), 3);
  });

  test(`${name}: time() waits for a promise of another realm`, async (t) => {
    const { metric } = of(Class);
    let fulfil;
    const executor = (resolve) => {
      fulfil = resolve;
    };
    const promise = metric.time({ a: 'x' }, () => vm.runInNewContext('new Promise(executor)', { executor }));
    const before = (await metric.get()).values.length;
    fulfil('result');
    t.is(await promise, 'result');
    t.is(before, 0);
    t.not((await metric.get()).values.length, 0);
  });

  test(`${name}: a real clock`, async (t) => {
    const { metric } = of(Class);
    const started = process.hrtime.bigint();
    const end = metric.startTimer();
    await new Promise((resolve) => setTimeout(resolve, 5));
    const seconds = end();
    const outer = Number(process.hrtime.bigint() - started) / 1e9;
    t.true(seconds >= 0.004 && seconds <= outer, `${seconds} of ${outer}`);
    t.is(recorded(metric), seconds);
  });

  test(`${name}: a timer with invalid labels throws when it ends, and records nothing`, async (t) => {
    const { registry, metric } = of(Class);
    const end = metric.startTimer({ q: 'x' });
    t.throws(end, { code: 'UNKNOWN_LABEL' });
    t.throws(() => metric.startTimer()({ q: 'x' }), { code: 'UNKNOWN_LABEL' });
    t.deepEqual(await samples(registry), []);
  });

  test.serial(`${name}: the labels of a timer are read when it ends`, (t) => {
    const { metric } = of(Class);
    withClock((pass) => {
      const labels = { a: 'x' };
      const end = metric.startTimer(labels);
      labels.a = 'y';
      pass(1);
      end();
    });
    t.is(recorded(metric, { a: 'y' }), 1);
  });
}
