// Tests what requests of strangers can cause in the application: warnings, calls of its callbacks, and errors of its
// collectors.

import http from 'node:http';
import { createHttpMetrics, Gauge, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { DOORS } from './exporter/support/doors.mjs';
import { ask, listen } from './metrics/support/ledger.mjs';

const SECRET = 'hunter2';
const fail = () => {
  throw new Error(
    `connect postgres://app:${SECRET}@db:5432/app\n    at query\r\n\u001b[31mforged line ${'x'.repeat(500)}`,
  );
};
const reject = async () => fail();

/** A registry whose logger keeps the warnings. */
function logged() {
  const warnings = [];
  return { warnings, registry: new Registry({ logger: { warn: (message) => warnings.push(message) } }) };
}

function isFitForLog(t, warning) {
  t.notRegex(warning, /\p{Cc}/u, 'it is one line');
  t.false(warning.includes(SECRET), warning);
  t.true(warning.length < 400, `${warning.length} characters`);
}

for (const { door, open } of DOORS) {
  for (const [way, callback] of Object.entries({ throws: fail, rejects: reject })) {
    test.serial(
      `${door}: callbacks of which each ${way} warn once a minute, on one line and without secrets`,
      async (t) => {
        const { registry, warnings } = logged();
        new Gauge({ name: 'g', help: 'h', registers: [registry], collect: callback });
        const checks = { db: callback, 'odd\nname': callback };
        const guarded = await open(t, { registry, authenticate: callback });
        const served = await open(t, { registry, checks });
        for (let n = 0; n < 20; n++) {
          t.is((await guarded.ask('/metrics', { headers: { 'x-forwarded-for': `10.0.0.${n}` } })).status, 503);
          t.is((await served.ask(`/metrics?name[]=g&name[]=${n}`)).status, 200);
          t.is((await served.ask('/ready')).status, 503);
        }
        const starts = warnings.map((warning) => warning.slice(0, 24)).sort();
        t.deepEqual(starts, [
          'COLLECTOR_FAILED: collec',
          'Readiness check "db" fai',
          'Readiness check "odd\ufffdnam',
          'authenticate() failed: c',
        ]);
        for (const warning of warnings) isFitForLog(t, warning);
      },
    );
  }

  test.serial(
    `${door}: a storm of probes calls a check at most ten times a second, and one caller is not late`,
    async (t) => {
      let calls = 0;
      let ready = true;
      const checks = {
        db: async () => {
          calls++;
          await new Promise((resolve) => setTimeout(resolve, 5));
          return ready;
        },
      };
      const { ask } = await open(t, { registry: logged().registry, checks });
      const started = performance.now();
      for (let n = 0; n < 20; n++) await Promise.all(Array.from({ length: 20 }, () => ask('/ready')));
      const seconds = Math.ceil((performance.now() - started) / 1000);
      t.true(calls >= 1 && calls <= 10 * (seconds + 1), `${calls} calls in ${seconds} s`);
      // An ordinary prober sees a change with its next probe.
      await new Promise((resolve) => setTimeout(resolve, 1100));
      ready = false;
      t.is((await ask('/ready')).status, 503);
      ready = true;
      t.is((await ask('/ready')).status, 200);
    },
  );

  test.serial(`${door}: a check that never ends is not called for each probe`, async (t) => {
    let calls = 0;
    const { registry, warnings } = logged();
    const checks = {
      db: () => {
        calls++;
        return new Promise(() => {});
      },
    };
    const { ask } = await open(t, { registry, checks, readyTimeoutMs: 50 });
    for (let n = 0; n < 10; n++) {
      const { status, body } = await ask('/ready');
      t.is(status, 503);
      t.regex(body.toString(), /"db":"timed out"/);
    }
    t.is(calls, 1);
    t.deepEqual(warnings, ['Readiness check "db" took longer than 50 ms']);
  });
}

test.serial('createHttpMetrics(): callbacks that fail warn once, on one line and without secrets', async (t) => {
  const warnings = [];
  const listener = ({ name, message }) => name === 'PrometheusMetricsWarning' && warnings.push(message);
  process.on('warning', listener);
  t.teardown(() => process.off('warning', listener));
  const metrics = createHttpMetrics({ registry: new Registry(), route: fail, ignore: fail });
  const server = http.createServer((request, response) => metrics(request, response, () => response.end()));
  const port = await listen(t, server);
  for (let n = 0; n < 10; n++) await ask(port, 'GET', `/${n}`);
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.deepEqual(warnings.map((warning) => warning.slice(0, 30)).sort(), [
    'ignore of createHttpMetrics() ',
    'route of createHttpMetrics() f',
  ]);
  for (const warning of warnings) isFitForLog(t, warning);
});
