// Every file of prom-client that programs import by its path gives the same object to `import` and to `require`.

import { createRequire } from 'node:module';
import test from 'ava';
import { entries } from '../../.ci/entries.mjs';

const require = createRequire(import.meta.url);
const PACKAGE = '@llm-devops/prometheus-metrics';
const deep = entries().filter(({ isDeep }) => isDeep);

test('there are deep entries', (t) => {
  t.true(deep.length >= 6);
});

for (const { path } of deep) {
  for (const name of [`${PACKAGE}/${path}`, `${PACKAGE}/${path}.js`]) {
    test(`${name}: import and require`, async (t) => {
      const required = require(name);
      const imported = await import(name);
      t.is(imported.default, required.default ?? required);
      t.true(['function', 'object'].includes(typeof required));
    });
  }
}

test("prom-client's lib/defaultMetrics is the function, which registers the default metrics", async (t) => {
  const { default: collectDefaultMetrics } = await import(`${PACKAGE}/lib/defaultMetrics.js`);
  const { Registry } = require(PACKAGE);
  const register = new Registry();
  collectDefaultMetrics({ register });
  t.teardown(() => register.clear());
  t.regex(await register.metrics(), /^process_cpu_seconds_total /m);
  t.true(collectDefaultMetrics.metricsList.length > 10);
});
