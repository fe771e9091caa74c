// Tests labels in a program that has added an enumerable property to every object.

import { execFileSync } from 'node:child_process';
import test from 'ava';

/** Runs a program in a process of its own; returns its lines. */
function lines(program) {
  const source = `
    import { Counter, Gauge, Histogram, LlmMetricsCollector, Registry } from '@llm-devops/prometheus-metrics';
    Object.prototype.added = function () {};
    Object.prototype.model = 'inherited';
    const registry = new Registry();
    const registers = [registry];
    ${program}
    console.log(await registry.metrics());`;
  const flags = ['--input-type=module', '--eval', source];
  const text = execFileSync(process.execPath, flags, { cwd: new URL('.', import.meta.url), encoding: 'utf8' });
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

test('metrics without labels work', (t) => {
  t.deepEqual(
    lines(`
      const counter = new Counter({ name: 'c', help: 'h', registers });
      counter.inc();
      counter.inc({});
      counter.inc({}, 2);
      new Gauge({ name: 'g', help: 'h', registers }).set({}, 5);
      const end = new Histogram({ name: 'h', help: 'h', buckets: [1e9], registers }).startTimer();
      end({});`).filter((line) => !line.startsWith('h_sum')),
    ['c 4', 'g 5', 'h_bucket{le="1000000000"} 1', 'h_bucket{le="+Inf"} 1', 'h_count 1'],
  );
});

for (const count of [1, 2, 3, 4, 5]) {
  test(`metrics with ${count} labels work`, (t) => {
    const names = Array.from({ length: count }, (_, at) => `l${at}`);
    const labels = JSON.stringify(Object.fromEntries(names.map((name) => [name, 'x'])));
    t.deepEqual(
      lines(`
        const counter = new Counter({ name: 'c', help: 'h', labelNames: ${JSON.stringify(names)}, registers });
        for (let at = 0; at < 3; at++) counter.inc(${labels});
        counter.labels(${labels}).inc();
        counter.inc(Object.create(${labels}));
        counter.inc(Object.assign(Object.create(null), ${labels}));
        counter.remove({ l0: 'absent' });
        registry.setDefaultLabels({ region: 'eu' });`),
      [`c{${names.map((name) => `${name}="x"`).join(',')},region="eu"} 6`],
    );
  });
}

test('a label that every object has is absent unless it is given', (t) => {
  t.deepEqual(
    lines(`
      const counter = new Counter({ name: 'c', help: 'h', labelNames: ['model'], registers });
      counter.inc();
      counter.inc({});
      counter.inc({ model: 'gpt' });`),
    ['c 2', 'c{model="gpt"} 1'],
  );
});

test('unknown labels are refused, and requests to models are recorded', (t) => {
  t.deepEqual(
    lines(`
      const counter = new Counter({ name: 'c', help: 'h', labelNames: ['a'], registers });
      for (const labels of [{ b: 1 }, Object.create({ b: 1 })]) {
        try { counter.inc(labels); console.log('accepted'); } catch (error) { console.log(error.code); }
      }
      const llm = new LlmMetricsCollector({ registry });
      llm.startRequest({ model: 'gpt-4o', provider: 'openai' }).end();
      const requests = (await registry.getMetricsAsJSON()).find(({ name }) => name === 'llmdevops_llm_requests_total');
      console.log(requests.values.filter(({ value }) => value > 0).length);
      registry.clear();`),
    ['UNKNOWN_LABEL', 'UNKNOWN_LABEL', '1'],
  );
});
