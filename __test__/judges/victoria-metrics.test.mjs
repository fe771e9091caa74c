// VictoriaMetrics, an independent parser and store, must have what was recorded: by scrapes of the example gateway and of every
// type of metric, and by pushes. Debian's stable release has an old version, its newest release one of today.

import { startPusher } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { startAcceptProxy } from './support/accept-proxy.mjs';
import { classicForm, everyType, inOpenMetrics, inText, keyed } from './support/every-type.mjs';
import { startGateway } from './support/gateway.mjs';
import { agrees } from './support/ledger.mjs';
import { sendLoad } from './support/load.mjs';
import { poll } from './support/processes.mjs';
import { differences } from './support/query.mjs';
import {
  PROMETHEUS_NEWEST,
  startPrometheus,
  startVictoriaMetrics,
  VICTORIA_METRICS,
  VICTORIA_METRICS_NEWEST,
} from './support/scrapers.mjs';
import { served } from './support/served.mjs';

test('VictoriaMetrics reads the ledger’s values', async (t) => {
  const gateway = await startGateway(t);
  const victoria = await startVictoriaMetrics(t, { gateway: gateway.metricsUrl });
  await victoria.nextScrapes('gateway');

  const { ledger, sent } = await sendLoad(gateway, { rounds: 3 });
  await victoria.nextScrapes('gateway');

  // It stores decimal numbers: a double with 17 significant digits can change in the last digits, which the ledger's
  // ranges allow. Counts must be equal. It asks for text 0.0.4, so `le` has the text format's form.
  const series = await victoria.seriesOf('gateway', 'llmdevops_llm_');
  t.deepEqual(differences(series, ledger.series('text'), agrees), []);
  t.log(`${sent} requests: ${series.size} series agree`);

  t.is(await victoria.scalar('min_over_time(up{job="gateway"}[1h])'), 1, 'every scrape succeeded');
  const { activeTargets } = await victoria.get('/api/v1/targets');
  t.deepEqual(
    activeTargets.map(({ health, lastError }) => ({ health, lastError })),
    [{ health: 'up', lastError: '' }],
  );
});

for (const [name, program] of [
  ['VictoriaMetrics', VICTORIA_METRICS],
  ['the newest VictoriaMetrics', VICTORIA_METRICS_NEWEST],
]) {
  test(`${name} scrapes text, with the classic form of native histograms`, async (t) => {
    const { registry, native, series } = everyType({ created: true });
    const proxy = await startAcceptProxy(t, await served(t, registry));
    const victoria = await startVictoriaMetrics(t, { app: proxy.url }, program);
    await victoria.nextScrapes('app');
    t.deepEqual(proxy.exchanges[0], {
      accept: 'text/plain;version=0.0.4;q=1,*/*;q=0.1',
      acceptEncoding: 'gzip',
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
      contentEncoding: 'gzip',
    });
    const expected = keyed([...series(inText), ...classicForm(native, inText)]);
    t.deepEqual(differences(await victoria.seriesOf('app', 'judged_'), expected), []);
  });
}

/** Each way to the server, how bounds are written there, and whether the native histogram arrives as such. */
const WAYS = {
  'remote write, which falls back to 1.0,': { protocol: 'remote-write', shown: inOpenMetrics },
  'remote write 1.0': { protocol: 'remote-write-1', shown: inOpenMetrics },
  OTLP: { protocol: 'otlp', shown: inText, isNative: true },
  'a Prometheus that passes on what it scrapes': { shown: inOpenMetrics, isNative: true },
};
/** All labels but those of the process, whose names depend on the way. */
const OWN_LABELS = ['kind', 'le', 'quantile', 'version', 'judged_mode'];

for (const [way, { protocol, shown, isNative = false }] of Object.entries(WAYS)) {
  test(`the newest VictoriaMetrics has what came by ${way}`, async (t) => {
    const { registry, native, series } = everyType();
    const victoria = await startVictoriaMetrics(t, {}, VICTORIA_METRICS_NEWEST);
    const url = `${victoria.url}${protocol === 'otlp' ? '/opentelemetry/v1/metrics' : '/api/v1/write'}`;
    if (protocol) {
      const pusher = await startPusher({ registry, url, protocol, job: 'shop', intervalMs: 3_600_000 });
      t.teardown(() => pusher.close());
      await pusher.flush();
    } else {
      const shop = { url: await served(t, registry), scrape_native_histograms: true };
      const remote = { url, send_native_histograms: true, queue_config: { batch_send_deadline: '1s' } };
      await startPrometheus(t, { shop }, { program: PROMETHEUS_NEWEST, config: { remote_write: [remote] } });
    }
    const { count, sum } = native.value();
    const form = classicForm(native, shown);
    const expected = keyed([...series(shown), ...(isNative ? form.slice(2) : form)]);
    // It shows new series only after some seconds.
    const found = await poll(async () => {
      const all = await victoria.query('{__name__=~"judged_.*"}');
      return all.length >= expected.size + (isNative ? 1 : 0) ? all : undefined;
    }, 'the series');
    const read = found
      .filter(({ labels }) => labels.vmrange === undefined)
      .map(({ labels, value }) => [
        labels.__name__,
        Object.fromEntries(Object.entries(labels).filter(([label]) => OWN_LABELS.includes(label))),
        value,
      ]);
    t.deepEqual(differences(keyed(read), expected), []);

    const ranges = found.filter(({ labels }) => labels.vmrange !== undefined);
    t.deepEqual(
      [...new Set(ranges.map(({ labels }) => labels.__name__))],
      isNative ? ['judged_time_seconds_bucket'] : [],
    );
    if (!isNative) return;
    t.is(await victoria.scalar('judged_time_seconds_sum'), sum);
    t.is(
      ranges.reduce((total, { value }) => total + value, 0),
      count,
    );
    const below = ranges.filter(({ labels }) => Number(labels.vmrange.split('...')[1]) < 0);
    t.deepEqual(
      below.map(({ value }) => value),
      [1],
    );
    const median = await victoria.scalar('histogram_quantile(0.5, judged_time_seconds_bucket)');
    t.true(Math.abs(median / (500 / 128) - 1) < 0.05, `${median}`);
  });
}
