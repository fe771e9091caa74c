// A registry with every type of metric, and the series that a server has to store.

import { Counter, Gauge, Histogram, Info, Registry, StateSet, Summary } from '@llm-devops/prometheus-metrics';
import { parseExposition } from '@llm-devops/prometheus-metrics/testing';
import { seriesKey } from './ledger.mjs';

export const PROTOBUF = 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';
export const EXEMPLAR = { trace_id: '0af7651916cd43dd8448eb211c80319c', span_id: 'b7ad6b7169203331', shop: 'a' };
export const LABEL = 'a "b" \\ \n é𝒳';

/** @returns the registry, its counter and its native histogram, and `series(shown)`, where `shown` prints bounds and quantiles. */
export function everyType(options = {}) {
  const registry = new Registry(options);
  const config = { help: 'Some "help" \\ \n', registers: [registry], enableExemplars: true };
  const events = new Counter({ ...config, name: 'judged_events_total', labelNames: ['kind'] });
  events.inc({ labels: { kind: LABEL }, value: 2.5, exemplarLabels: EXEMPLAR });
  new Gauge({ ...config, name: 'judged_share_ratio', unit: 'ratio' }).set(0.1);
  const size = new Histogram({ ...config, name: 'judged_size_bytes', unit: 'bytes', buckets: [0.5, 1, 1e6] });
  for (const value of [0.25, 1, 3, 2e6]) size.observe(value);
  const times = { name: 'judged_time_seconds', unit: 'seconds', buckets: [1], nativeHistogramBucketFactor: 1.1 };
  const native = new Histogram({ ...config, ...times });
  for (let at = 1; at <= 1000; at++) native.observe(at / 128);
  for (const value of [-3, 0]) native.observe(value);
  native.observe({ value: 1e6, exemplarLabels: EXEMPLAR });
  const wait = new Summary({ ...config, name: 'judged_wait_ms', unit: 'ms', percentiles: [0.5, 1] });
  for (const value of [1, 2, 3]) wait.observe(value);
  new Info({ ...config, name: 'judged_build', labelNames: ['version'] }).set({ version: '1' });
  new StateSet({ ...config, name: 'judged_mode', states: ['on', 'off'] }).set('off');

  const series = (shown) => [
    ['judged_events_total', { kind: LABEL }, 2.5],
    ['judged_share_ratio', {}, 0.1],
    ...[0.5, 1, 1e6, Infinity].map((le, at) => ['judged_size_bytes_bucket', { le: shown(le) }, at + 1]),
    ['judged_size_bytes_sum', {}, 2_000_004.25],
    ['judged_size_bytes_count', {}, 4],
    ['judged_wait_ms', { quantile: shown(0.5) }, 2],
    ['judged_wait_ms', { quantile: shown(1) }, 3],
    ['judged_wait_ms_sum', {}, 6],
    ['judged_wait_ms_count', {}, 3],
    ['judged_build_info', { version: '1' }, 1],
    ['judged_mode', { judged_mode: 'on' }, 0],
    ['judged_mode', { judged_mode: 'off' }, 1],
  ];
  return { registry, events, native, series };
}

/** The series of the native histogram, where a server has its classic form. */
export function classicForm(native, shown) {
  const { count, sum } = native.value();
  return [
    ['judged_time_seconds_bucket', { le: shown(1) }, 130],
    ['judged_time_seconds_bucket', { le: shown(Infinity) }, count],
    ['judged_time_seconds_sum', {}, sum],
    ['judged_time_seconds_count', {}, count],
  ];
}

/** Series by name and labels. */
export const keyed = (series) => new Map(series.map(([name, labels, value]) => [seriesKey(name, labels), value]));

/** Bounds and quantiles in text and in OTLP; and in OpenMetrics, whose form Prometheus 3 stores. */
export const inText = (bound) => (bound === Infinity ? '+Inf' : String(bound));
export const inOpenMetrics = (bound) => ({ 1: '1.0', 1e6: '1e+06' })[bound] ?? inText(bound);

/** When a series began, in milliseconds, as a scrape in protobuf shows it; by default the family's first. */
export async function startOf(registry, family, wanted = () => true) {
  const { body } = await registry.scrape({ accept: PROTOBUF, acceptEncoding: 'identity' });
  const { samples } = parseExposition(body, { format: 'protobuf' }).families.find(({ name }) => name === family);
  return Math.round(samples.find(({ labels }) => wanted(labels)).start * 1000);
}
