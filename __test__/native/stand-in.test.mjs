// METRICS_ENABLED=false without the addon: the stand-in has each class and method of the addon, and calls that maintain
// registries and clocks return as ever.

import { createRequire } from 'node:module';
import test from 'ava';
import { ADDON, install, NAME, run } from './support/installed.mjs';

const require = createRequire(import.meta.url);
const addon = require(ADDON);
const { createStandIn } = require('../../dist/native/stand-in.js');

const DISABLED = { env: { METRICS_ENABLED: 'false' } };
const standIn = createStandIn(new Error('no addon'));
const classes = Object.keys(addon).filter((name) => name.startsWith('Native'));

/** Names on a class, and on an object that its constructor made. */
const names = (type, made = {}) =>
  [...Object.getOwnPropertyNames(type.prototype), ...Object.keys(made)].filter((name) => name !== 'constructor');

for (const name of classes) {
  test(`${name}: the stand-in has all methods and fields`, (t) => {
    const has = new Set(names(standIn[name], new standIn[name]([])));
    t.deepEqual(
      names(addon[name]).filter((member) => !has.has(member)),
      [],
    );
  });
}

test('every class of the addon was compared', (t) => {
  t.true(classes.length >= 11, classes.join(', '));
  t.true(names(addon.NativeFamily).length >= 10);
});

test('a registry without the addon: what is removed, replaced, mounted and reset', async (t) => {
  const { shown, stderr } = await run(
    await install(t),
    `const { Counter, Gauge, Registry, aggregators, register } = require('${NAME}');
     (async () => {
       const labelled = new Counter({ name: 'a_total', help: 'h', labelNames: ['a'], cardinality: { maxSeries: 2 } });
       labelled.inc({ a: '1' });
       const gauge = new Gauge({ name: 'b', help: 'h', labelNames: ['a'], collect() { this.set({ a: 'x' }, 1); } });
       gauge.remove('x');
       const foreign = { name: 'foreign', get: async () => ({ name: 'foreign', help: 'h', type: 'gauge', values: [{ value: 1 }] }) };
       register.registerMetric(foreign);
       const text = [await register.metrics()];
       const tenant = new Registry({ defaultLabels: { app: 'a' } });
       tenant.counter({ name: 'tenant_total', help: 'h' }).inc();
       const unmount = register.mount(tenant, { tenant: 'a' });
       text.push(await register.metrics());
       unmount();
       unmount();
       register.resetMetrics();
       register.removeSingleMetric('a_total');
       const names = register.getMetricsAsArray().map(({ name }) => name);
       register.clear();
       text.push(await register.metrics(), await tenant.metrics(), String((await tenant.scrape()).body));
       // A removed name is free.
       new Counter({ name: 'a_total', help: 'h' }).inc();
       console.log(JSON.stringify({ text, names }));
     })();`,
    DISABLED,
  );
  t.deepEqual(shown, { text: ['', '', '', '', ''], names: ['b', 'foreign'] });
  t.is(stderr.match(/PrometheusMetricsWarning/g).length, 1, stderr);
});

test('the testing kit without the addon: clocks work, and what needs the addon throws its error', async (t) => {
  const { shown } = await run(
    await install(t),
    `const { Gauge, Registry } = require('${NAME}');
     const { MockClock, parseExposition } = require('${NAME}/testing');
     const clock = new MockClock({ now: 0 }).install();
     clock.advanceMs(1500);
     const gauge = new Gauge({ name: 'g', help: 'h' });
     gauge.setToCurrentTime();
     const end = gauge.startTimer();
     clock.advanceMs(2500);
     const seconds = end();
     clock.restore();
     let code;
     try { parseExposition('a 1\\n'); } catch (error) { code = error.code; }
     console.log(JSON.stringify({ seconds, code }));`,
    DISABLED,
  );
  t.deepEqual(shown, { seconds: 2.5, code: 'ADDON_NOT_FOUND' });
});
