// A real Pushgateway takes what `Pushgateway` sends, and shows it again.

import { Counter, Gauge, Histogram, Pushgateway, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { freePort } from '../support/ports.mjs';
import { Process } from './support/processes.mjs';

async function startPushgateway(t) {
  const address = `127.0.0.1:${await freePort()}`;
  const child = new Process('prometheus-pushgateway', [
    `--web.listen-address=${address}`,
    '--persistence.file=',
    '--log.level=warn',
  ]);
  t.teardown(() => child.stop());
  const url = `http://${address}`;
  await child.until(async () => ((await fetch(`${url}/-/ready`)).ok ? true : undefined), 'it was ready');
  return url;
}

/** The groups that a Pushgateway has: their labels, and by name the samples' labels (without the group's) and values. */
async function groups(url) {
  const { data } = await (await fetch(`${url}/api/v1/metrics`)).json();
  return data.map(({ labels, last_push_successful, push_time_seconds, push_failure_time_seconds, ...families }) => {
    const own = ([name]) => !(name in labels) && name !== 'instance';
    const sample = ({ labels: all, value, count, sum, buckets }) => ({
      labels: Object.fromEntries(Object.entries(all ?? {}).filter(own)),
      ...(value === undefined ? { count, sum, buckets } : { value: Number(value) }),
    });
    const shown = ([name, { metrics }]) => [name, metrics.map(sample)];
    return { labels, families: Object.fromEntries(Object.entries(families).map(shown)) };
  });
}

function jobRegistry(contentType) {
  const registry = new Registry(contentType);
  const registers = [registry];
  new Counter({ name: 'rows_total', help: 'Rows', labelNames: ['table'], registers }).inc({ table: 'a "b"\\\n' }, 3);
  new Gauge({ name: 'last_success_seconds', help: 'Time', registers }).set(1.5e9);
  new Histogram({ name: 'step_seconds', help: 'Steps', buckets: [1, 5], registers }).observe(2);
  return registry;
}

const FAMILIES = {
  rows_total: [{ labels: { table: 'a "b"\\\n' }, value: 3 }],
  last_success_seconds: [{ labels: {}, value: 1.5e9 }],
  step_seconds: [{ labels: {}, count: '1', sum: '2', buckets: { 1: '0', 5: '1', '+Inf': '1' } }],
};

for (const headers of [{}, { 'Content-Encoding': 'gzip' }]) {
  test(`a Pushgateway shows what was pushed, with ${JSON.stringify(headers)}`, async (t) => {
    const url = await startPushgateway(t);
    const gateway = new Pushgateway(url, { headers }, jobRegistry());
    for (const groupings of [
      {},
      { instance: 'host-1' },
      { path: '/var/tmp', zone: 'eu west' },
      { dots: '..', dot: '.', text: 'va&lue ?#%+é' },
    ]) {
      for (const method of ['push', 'pushAdd']) {
        const { resp } = await gateway[method]({ jobName: 'nightly/backup', groupings });
        t.is(resp.statusCode, 200);
      }
      t.deepEqual(await groups(url), [{ labels: { job: 'nightly/backup', ...groupings }, families: FAMILIES }]);
      const { resp } = await gateway.delete({ jobName: 'nightly/backup', groupings });
      t.is(resp.statusCode, 202);
      t.deepEqual(await groups(url), []);
    }
  });
}

test('a grouping with an empty value reaches the Pushgateway', async (t) => {
  const url = await startPushgateway(t);
  const gateway = new Pushgateway(url, {}, jobRegistry());
  await gateway.push({ jobName: 'job', groupings: { path: '' } });
  t.deepEqual(
    (await groups(url)).map(({ labels }) => labels.path ?? ''),
    [''],
  );
  await gateway.delete({ jobName: 'job', groupings: { path: '' } });
  t.deepEqual(await groups(url), []);
});

test('push replaces all metrics of its group, pushAdd those of the same names', async (t) => {
  const url = await startPushgateway(t);
  const group = { jobName: 'job', groupings: { instance: 'a' } };
  await new Pushgateway(url, {}, jobRegistry()).push(group);
  const other = new Registry();
  const gauge = new Gauge({ name: 'last_success_seconds', help: 'Time', registers: [other] });
  gauge.set(7);
  const gateway = new Pushgateway(url, {}, other);
  await gateway.pushAdd(group);
  const changed = { last_success_seconds: [{ labels: {}, value: 7 }] };
  t.deepEqual((await groups(url))[0].families, { ...FAMILIES, ...changed });
  await gateway.push(group);
  t.deepEqual((await groups(url))[0].families, changed);
});

test('metrics of an OpenMetrics registry without exemplars are read', async (t) => {
  const url = await startPushgateway(t);
  await new Pushgateway(url, {}, jobRegistry(Registry.OPENMETRICS_CONTENT_TYPE)).push({ jobName: 'job' });
  const [{ families }] = await groups(url);
  t.deepEqual(families.rows_total, FAMILIES.rows_total);
  t.deepEqual(families.step_seconds, FAMILIES.step_seconds);
});

test('what a Pushgateway refuses rejects with its words', async (t) => {
  const url = await startPushgateway(t);
  await new Pushgateway(url, {}, jobRegistry()).push({ jobName: 'one' });
  const other = new Registry();
  new Gauge({ name: 'rows_total', help: 'Rows', registers: [other] }).set(1);
  const error = await t.throwsAsync(new Pushgateway(url, {}, other).push({ jobName: 'two' }));
  t.regex(error.message, /^push failed with status 400, .*rows_total/s);
  t.is(error.status, 400);
  const invalid = new Pushgateway(url, {}, jobRegistry()).push({ jobName: 'job', groupings: { 'not-a-label': 'x' } });
  t.regex((await t.throwsAsync(invalid)).message, /^push failed with status 400, .*not-a-label/s);
});
