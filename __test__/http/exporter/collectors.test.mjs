// Tests collectors that fail, through both doors: a scrape loses their update and nothing else.

import { inspect } from 'node:util';
import { Gauge, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { samplesOf, seriesValue } from '../../support/exposition.mjs';
import { DOORS, eventually, everything } from './support/doors.mjs';

const BUDGET = 'x-prometheus-scrape-timeout-seconds';

/** A registry with a gauge of 7 whose collect() is tested, between two that work; and the warnings. */
function registryOf(collect) {
  const warnings = [];
  const registry = new Registry({ logger: { warn: (message) => warnings.push(message) } });
  const registers = [registry];
  const counting = (name) => {
    let calls = 0;
    new Gauge({
      name,
      help: 'h',
      registers,
      collect() {
        this.set(++calls);
      },
    });
  };
  counting('before');
  const gauge = new Gauge({ name: 'g', help: 'h', registers, collect });
  gauge.set(7);
  counting('after');
  return { registry, gauge, warnings };
}

const errorsOf = (body) => seriesValue(body, 'llmdevops_metrics_collector_errors_total{collector="g"}');

async function scraped(ask, seconds) {
  const { status, body } = await ask('/metrics', { headers: seconds === undefined ? {} : { [BUDGET]: seconds } });
  return { status, text: body.toString() };
}

function unspeakable() {
  return Object.defineProperty(new Error(), 'message', {
    get() {
      throw new Error('no word');
    },
  });
}

const failing = {
  'throws an error': [
    () => {
      throw new Error('no route');
    },
    'failed: no route',
  ],
  'throws undefined': [
    () => {
      throw undefined;
    },
    'failed: undefined',
  ],
  'throws a string': [
    () => {
      throw 'as text';
    },
    "failed: 'as text'",
  ],
  rejects: [() => Promise.reject(new Error('no route')), 'failed: no route'],
  'rejects with undefined': [() => Promise.reject(undefined), 'failed: undefined'],
  'rejects later with null': [() => new Promise((_, reject) => setTimeout(reject, 5, null)), 'failed: null'],
  'returns a thenable that throws': [
    () => ({
      // biome-ignore lint/suspicious/noThenProperty: an object that looks like a promise is tested
      then() {
        throw new Error('in then');
      },
    }),
    'failed: in then',
  ],
  'throws an error without a message that is text': [
    () => {
      throw Object.assign(new Error('x'), { message: Symbol('odd') });
    },
    'failed: Symbol(odd)',
  ],
  'throws what cannot be shown': [
    () => {
      throw {
        [inspect.custom]() {
          throw new Error('no look');
        },
      };
    },
    'failed: something that cannot be shown',
  ],
  'rejects with an error whose message throws': [
    () => Promise.reject(unspeakable()),
    'failed: something that cannot be shown',
  ],
};

for (const { door, open } of DOORS) {
  for (const [title, [collect, words]] of Object.entries(failing)) {
    test.serial(`${door}: a collect() that ${title}`, async (t) => {
      const { registry, warnings } = registryOf(collect);
      const { ask } = await open(t, { registry });
      for (const times of [1, 2, 3]) {
        const { status, text } = await scraped(ask);
        t.is(status, 200);
        t.deepEqual(samplesOf(text), [`before ${times}`, 'g 7', `after ${times}`]);
        t.is(errorsOf(text), times);
      }
      // Once a minute.
      t.deepEqual(warnings, [`COLLECTOR_FAILED: collect() of "g" ${words}; its metric keeps the values it had`]);
    });
  }

  test.serial(
    `${door}: a collect() that hangs costs nine tenths of what the scraper gives, and is counted`,
    async (t) => {
      const { registry, warnings } = registryOf(() => new Promise(() => {}));
      const { ask } = await open(t, { registry, timeoutMs: 100 });
      for (const times of [1, 2]) {
        const started = performance.now();
        const { status, text } = await scraped(ask, '0.2');
        const took = performance.now() - started;
        t.is(status, 200);
        t.true(took >= 170, `${took} ms`);
        t.deepEqual(samplesOf(text), [`before ${times}`, 'g 7', `after ${times}`]);
        t.is(errorsOf(text), times);
      }
      t.deepEqual(warnings, [
        'COLLECTOR_TIMEOUT: collect() of "g" took longer than 180 ms; its metric keeps the values it had',
      ]);
    },
  );

  test.serial(`${door}: a scraper that waits for less than timeoutMs does not make a collect() fail`, async (t) => {
    const { registry, warnings } = registryOf(() => new Promise((resolve) => setTimeout(resolve, 150)));
    const { ask } = await open(t, { registry });
    for (const seconds of ['0.0001', '0.001', '0.1', '1e-9']) {
      const { status, text } = await scraped(ask, seconds);
      t.is(status, 200);
      t.is(errorsOf(text), undefined);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
    t.is(errorsOf((await scraped(ask)).text), undefined);
    t.deepEqual(warnings, []);
  });

  test.serial(
    `${door}: a collect() that takes longer than timeoutMs is counted once, though no scraper waited`,
    async (t) => {
      const { registry, warnings } = registryOf(() => new Promise(() => {}));
      const { ask } = await open(t, { registry, timeoutMs: 400 });
      for (let n = 0; n < 5; n++) await scraped(ask, '0.01');
      await new Promise((resolve) => setTimeout(resolve, 600));
      t.deepEqual(warnings, [
        'COLLECTOR_TIMEOUT: collect() of "g" took longer than 400 ms; its metric keeps the values it had',
      ]);
      t.is(errorsOf((await scraped(ask, '0.01')).text), 1);
    },
  );

  test.serial(`${door}: timeoutMs is the budget if the scraper sends no timeout`, async (t) => {
    const { registry, warnings } = registryOf(() => new Promise(() => {}));
    const { ask } = await open(t, { registry, timeoutMs: 60 });
    for (const seconds of [undefined, 'soon', '-5', '0']) t.is((await scraped(ask, seconds)).status, 200);
    t.regex(warnings[0], /took longer than 60 ms/);
    t.is(warnings.length, 1);
  });

  test.serial(`${door}: the value of a late collect() is in the next scrape`, async (t) => {
    let finish;
    let calls = 0;
    const { registry, gauge } = registryOf(async function () {
      if (++calls > 1) return;
      await new Promise((resolve) => {
        finish = resolve;
      });
      this.set(8);
    });
    const { ask } = await open(t, { registry });
    t.is(seriesValue((await scraped(ask, '0.1')).text, 'g'), 7);
    t.true(await eventually(() => finish !== undefined));
    finish();
    await new Promise(setImmediate);
    t.is(gauge.value(), 8);
    t.is(seriesValue((await scraped(ask, '0.1')).text, 'g'), 8);
  });

  test.serial(`${door}: a collect() that rejects after its timeout has no effect`, async (t) => {
    let fail;
    const { registry } = registryOf(
      () =>
        new Promise((_, reject) => {
          fail = reject;
        }),
    );
    const { ask } = await open(t, { registry });
    await scraped(ask, '0.1');
    t.true(await eventually(() => fail !== undefined));
    // AVA fails on an unhandled rejection.
    fail(undefined);
    await new Promise(setImmediate);
    t.is((await scraped(ask, '0.1')).status, 200);
  });

  test.serial(
    `${door}: a call is shared for a second, for all timeouts of scrapers, and made again afterwards`,
    async (t) => {
      let calls = 0;
      let calledAt;
      const { registry } = registryOf(() => {
        calls++;
        calledAt ??= performance.now();
        return new Promise(() => {});
      });
      const { ask } = await open(t, { registry });
      const first = scraped(ask, '0.6');
      t.true(await eventually(() => calls === 1));
      const others = Array.from({ length: 10 }, () => scraped(ask, '0.2'));
      for (const { status } of await Promise.all([first, ...others])) t.is(status, 200);
      await scraped(ask, '0.05');
      const before = calls;
      const seconds = (performance.now() - calledAt) / 1000;
      t.true(before <= 1 + Math.floor(seconds), `${before} calls in ${seconds} s`);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      await scraped(ask, '0.05');
      t.true(await eventually(() => calls > before));
    },
  );

  test.serial(
    `${door}: 50 scrapes that wait for a slow collect() share its call, and all show what it set`,
    async (t) => {
      let calls = 0;
      let finish;
      const { registry } = registryOf(async function () {
        calls++;
        await new Promise((resolve) => {
          finish = resolve;
        });
        this.set(100);
      });
      const { ask } = await open(t, { registry });
      const scrapes = Array.from({ length: 50 }, () => scraped(ask));
      await new Promise((resolve) => setTimeout(resolve, 300));
      t.is(calls, 1);
      finish();
      for (const { text } of await Promise.all(scrapes)) t.is(seriesValue(text, 'g'), 100);
    },
  );

  test.serial(`${door}: a collector that is registered and removed while a scrape waits`, async (t) => {
    let finish;
    const { registry } = registryOf(
      () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    );
    const { ask } = await open(t, { registry });
    const scraping = scraped(ask);
    while (finish === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    registry.removeSingleMetric('g');
    registry.removeSingleMetric('before');
    finish();
    t.deepEqual(samplesOf((await scraping).text), ['after 1']);
    t.deepEqual(samplesOf((await scraped(ask)).text), ['after 2']);
  });

  test.serial(`${door}: a logger that throws does not fail the scrape`, async (t) => {
    const registry = new Registry({
      logger: {
        warn() {
          throw new Error('mine');
        },
      },
    });
    new Gauge({ name: 'g', help: 'h', registers: [registry], collect: () => Promise.reject(new Error('no')) }).set(1);
    const warned = new Promise((resolve) => process.once('warning', resolve));
    const { ask } = await open(t, { registry });
    const { status, text } = await scraped(ask);
    t.is(status, 200);
    t.is(seriesValue(text, 'g'), 1);
    t.is((await warned).message, 'COLLECTOR_FAILED: collect() of "g" failed: no; its metric keeps the values it had');
  });
}

test.serial(
  'createMetricsHandler(): 50 scrapes that arrive in one turn of the loop call a collect() once',
  async (t) => {
    let calls = 0;
    const { registry } = registryOf(() => void calls++);
    const { connect } = await DOORS[0].open(t, { registry, selfMetrics: false });
    const socket = await connect();
    // In one packet, so that Node.js reads all of them at once.
    const request = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n';
    socket.write(request.repeat(49) + request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    const all = await everything(socket);
    t.is(all.match(/^before 1$/gm).length, 50);
    t.is(calls, 1);
  },
);

test.serial(
  'createMetricsHandler(): a turn calls a collect() once, for all filters and timeouts of its scrapes',
  async (t) => {
    let calls = 0;
    const { registry } = registryOf(() => void calls++);
    const { connect } = await DOORS[0].open(t, { registry, selfMetrics: false });
    const socket = await connect();
    const request = (n, end = '') =>
      `GET /metrics?name[]=g&name[]=none${n % 7} HTTP/1.1\r\nHost: x\r\n${BUDGET}: ${n + 1}\r\n${end}\r\n`;
    socket.write(Array.from({ length: 50 }, (_, n) => request(n, n === 49 ? 'Connection: close\r\n' : '')).join(''));
    const all = await everything(socket);
    t.is(all.match(/^g 7$/gm).length, 50);
    t.is(calls, 1);
  },
);

test.serial(
  'createMetricsHandler(): scrapes of a turn with different names do not share their collections',
  async (t) => {
    const registry = new Registry();
    for (const name of ['a', 'b']) {
      new Gauge({
        name,
        help: 'h',
        registers: [registry],
        collect() {
          this.set(7);
        },
      });
    }
    const { connect } = await DOORS[0].open(t, { registry, selfMetrics: false });
    const socket = await connect();
    const request = (query, end = '') => `GET /metrics?${query} HTTP/1.1\r\nHost: x\r\n${end}\r\n`;
    // The name "a b" collects nothing.
    socket.write(request('name[]=a%20b') + request('name[]=a&name[]=b', 'Connection: close\r\n'));
    const all = await everything(socket);
    t.regex(all, /^a 7$/m);
    t.regex(all, /^b 7$/m);
  },
);

test.serial('startExporter(): scrapes that wait for the event loop share one call of collect()', async (t) => {
  let calls = 0;
  const { registry } = registryOf(() => void calls++);
  const { connect } = await DOORS[1].open(t, { registry, selfMetrics: false });
  const sockets = await Promise.all(Array.from({ length: 50 }, () => connect()));
  for (const socket of sockets) socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  // The requests go out now; the exporter reads them while this thread does something else.
  await new Promise(setImmediate);
  for (const end = performance.now() + 500; performance.now() < end; );
  const answers = await Promise.all(sockets.map(everything));
  t.true(answers.every((answer) => /^HTTP\/1.1 200 /.test(answer)));
  t.log(`${calls} calls for 50 scrapes`);
  // One call for the scrapes before the loop turned, and one for each turn in which others came.
  t.true(calls >= 1 && calls <= 5, `${calls} calls`);
});
