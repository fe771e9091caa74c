// The parsers of Prometheus' server read every format of random registries: the samples, starts and exemplars that they
// find are those of the text, and of the parser of the testing kit.

import { Counter, Gauge, Histogram, Info, Registry, StateSet, Summary } from '@llm-devops/prometheus-metrics';
import { parseExposition } from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';
import fc from 'fast-check';
import { startTextparse } from './support/textparse.mjs';

const OPENMETRICS = 'application/openmetrics-text;version=';
const ASKS = {
  text: 'text/plain;version=0.0.4',
  'text with underscores': 'text/plain;version=1.0.0',
  'text with dots': 'text/plain;version=1.0.0;escaping=dots',
  'text 1.0.0': 'text/plain;version=1.0.0;escaping=allow-utf-8',
  openmetrics: `${OPENMETRICS}1.0.0;escaping=allow-utf-8`,
  openmetrics2: `${OPENMETRICS}2.0.0;escaping=allow-utf-8`,
  protobuf:
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;escaping=allow-utf-8',
};
/** The formats in which names beyond the old rule have other names. */
const ESCAPED = new Set(['text', 'text with underscores', 'text with dots']);
/** The formats that show starts and exemplars. */
const RICH = ['openmetrics', 'openmetrics2', 'protobuf'];

const label = fc.oneof(
  fc.constantFrom('a', 'b', ''),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.constant('"\\\n'),
);
const help = fc.oneof(fc.constantFrom('Some help', 'a "b" \\ c'), fc.string({ maxLength: 12 }));
const value = fc.oneof(fc.nat(1000), fc.double({ min: 0, max: 1e9, noNaN: true }));
const family = fc.record({
  type: fc.constantFrom('counter', 'gauge', 'histogram', 'summary', 'info', 'stateset'),
  help: help.map((text) => `H${text.replace(/[\r\n]/g, ' ').trim()}`),
  bounds: fc.uniqueArray(fc.integer({ min: -4, max: 40 }), { minLength: 1, maxLength: 5 }),
  recorded: fc.array(fc.tuple(label, value, fc.boolean()), { maxLength: 6 }),
  // Parts of a name, of a label, and of both by the old rule. Most of them are valid only in quotes.
  odd: fc.constantFrom('', '', '.é', ' ,={}#', '.名😱', '-', ':'),
});

/** A registry of these families. */
function registryOf(families) {
  const isOdd = families.some(({ odd }) => odd !== '');
  const registry = new Registry({ created: true, names: 'utf8', defaultLabels: { [isOdd ? 'z.o' : 'zone']: 'z' } });
  for (const [number, { type, help, bounds, recorded, odd }] of families.entries()) {
    const label = `x${odd}`;
    const own = { help, labelNames: [label], registers: [registry] };
    // A state set has a label of its own name.
    const name = `f${number}${type === 'stateset' && odd === ':' ? '' : odd}`;
    for (const [x, value, hasExemplar] of recorded) {
      const event = {
        labels: { [label]: x },
        value,
        ...(hasExemplar ? { exemplarLabels: { trace_id: `t${value}` } } : {}),
      };
      switch (type) {
        case 'counter':
          getOrMake(registry, Counter, { ...own, name: `${name}_total`, enableExemplars: true }).inc(event);
          break;
        case 'gauge':
          getOrMake(registry, Gauge, { ...own, name }).set({ [label]: x }, value);
          break;
        case 'histogram': {
          const buckets = bounds.map((bound) => bound / 4).sort((one, next) => one - next);
          getOrMake(registry, Histogram, { ...own, name, buckets, enableExemplars: true }).observe(event);
          break;
        }
        case 'summary':
          getOrMake(registry, Summary, { ...own, name, percentiles: [0.5, 0.99] }).observe({ [label]: x }, value);
          break;
        case 'info':
          getOrMake(registry, Info, { ...own, name }).set({ [label]: x });
          break;
        default:
          getOrMake(registry, StateSet, { ...own, name, states: ['on', 'off'] }).set({ [label]: x }, 'on');
      }
    }
  }
  return registry;
}

const getOrMake = (registry, Class, options) => registry.getSingleMetric(options.name) ?? new Class(options);

/** A series as text: its name and labels, with the bounds of both spellings alike. */
function keyOf(name, labels) {
  const shown = Object.entries(labels).filter(([label, text]) => label !== '__name__' && text !== '');
  const alike = shown.map(([label, text]) => [
    label,
    ['le', 'quantile'].includes(label) ? Number(text.replace('+Inf', 'Infinity')) : text,
  ]);
  return JSON.stringify([name, alike.sort(([one], [next]) => (one < next ? -1 : 1))]);
}

/** What the server read, by series. */
function theirs(samples) {
  const read = samples.map(({ labels, value, startMs, exemplars = [] }) => {
    return [keyOf(labels.__name__, labels), { value: Number(value.replace('Inf', 'Infinity')), startMs, exemplars }];
  });
  return new Map(read);
}

test('the parsers of a server read every format alike', async (t) => {
  const parse = startTextparse(t);
  let series = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(family, { minLength: 1, maxLength: 5 }), async (families) => {
      const registry = registryOf(families);
      // Without the endpoint's own metrics, whose values change with each scrape.
      const names = ['none', ...registry.getMetricsAsArray().map(({ name }) => name)];
      const { body: withQuotes } = await registry.scrape({ accept: ASKS['text 1.0.0'], names });
      const quoted = parseExposition(withQuotes, { format: 'text1' });
      const rich = [];
      for (const [format, accept] of Object.entries(ASKS)) {
        const { headers, body } = await registry.scrape({ accept, acceptEncoding: 'identity', names });
        const { error, samples } = await parse(headers['content-type'], body);
        t.is(error, undefined, `${format}\n${body}`);
        const read = theirs(samples);
        t.is(read.size, samples.length, 'no series twice');
        // The other formats have the names as they are.
        const text = ESCAPED.has(format) ? parseExposition(body) : quoted;
        const expected = text.families.flatMap(({ samples }) => samples.map(({ name, labels }) => keyOf(name, labels)));
        series += expected.length;
        // OpenMetrics 1.0 forbids sum and count where a bound is negative.
        const shown = expected.filter(
          (key) => format !== 'openmetrics' || read.has(key) || !/^\["f\d+[^"]*_(sum|count)"/.test(key),
        );
        t.deepEqual([...read.keys()].sort(), shown.sort(), format);
        for (const { samples } of text.families) {
          for (const { name, labels, value } of samples)
            t.is(read.get(keyOf(name, labels))?.value ?? value, value, format);
        }
        if (RICH.includes(format)) rich.push(read);
        else for (const { startMs, exemplars } of read.values()) t.deepEqual([startMs, exemplars], [0, []]);
      }
      const [one, two, three] = rich;
      for (const [key, { startMs }] of one) {
        t.is(two.get(key).startMs, startMs, key);
        t.is(three.get(key).startMs, startMs, key);
      }
      const exemplarsOf = (read) =>
        [...read.values()].flatMap(({ exemplars }) => exemplars.map((exemplar) => JSON.stringify(exemplar)));
      for (const read of [two, three])
        t.deepEqual([...new Set(exemplarsOf(read))].sort(), [...new Set(exemplarsOf(one))].sort());
    }),
    { numRuns: 150, endOnFailure: true },
  );
  t.log(`${series} series`);
});
