// Runs random programs under random limits, and compares them with a small model: which label sets have a series, the
// value of each, and the calls that were counted as over a limit.

import {
  CardinalityError,
  ConfigurationError,
  Counter,
  Gauge,
  Histogram,
  Registry,
} from '@llm-devops/prometheus-metrics';
import test from 'ava';
import fc from 'fast-check';
import { count } from '../support/count.mjs';

const NAMES = ['a', 'b'];
const CLASSES = { Counter, Gauge, Histogram };
const RUNS = count(400, 5000);

/** Label values with their texts: numbers and strings that make one series, and values that only look alike. */
const VALUES = [
  ['x', 'x'],
  ['1', '1'],
  [1, '1'],
  [-0, '0'],
  [0, '0'],
  [Number.NaN, 'NaN'],
  [true, 'true'],
  ['true', 'true'],
  [10n, '10'],
  [undefined, ''],
  [null, ''],
  ['', ''],
  ['other', 'other'],
  ['\ud800', '\ufffd'],
  ['\ufffd', '\ufffd'],
  [{ toString: () => 'x' }, 'x'],
  [['q', 'r'], 'q,r'],
];

/** Arguments that name a series: its values in order, unless the first one would be read as a label object. */
function argumentsOf([a, b]) {
  return typeof a === 'object' && a !== null ? [{ a, b }] : [a, b];
}

/** The model of one metric. */
class ModelMetric {
  /** The values by their label texts, as JSON. */
  series = new Map();
  overflow = 0;
  beyond;

  constructor(own, kind) {
    this.own = own;
    this.kind = kind;
  }

  limits(registries) {
    const smallest = (of) => {
      const all = registries.map(of).filter((max) => max !== undefined);
      return all.length === 0 ? undefined : Math.min(...all);
    };
    return {
      maxSeries: this.own.maxSeries ?? smallest(({ limits }) => limits.maxSeries) ?? 10_000,
      policy: this.own.policy ?? registries.map(({ limits }) => limits.policy).find(Boolean) ?? 'fold',
      labels: NAMES.map(
        (name) => this.own.maxLabelValues?.[name] ?? smallest(({ limits }) => limits.maxLabelValues?.[name]),
      ),
    };
  }

  /** The limit that a new label set exceeds: the index of a label, or 'series'; undefined if it exceeds none. */
  refusal(texts, registries) {
    const { maxSeries, labels } = this.limits(registries);
    for (const [index, max] of labels.entries()) {
      if (max === undefined || texts[index] === '' || texts[index] === 'other') continue;
      const values = new Set([...this.series.keys()].map((key) => JSON.parse(key)[index]));
      values.delete('');
      values.delete('other');
      if (!values.has(texts[index]) && values.size >= max) return index;
    }
    if (this.series.size - (this.beyond === undefined ? 0 : 1) >= maxSeries) return 'series';
    const isFull = ({ metrics, limits }) => {
      return metrics.reduce((sum, metric) => sum + metric.series.size, 0) >= (limits.maxTotal ?? 1_000_000);
    };
    return registries.some(isFull) ? 'series' : undefined;
  }

  /** Records; returns whether the call throws. */
  record(texts, by, registries) {
    const key = JSON.stringify(texts);
    if (this.add(key, by)) return false;
    let refusal = this.refusal(texts, registries);
    if (refusal === undefined) {
      this.series.set(key, by);
      return false;
    }
    this.overflow++;
    const { policy } = this.limits(registries);
    if (policy === 'throw') return true;
    if (policy === 'drop' || this.kind === 'Gauge') return false;
    const folded = [...texts];
    while (typeof refusal === 'number') {
      folded[refusal] = 'other';
      if (this.add(JSON.stringify(folded), by)) return false;
      refusal = this.refusal(folded, registries);
      if (refusal === undefined) {
        this.series.set(JSON.stringify(folded), by);
        return false;
      }
    }
    const others = JSON.stringify(NAMES.map(() => 'other'));
    if (this.add(others, by)) return false;
    this.series.set(others, by);
    this.beyond = others;
    return false;
  }

  add(key, by) {
    if (!this.series.has(key)) return false;
    this.series.set(key, this.series.get(key) + by);
    return true;
  }

  remove(key) {
    if (this.beyond === key) this.beyond = undefined;
    return this.series.delete(key);
  }

  reset() {
    this.series.clear();
    this.beyond = undefined;
  }
}

const max = fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined });
const policy = fc.constantFrom(undefined, 'fold', 'fold', 'drop', 'throw');
const limits = fc.record({ maxSeries: max, policy, maxLabelValues: fc.record({ a: max, b: max }) });
const registryLimits = fc.record({
  maxSeries: max,
  policy,
  maxLabelValues: fc.record({ a: max, b: max }),
  maxTotal: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
});
const value = fc.nat(VALUES.length - 1);
const set = fc.tuple(value, value);
const metric = fc.nat(1);
const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ do: fc.constant('record'), metric, set, getter: fc.boolean(), swapped: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('labels'), metric, set, keep: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('kept'), at: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove'), metric, set }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('removeMatching'), metric, set, name: fc.constantFrom(...NAMES) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('init'),
      metric,
      as: fc.array(value, { maxLength: 3 }),
      bs: fc.array(value, { maxLength: 2 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reset'), metric }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('setCardinality'), limits: registryLimits }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('second'), limits: registryLimits }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('move'), metric }) },
);

/** Runs one program on the library and on the model. */
class Run {
  registry;
  first;
  second = new Registry();
  modelOfSecond = { limits: {}, metrics: [] };
  kept = [];

  constructor(own, of, kinds) {
    this.registry = new Registry({ cardinality: of, logger: { warn() {} } });
    this.model = kinds.map((kind, index) => new ModelMetric(own[index], kind));
    this.first = { limits: of, metrics: [...this.model] };
    this.metrics = kinds.map((kind, index) => {
      const config = { name: `m${index}`, help: 'Some help', labelNames: NAMES, registers: [this.registry] };
      return new CLASSES[kind]({ ...config, cardinality: own[index], ...(kind === 'Histogram' && { buckets: [] }) });
    });
  }

  /** The model's registries that hold a metric, in the order in which it was registered. */
  registriesOf(metric) {
    const model = this.model[metric];
    return [this.first, this.modelOfSecond].filter(({ metrics }) => metrics.includes(model));
  }

  /** Records 1 with `call` in the library, and in the model. */
  record(metric, texts, call) {
    const throws = this.model[metric].record(texts, 1, this.registriesOf(metric));
    let thrown;
    try {
      call();
    } catch (error) {
      if (!(error instanceof CardinalityError)) throw error;
      thrown = error;
    }
    if (throws !== (thrown !== undefined)) throw new Error(`Expected ${throws ? 'a refusal' : 'none'} but: ${thrown}`);
  }

  one(metric) {
    return this.model[metric].kind === 'Histogram' ? 'observe' : 'inc';
  }

  do(step) {
    const labelsOf = (set) => set.map((index) => VALUES[index][0]);
    const textsOf = (set) => set.map((index) => VALUES[index][1]);
    switch (step.do) {
      case 'record': {
        const [a, b] = labelsOf(step.set);
        const labels = step.swapped ? { b, a } : { a, b };
        const given = step.getter
          ? {
              get a() {
                return a;
              },
              b,
            }
          : labels;
        this.record(step.metric, textsOf(step.set), () => this.metrics[step.metric][this.one(step.metric)](given, 1));
        break;
      }
      case 'labels': {
        const series = this.metrics[step.metric].labels(...argumentsOf(labelsOf(step.set)));
        if (step.keep) this.kept.push({ metric: step.metric, texts: textsOf(step.set), series });
        else this.record(step.metric, textsOf(step.set), () => series[this.one(step.metric)](1));
        break;
      }
      case 'kept': {
        if (this.kept.length === 0) break;
        const { metric, texts, series } = this.kept[step.at % this.kept.length];
        this.record(metric, texts, () => series[this.one(metric)](1));
        break;
      }
      case 'remove':
        this.model[step.metric].remove(JSON.stringify(textsOf(step.set)));
        this.metrics[step.metric].remove(...argumentsOf(labelsOf(step.set)));
        break;
      case 'removeMatching': {
        const at = NAMES.indexOf(step.name);
        const model = this.model[step.metric];
        const matching = [...model.series.keys()].filter((key) => JSON.parse(key)[at] === textsOf(step.set)[at]);
        for (const key of matching) model.remove(key);
        const removed = this.metrics[step.metric].removeMatching({ [step.name]: labelsOf(step.set)[at] });
        if (removed !== matching.length) throw new Error(`Expected ${matching.length} to go but it was ${removed}`);
        break;
      }
      case 'init':
        this.init(step);
        break;
      case 'reset':
        this.model[step.metric].reset();
        this.metrics[step.metric].reset();
        break;
      case 'setCardinality':
        this.first.limits = step.limits;
        this.registry.setCardinality(step.limits);
        break;
      case 'second':
        this.modelOfSecond.limits = step.limits;
        this.second.setCardinality(step.limits);
        break;
      case 'move': {
        const model = this.model[step.metric];
        const at = this.modelOfSecond.metrics.indexOf(model);
        if (at < 0) {
          this.modelOfSecond.metrics.push(model);
          this.second.registerMetric(this.metrics[step.metric]);
        } else {
          this.modelOfSecond.metrics.splice(at, 1);
          this.second.removeSingleMetric(`m${step.metric}`);
        }
      }
    }
  }

  init({ metric, as, bs }) {
    // Values with the same text are one value: the first of them.
    const unique = (list) => {
      const byText = new Map();
      for (const [value, text] of list.map((index) => VALUES[index])) if (!byText.has(text)) byText.set(text, value);
      return [...byText.values()];
    };
    const [a, b] = [unique(as), unique(bs)];
    const model = this.model[metric];
    const registries = this.registriesOf(metric);
    let expected;
    if (a.length * b.length > model.limits(registries).maxSeries) expected = ConfigurationError;
    else {
      const texts = (value) => VALUES.find(([own]) => Object.is(own, value) || (own === 0 && value === 0))[1];
      outer: for (const one of a) {
        for (const two of b) {
          if (model.record([texts(one), texts(two)], 0, registries)) {
            expected = CardinalityError;
            break outer;
          }
        }
      }
    }
    let thrown;
    try {
      this.metrics[metric].init({ a, b });
    } catch (error) {
      thrown = error;
    }
    if (expected === undefined ? thrown !== undefined : !(thrown instanceof expected))
      throw thrown ?? new Error('Expected a refusal');
  }

  /** The values of a metric by its label texts. */
  async shown(metric) {
    const { values } = await this.metrics[metric].get();
    const counts = values.filter(({ metricName }) => metricName === undefined || metricName.endsWith('_count'));
    return counts
      .map(({ labels, value }) => [JSON.stringify(NAMES.map((name) => String(labels[name] ?? ''))), value])
      .sort();
  }
}

test('programs under limits record what the model records', async (t) => {
  const kind = fc.constantFrom(...Object.keys(CLASSES));
  const program = fc.tuple(
    fc.tuple(limits, limits),
    registryLimits,
    fc.tuple(kind, kind),
    fc.array(step, { maxLength: 60, size: 'max' }),
  );
  await fc.assert(
    fc.asyncProperty(program, async ([own, of, kinds, steps]) => {
      const run = new Run(own, of, kinds);
      for (const step of steps) {
        run.do(step);
        const report = run.registry.cardinality();
        const told = report.metrics.map(({ series, overflow }) => ({ series, overflow }));
        const expected = run.model.map(({ series, overflow }) => ({ series: series.size, overflow }));
        if (JSON.stringify(told) !== JSON.stringify(expected)) {
          throw new Error(
            `Expected ${JSON.stringify(expected)} but received ${JSON.stringify(told)} after ${fc.stringify(step)}`,
          );
        }
        if (report.series !== expected.reduce((sum, { series }) => sum + series, 0))
          throw new Error('the total is another');
      }
      for (const [metric, { series }] of run.model.entries()) {
        const shown = await run.shown(metric);
        const expected = [...series].sort();
        if (JSON.stringify(shown) !== JSON.stringify(expected)) {
          throw new Error(`Expected ${JSON.stringify(expected)} but received ${JSON.stringify(shown)}`);
        }
      }
    }),
    { numRuns: RUNS },
  );
  t.pass();
});
