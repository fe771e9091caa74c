// Prometheus 3 scrapes names of UTF-8 in each format and with each scheme of escaping, and takes them by remote write.

import { Counter, Gauge, Histogram, Registry, startExporter, startPusher } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { poll } from './support/processes.mjs';
import { PROMETHEUS_3, PROMETHEUS_NEWEST, startPrometheus } from './support/scrapers.mjs';

/** Names and a label, as each job stores them. */
const AS_THEY_ARE = { gauge: 'queue.länge', counter: 'http.requests_total', histogram: 'size.bytes', label: 'k8s.名' };
const UNDERSCORES = { gauge: 'queue_l_nge', counter: 'http_requests_total', histogram: 'size_bytes', label: 'k8s__' };
const DOTS = {
  gauge: 'queue_dot_l__nge',
  counter: 'http_dot_requests__total',
  histogram: 'size_dot_bytes',
  label: 'k8s_dot___',
};
const VALUES = {
  gauge: 'U__queue_2e_l_e4_nge',
  counter: 'U__http_2e_requests__total',
  histogram: 'U__size_2e_bytes',
  label: 'U__k8s_2e__540d_',
};
const escaping = (scheme) => ({ metric_name_escaping_scheme: scheme });
const protocols = (...scrape_protocols) => ({ scrape_protocols });
const JOBS = {
  default: [AS_THEY_ARE, {}],
  text1: [AS_THEY_ARE, protocols('PrometheusText1.0.0')],
  openmetrics1: [AS_THEY_ARE, protocols('OpenMetricsText1.0.0')],
  // Servers from 3.4 on name no scheme for protobuf, so Go's library too gives them the default.
  protobuf: [UNDERSCORES, protocols('PrometheusProto')],
  text0: [UNDERSCORES, protocols('PrometheusText0.0.4')],
  legacy: [UNDERSCORES, { metric_name_validation_scheme: 'legacy', ...escaping('underscores') }],
  underscores: [UNDERSCORES, escaping('underscores')],
  dots: [DOTS, { ...escaping('dots'), ...protocols('PrometheusText1.0.0') }],
  values: [VALUES, { ...escaping('values'), ...protocols('OpenMetricsText1.0.0') }],
};

function recorded() {
  const registry = new Registry({ names: 'utf8' });
  const own = { help: 'Some help', labelNames: ['k8s.名'], registers: [registry] };
  new Gauge({ ...own, name: 'queue.länge' }).set({ 'k8s.名': 'a"b' }, 1);
  new Counter({ ...own, name: 'http.requests_total' }).inc({ 'k8s.名': 'x' }, 2);
  new Histogram({ ...own, name: 'size.bytes', buckets: [1] }).observe({ 'k8s.名': 'x' }, 3);
  return registry;
}

async function check(t, prometheus, job, { gauge, counter, histogram, label }) {
  const read = async (name, value) => {
    const found = await poll(async () => {
      const series = await prometheus.query(`{"${name}","${label}"=~".+",job="${job}"}`);
      return series.length > 0 ? series : undefined;
    }, `${job} has ${name}`);
    t.deepEqual(
      found.map(({ labels, value }) => [labels[label], value]),
      [[name === gauge ? 'a"b' : 'x', value]],
      `${job} ${name}`,
    );
  };
  await read(gauge, 1);
  await read(counter, 2);
  await read(`${histogram}_count`, 1);
  await read(`${histogram}_sum`, 3);
  t.is(await prometheus.scalar(`{"${histogram}_bucket",le="+Inf",job="${job}"}`), 1);
}

for (const [which, program] of Object.entries({ stable: PROMETHEUS_3, newest: PROMETHEUS_NEWEST })) {
  test(`the ${which} server stores the names that it asks for`, async (t) => {
    const registry = recorded();
    const exporter = await startExporter({ registry, port: 0, host: '127.0.0.1' });
    t.teardown(() => exporter.close());
    const url = `${exporter.url}/metrics`;
    const targets = Object.fromEntries(Object.entries(JOBS).map(([job, [, settings]]) => [job, { url, ...settings }]));
    const flags = ['--web.enable-remote-write-receiver'];
    const prometheus = await startPrometheus(t, targets, { program, flags });
    for (const [job, [names]] of Object.entries(JOBS)) await check(t, prometheus, job, names);
    t.is((await prometheus.query('up == 1')).length, Object.keys(JOBS).length);

    for (const [job, protocol, names] of [
      ['pushed', 'remote-write', AS_THEY_ARE],
      ['pushed1', 'remote-write-1', UNDERSCORES],
    ]) {
      const pusher = await startPusher({
        registry,
        url: `${prometheus.url}/api/v1/write`,
        protocol,
        job,
        intervalMs: 200,
      });
      t.teardown(() => pusher.close());
      await check(t, prometheus, job, names);
    }
  });
}
