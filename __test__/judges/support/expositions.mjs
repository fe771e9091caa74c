// Well-formed expositions: of this library, of prom-client, and handwritten ones with features that neither writes.

import * as library from '@llm-devops/prometheus-metrics';
import * as promClient from 'prom-client';

/** Expositions of a format. */
export async function expositions(format) {
  const own = await Promise.all(
    [library, promClient].flatMap((client) => PROGRAMS.map((fill) => scraped(client, format, fill))),
  );
  return [...own, ...BY_HAND[format]];
}

async function scraped(client, format, fill) {
  const type = format === 'text' ? client.prometheusContentType : client.openMetricsContentType;
  const registry = new client.Registry(
    type ?? client.Registry[format === 'text' ? 'PROMETHEUS_CONTENT_TYPE' : 'OPENMETRICS_CONTENT_TYPE'],
  );
  fill(client, { registers: [registry] }, format === 'openmetrics');
  return registry.metrics();
}

const PROGRAMS = [
  ({ Counter, Gauge }, options) => {
    const counter = new Counter({
      name: 'http_requests_total',
      help: 'Requests served',
      labelNames: ['method', 'path'],
      ...options,
    });
    counter.inc({ method: 'GET', path: '/a' }, 3);
    counter.inc({ method: 'POST', path: 'C:\\dir\n"x"' }, 0.5);
    const gauge = new Gauge({ name: 'queue_depth', help: 'Jobs \\ waiting\nnow', labelNames: ['queue'], ...options });
    gauge.set({ queue: 'mail, {urgent}' }, -2.5);
    gauge.set({ queue: 'größe 💥' }, 1e21);
    gauge.set({ queue: '=' }, Number.POSITIVE_INFINITY);
    gauge.set({ queue: '# {}' }, Number.NaN);
  },
  ({ Histogram }, options) => {
    const histogram = new Histogram({
      name: 'latency_seconds',
      help: 'Latency',
      labelNames: ['model'],
      buckets: [0.1, 1, 10],
      ...options,
    });
    for (const value of [0.05, 0.5, 5, 50]) histogram.observe({ model: 'a' }, value);
    histogram.observe({ model: 'b' }, 0.05);
  },
  ({ Counter, Histogram }, options, enableExemplars) => {
    const config = { help: 'With exemplars', enableExemplars, ...options };
    const counter = new Counter({ name: 'calls', labelNames: ['code'], ...config });
    const histogram = new Histogram({ name: 'sizes', buckets: [1, 1e6], ...config });
    if (!enableExemplars) {
      counter.inc({ code: '200' }, 2);
      histogram.observe(0.5);
      return;
    }
    counter.inc({ labels: { code: '200' }, value: 2, exemplarLabels: { trace_id: 'abc', span: 'x}y' } });
    histogram.observe({ labels: {}, value: 0.5, exemplarLabels: { trace_id: 'def' } });
  },
  ({ Gauge, Summary }, options) => {
    new Gauge({ name: 'up', help: ' ', ...options }).set(1);
    new Gauge({ name: 'idle', help: 'Nothing recorded', labelNames: ['a'], ...options });
    if (Summary === undefined) return;
    const summary = new Summary({
      name: 'duration',
      help: 'Of calls',
      labelNames: ['a'],
      percentiles: [0.5, 0.99],
      ...options,
    });
    summary.observe({ a: 'b' }, 2);
    summary.observe({ a: 'c' }, 3);
  },
];

const BY_HAND = {
  text: [
    '# A comment.\nmetric_without_type 12.47\nmetric_with_time 1 1520879607789\n  spaced  {  a = "b"  ,  }  3  4  \n\n',
    '# TYPE t untyped\nt{a="b"} 1 -3982045\nt{a=""} NaN\n# HELP t late\n# TYPE rpc summary\nrpc{quantile="0.5"} 4773\nrpc_sum 1.7560473e+07\nrpc_count 2693\n',
    '# TYPE "http.status" counter\n{"http.status",code="200"} 5\n# TYPE foo counter\nfoo 1\n# TYPE foo_total counter\nfoo_total 2\n',
    '# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3\nh_count 2\nh 7\n',
  ],
  openmetrics: [
    '# TYPE a_seconds counter\n# UNIT a_seconds seconds\n# HELP a_seconds help\na_seconds_total 1 1.5\na_seconds_created 123 1.5\n# EOF\n',
    '# TYPE s summary\ns{quantile="0.5"} 1\ns{quantile="1"} 2\ns_sum 3\ns_count 4\ns_created 5\n# TYPE i info\ni_info{a="b"} 1\ni_info{a="c"} 1\n# TYPE st stateset\nst{st="x"} 1\nst{st="y"} 0\n# EOF\n',
    '# TYPE g gaugehistogram\ng_bucket{le="-1.0"} 1\ng_bucket{le="+Inf"} 3 # {a="b"} 0.5 1.5\ng_gcount 3\ng_gsum -2\n# TYPE h histogram\nh_bucket{a="1",le="1.0"} 0 1\nh_bucket{a="1",le="+Inf"} 0 1\nh_count{a="1"} 0 1\nh_sum{a="1"} 0 1\nh_created{a="1"} 1 1\n# EOF\n',
    '# TYPE nh histogram\n# HELP nh native\nnh {count:24,sum:100,schema:0,zero_threshold:0.001,zero_count:4,positive_spans:[0:2,1:2],negative_spans:[0:2],positive_deltas:[2,1,-3,3],negative_deltas:[2,1]}\nnh{a="b"} {count:24, sum:1e2, schema:0, zero_threshold:0.001, zero_count:4}\n{"nh"} {count:1,sum:1,schema:1,zero_threshold:1,zero_count:1}\n# EOF\n',
    '# TYPE "my.metric" gauge\n# HELP "my.metric" quoted\n{"my.metric"} 1 -1.25\n{"my.metric","a b"="c"} 2 3\nbare 1 123.456\nbare{a="b"} 2 1e3\nbare{a="b"} 2 1e3\n# EOF',
    '# TYPE u unknown\nu 1\nu 1\n# TYPE c counter\nc_total{a="b",c="d"} 9007199254740993 # {} 1\n# TYPE b histogram\nb_bucket{le="+Inf"} 18446744073709551617\nb_count 18446744073709551617\nb_sum 1\n# EOF\n',
  ],
};
