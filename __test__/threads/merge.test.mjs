// Tests the merge of threads: a scrape of the main thread shows all threads, without a message between them.

import test from 'ava';
import { seriesValue, withoutSelfMetrics } from '../support/exposition.mjs';
import { attempt, MEMORIES, run } from './support/process.mjs';

for (const { memory, engineMemory } of MEMORIES) {
  test.serial(`${memory}: the main thread shows the sum of all threads, a worker its own values`, async (t) => {
    const { main, own, whole } = await run(
      async ({ client, thread }) => {
        const requests = new client.Counter({
          name: 'requests_total',
          help: 'Requests',
          labelNames: ['model', 'status'],
        });
        const seconds = new client.Histogram({ name: 'seconds', help: 'Latency', buckets: [0.1, 1] });
        requests.inc({ model: 'a', status: '200' }, 2);
        seconds.observe(0.05);
        seconds.observe(5);
        const workers = [];
        for (const number of [1, 2]) {
          const worker = thread(async ({ client, say, heard, argument: number }) => {
            const { register } = client;
            const requests = register.counter({
              name: 'requests_total',
              help: 'Other',
              labelNames: ['model', 'status'],
            });
            const seconds = new client.Histogram({ name: 'seconds', help: 'Latency', buckets: [0.1, 1] });
            requests.inc({ model: 'a', status: '200' }, 10 * number);
            requests.inc({ model: `b${number}`, status: '500' }, number);
            seconds.observe(0.25 * number);
            say('recorded');
            await heard();
            const text = async (options) => (await register.scrape(options)).body.toString();
            say({
              own: [await register.metrics(), await text({ scope: 'own' })],
              whole: await text({ scope: 'process' }),
            });
          }, number);
          // Threads are listed in the order in which they loaded the library.
          await worker.heard();
          workers.push(worker);
        }
        const { register } = client;
        const main = [await register.metrics(), (await register.scrape()).body.toString()];
        main.push((await register.scrape({ scope: 'process' })).body.toString());
        const mainOwn = (await register.scrape({ scope: 'own' })).body.toString();
        workers[1].say('scrape');
        const { own, whole } = await workers[1].heard();
        workers[0].say('scrape');
        return { main, own: [mainOwn, ...own], whole };
      },
      null,
      { engineMemory },
    );
    const merged = `# HELP requests_total Requests
# TYPE requests_total counter
requests_total{model="a",status="200"} 32
requests_total{model="b1",status="500"} 1
requests_total{model="b2",status="500"} 2

# HELP seconds Latency
# TYPE seconds histogram
seconds_bucket{le="0.1"} 1
seconds_bucket{le="1"} 3
seconds_bucket{le="+Inf"} 4
seconds_sum 5.8
seconds_count 4
`;
    t.deepEqual(main.map(withoutSelfMetrics), [merged, merged, merged]);
    const [mainOwn, ...workerOwn] = own.map(withoutSelfMetrics);
    t.is(
      mainOwn,
      `# HELP requests_total Requests
# TYPE requests_total counter
requests_total{model="a",status="200"} 2

# HELP seconds Latency
# TYPE seconds histogram
seconds_bucket{le="0.1"} 1
seconds_bucket{le="1"} 1
seconds_bucket{le="+Inf"} 2
seconds_sum 5.05
seconds_count 2
`,
    );
    const second = `# HELP requests_total Other
# TYPE requests_total counter
requests_total{model="a",status="200"} 20
requests_total{model="b2",status="500"} 2

# HELP seconds Latency
# TYPE seconds histogram
seconds_bucket{le="0.1"} 0
seconds_bucket{le="1"} 1
seconds_bucket{le="+Inf"} 1
seconds_sum 0.5
seconds_count 1
`;
    t.deepEqual(workerOwn, [second, second]);
    // The scraping thread decides help and order.
    t.is(
      withoutSelfMetrics(whole),
      `# HELP requests_total Other
# TYPE requests_total counter
requests_total{model="a",status="200"} 32
requests_total{model="b2",status="500"} 2
requests_total{model="b1",status="500"} 1

# HELP seconds Latency
# TYPE seconds histogram
seconds_bucket{le="0.1"} 1
seconds_bucket{le="1"} 3
seconds_bucket{le="+Inf"} 4
seconds_sum 5.8
seconds_count 4
`,
    );
  });

  test.serial(
    `${memory}: counts of a worker that ended stay, and are the base of the next; its gauges go`,
    async (t) => {
      const { lives, own } = await run(
        async ({ client, thread }) => {
          // The main thread knows one of the three, so the others are retired families alone.
          const requests = new client.Counter({ name: 'requests_total', help: 'Requests', labelNames: ['model'] });
          const lives = [];
          for (const value of [0.25, 0.5]) {
            const worker = thread(async ({ client, say, heard, argument: value }) => {
              new client.Counter({ name: 'requests_total', help: 'Requests', labelNames: ['model'] }).inc({
                model: 'a',
              });
              new client.Histogram({ name: 'seconds', help: 'Latency', buckets: [0.3] }).observe(value);
              new client.Gauge({ name: 'busy', help: 'Busy' }).set(value);
              new client.Counter({ name: 'untouched_total', help: 'Never written', labelNames: ['x'] });
              say('recorded');
              await heard();
            }, value);
            await worker.heard();
            lives.push(await client.register.metrics());
            worker.say('end');
            await worker.ended;
            lives.push(await client.register.metrics());
          }
          requests.inc({ model: 'a' }, 5);
          lives.push(await client.register.metrics());
          return { lives, own: (await client.register.scrape({ scope: 'own' })).body.toString() };
        },
        null,
        { engineMemory },
      );
      const text = (requests, buckets, sum, ...live) =>
        `# HELP requests_total Requests
# TYPE requests_total counter
requests_total{model="a"} ${requests}

# HELP seconds Latency
# TYPE seconds histogram
seconds_bucket{le="0.3"} ${buckets[0]}
seconds_bucket{le="+Inf"} ${buckets[1]}
seconds_sum ${sum}
seconds_count ${buckets[1]}
${live.join('')}`;
      const busy = (value) => `\n# HELP busy Busy\n# TYPE busy gauge\nbusy ${value}\n`;
      const untouched = '\n# HELP untouched_total Never written\n# TYPE untouched_total counter\n';
      t.deepEqual(lives, [
        text(1, [1, 1], 0.25, busy(0.25), untouched),
        text(1, [1, 1], 0.25),
        text(2, [1, 2], 0.75, busy(0.5), untouched),
        text(2, [1, 2], 0.75),
        text(7, [1, 2], 0.75),
      ]);
      t.is(
        withoutSelfMetrics(own),
        '# HELP requests_total Requests\n# TYPE requests_total counter\nrequests_total{model="a"} 5\n',
      );
    },
  );
}

test.serial('gauges are merged by their aggregator; a series of one thread keeps its value', async (t) => {
  const { alone, together, after } = await run(async ({ client, thread }) => {
    const set = ({ Gauge }, values) => {
      for (const aggregator of ['sum', 'first', 'min', 'max', 'average', 'omit']) {
        const gauge = new Gauge({ name: aggregator, help: 'Help', labelNames: ['at'], aggregator });
        for (const [at, value] of Object.entries(values)) gauge.set({ at }, value);
      }
      new Gauge({ name: 'unsaid', help: 'Help' }).set(values.all);
    };
    set(client, { all: 10, main: 7 });
    const alone = await client.register.metrics();
    const workers = [];
    for (const values of [
      { all: 2, one: -3 },
      { all: 60, two: 5 },
    ]) {
      const worker = thread(
        async ({ client, say, heard, programOf, argument: { set, values } }) => {
          programOf(set)(client, values);
          say('set');
          await heard();
        },
        { set: String(set), values },
      );
      await worker.heard();
      workers.push(worker);
    }
    const together = await client.register.metrics();
    for (const worker of workers) worker.say('end');
    for (const worker of workers) await worker.ended;
    return { alone, together, after: await client.register.metrics() };
  });
  const family = (name, lines) => [`# HELP ${name} Help`, `# TYPE ${name} gauge`, ...lines, ''];
  const families = (merged, names) =>
    names.flatMap((name) =>
      family(name, [
        `${name}{at="all"} ${merged[name]}`,
        `${name}{at="main"} 7`,
        ...(merged.others ?? []).map((line) => name + line),
      ]),
    );
  const names = ['sum', 'first', 'min', 'max', 'average', 'omit'];
  const own = Object.fromEntries(names.map((name) => [name, 10]));
  const expectedAlone = [...families(own, names), ...family('unsaid', ['unsaid 10'])].join('\n');
  t.is(alone, expectedAlone);
  const merged = { sum: 72, first: 10, min: 2, max: 60, average: 24, others: ['{at="one"} -3', '{at="two"} 5'] };
  t.is(together, [...families(merged, names.slice(0, -1)), ...family('unsaid', ['unsaid 72'])].join('\n'));
  t.is(after, expectedAlone);
});

test.serial('the order of label keys does not matter, and an empty label is an absent one', async (t) => {
  const text = await run(async ({ client, thread }) => {
    const counter = new client.Counter({ name: 'c_total', help: 'Help', labelNames: ['a', 'b'] });
    counter.inc({ a: '1', b: '2' });
    counter.inc({ b: '2' });
    counter.inc({});
    // Label sets whose rendered forms could be confused.
    counter.inc({ a: 'x",b="y' });
    counter.inc({ a: '1,b', b: '2' });
    const worker = thread(async ({ client, say, heard }) => {
      const counter = new client.Counter({ name: 'c_total', help: 'Help', labelNames: ['b', 'a', 'c'] });
      counter.inc({ b: '2', a: '1' }, 10);
      counter.inc({ c: '', b: '2', a: null }, 10);
      counter.inc({ a: undefined, b: '' }, 10);
      counter.inc({ a: 'x', b: 'y' }, 10);
      counter.inc({ a: 'x",b="y', c: '' }, 10);
      counter.inc({ c: '3', a: '1', b: '2' }, 10);
      say('recorded');
      await heard();
    });
    await worker.heard();
    const live = await client.register.metrics();
    worker.say('end');
    await worker.ended;
    return [live, await client.register.metrics()];
  });
  const expected = `# HELP c_total Help
# TYPE c_total counter
c_total{a="1",b="2"} 11
c_total{b="2"} 11
c_total 11
c_total{a="x\\",b=\\"y"} 11
c_total{a="1,b",b="2"} 1
c_total{a="x",b="y"} 10
c_total{c="3",a="1",b="2"} 10
`;
  t.deepEqual(text, [expected, expected]);
});

test.serial(
  'families that only workers have come after those of the main thread, and under its default labels',
  async (t) => {
    const { text, named } = await run(async ({ client, thread }) => {
      client.register.setDefaultLabels({ service: 'gateway', zone: 'main' });
      new client.Counter({ name: 'z_total', help: 'Help' }).inc();
      for (const name of ['b_total', 'a_total']) {
        const worker = thread(async ({ client, say, heard, argument: name }) => {
          client.register.setDefaultLabels({ service: 'worker', pool: '1' });
          new client.Counter({ name, help: 'Help', labelNames: ['zone'] }).inc({ zone: 'own' });
          new client.Counter({ name: 'z_total', help: 'Help' }).inc();
          say('recorded');
          await heard();
        }, name);
        await worker.heard();
        worker.worker.unref();
      }
      const names = ['a_total'];
      return {
        text: await client.register.metrics(),
        named: (await client.register.scrape({ names })).body.toString(),
      };
    });
    const a = '# HELP a_total Help\n# TYPE a_total counter\na_total{zone="own",service="gateway"} 1\n';
    t.is(
      text,
      `# HELP z_total Help
# TYPE z_total counter
z_total{service="gateway",zone="main"} 3

# HELP b_total Help
# TYPE b_total counter
b_total{zone="own",service="gateway"} 1

${a}`,
    );
    t.is(named, a);
  },
);

test.serial('families that disagree in type or buckets are left out, with one warning each', async (t) => {
  const { code, stderr, result } = await attempt(async ({ client, thread, sleep }) => {
    new client.Counter({ name: 'typed', help: 'Help' }).inc();
    new client.Histogram({ name: 'bounded', help: 'Help', buckets: [1, 2] }).observe(1);
    new client.Counter({ name: 'agreed', help: 'Help' }).inc();
    new client.Histogram({ name: 'alone', help: 'Help', buckets: [1] }).observe(1);
    const worker = thread(async ({ client, say, heard }) => {
      new client.Gauge({ name: 'typed', help: 'Help' }).set(100);
      new client.Histogram({ name: 'bounded', help: 'Help', buckets: [1, 3] }).observe(1);
      // The main thread's histogram writes samples of these names.
      new client.Gauge({ name: 'alone_count', help: 'Help' }).set(100);
      new client.Counter({ name: 'alone_sum', help: 'Help' }).inc();
      // Other labels are other series of the same family.
      new client.Counter({ name: 'agreed', help: 'Other help', labelNames: ['a'] }).inc({ a: 'b' });
      say('recorded');
      await heard();
    });
    await worker.heard();
    const live = await client.register.metrics();
    // Again, and with another call: a warning is not repeated.
    const again = (await client.register.scrape()).body.toString();
    worker.say('end');
    await worker.ended;
    const retired = await client.register.metrics();
    await sleep(10);
    return [live, again, retired];
  });
  t.is(code, 0);
  const expected = `# HELP typed Help
# TYPE typed counter
typed 1

# HELP bounded Help
# TYPE bounded histogram
bounded_bucket{le="1"} 1
bounded_bucket{le="2"} 1
bounded_bucket{le="+Inf"} 1
bounded_sum 1
bounded_count 1

# HELP agreed Help
# TYPE agreed counter
agreed 1
agreed{a="b"} 1

# HELP alone Help
# TYPE alone histogram
alone_bucket{le="1"} 1
alone_bucket{le="+Inf"} 1
alone_sum 1
alone_count 1
`;
  const [live, again, retired] = result;
  t.deepEqual([live, withoutSelfMetrics(again), retired], [expected, expected, expected]);
  // Counted by the one scrape.
  const leftOut = ['typed', 'bounded', 'alone_count', 'alone_sum'];
  for (const metric of leftOut) {
    t.is(seriesValue(again, `llmdevops_metrics_merge_mismatches_total{metric="${metric}"}`), 1);
  }
  const warnings = stderr.split('\n').filter((line) => line.includes('PrometheusMetricsWarning'));
  t.deepEqual(
    warnings.map((line) => /TYPE_MISMATCH: "(\w+)" has another type or other buckets/.exec(line)?.[1]),
    leftOut,
  );
});

test.serial('a registry made by the program is not merged', async (t) => {
  const text = await run(async ({ client, thread }) => {
    const registry = new client.Registry();
    new client.Counter({ name: 'c_total', help: 'Help', registers: [registry] }).inc();
    const worker = thread(async ({ client, say, heard }) => {
      const registers = [new client.Registry(), client.register];
      new client.Counter({ name: 'c_total', help: 'Help', registers }).inc(10);
      say((await registers[0].scrape({ scope: 'process' })).body.toString());
      await heard();
    });
    const theirs = await worker.heard();
    const ours = [await registry.metrics(), (await registry.scrape({ scope: 'process' })).body.toString()];
    worker.say('end');
    return [theirs, ...ours, await client.register.metrics()];
  });
  const expected = (value) => `# HELP c_total Help\n# TYPE c_total counter\nc_total ${value}\n`;
  t.deepEqual(text.map(withoutSelfMetrics), [expected(10), expected(1), expected(1), expected(10)]);
});

test.serial('series that a worker removed before its end are gone', async (t) => {
  const text = await run(async ({ client, thread }) => {
    await thread(({ client }) => {
      const counter = new client.Counter({ name: 'c_total', help: 'Help', labelNames: ['x'] });
      counter.inc({ x: 'removed' });
      counter.inc({ x: 'kept' });
      counter.remove('removed');
      new client.Counter({ name: 'unregistered_total', help: 'Help' }).inc();
      client.register.removeSingleMetric('unregistered_total');
      new client.Counter({ name: 'reset_total', help: 'Help' }).inc();
      client.register.getSingleMetric('reset_total').reset();
    }).ended;
    return client.register.metrics();
  });
  t.is(
    text,
    `# HELP c_total Help
# TYPE c_total counter
c_total{x="kept"} 1

# HELP reset_total Help
# TYPE reset_total counter
reset_total 0
`,
  );
});

test.serial('values as objects include all threads, and families that only a worker has', async (t) => {
  const [live, retired] = await run(async ({ client, thread }) => {
    new client.Counter({ name: 'c_total', help: 'Help', labelNames: ['x'] }).inc({ x: 1 });
    const worker = thread(async ({ client, say, heard }) => {
      new client.Counter({ name: 'c_total', help: 'Help', labelNames: ['x'] }).inc({ x: '1' }, 2);
      new client.Histogram({ name: 'h', help: 'Help', buckets: [1, 2, 3] }).observe(2);
      new client.Counter({ name: 'last_total', help: 'Help' }).inc(7);
      say('recorded');
      await heard();
    });
    await worker.heard();
    const live = await client.register.getMetricsAsJSON();
    worker.say('end');
    await worker.ended;
    return [live, await client.register.getMetricsAsJSON()];
  });
  const sample = (metricName, value, le) => ({ metricName, value, labels: le === undefined ? {} : { le } });
  const bucket = (le, value) => ({ ...sample('h_bucket', value, le), exemplar: null });
  const expected = [
    { help: 'Help', name: 'c_total', type: 'counter', values: [{ value: 3, labels: { x: '1' } }], aggregator: 'sum' },
    {
      help: 'Help',
      name: 'h',
      type: 'histogram',
      values: [bucket(1, 0), bucket(2, 1), bucket(3, 1), bucket('+Inf', 1), sample('h_sum', 2), sample('h_count', 1)],
      aggregator: 'sum',
    },
    { help: 'Help', name: 'last_total', type: 'counter', values: [{ value: 7, labels: {} }], aggregator: 'sum' },
  ];
  t.deepEqual(live, expected);
  t.deepEqual(retired, expected);
});

test.serial('an exemplar is shown although other threads have the metric', async (t) => {
  const [alone, together] = await run(async ({ client, thread }) => {
    client.register.setContentType(client.openMetricsContentType);
    const counter = new client.Counter({ name: 'c', help: 'Help', enableExemplars: true });
    counter.inc({ value: 1, exemplarLabels: { trace: 'abc' } });
    const exemplars = async () => (await client.register.metrics()).match(/# \{trace="abc"\} 1/g);
    const alone = await exemplars();
    const worker = thread(async ({ client, say, heard }) => {
      new client.Counter({ name: 'c', help: 'Help' });
      say('made');
      await heard();
    });
    await worker.heard();
    const together = await exemplars();
    worker.say('end');
    return [alone, together];
  });
  t.deepEqual(alone, ['# {trace="abc"} 1']);
  t.deepEqual(together, alone);
});
