// Compiled, not run: types of summaries, infos and state sets. Label names and states are inferred.

import {
  Info,
  type LabelValues,
  Registry,
  StateSet,
  Summary,
  type SummaryConfiguration,
  type SummarySeries,
  type SummaryValue,
} from '@llm-devops/prometheus-metrics';

const summary = new Summary({
  name: 's',
  help: 'h',
  labelNames: ['a', 'b'],
  percentiles: [0.5],
  maxAgeSeconds: 5,
  ageBuckets: 5,
});
const inferred: Summary<'a' | 'b'> = summary;
inferred.observe({ a: 'x' }, 1);
summary.observe(1);
// @ts-expect-error: not a label of this summary
summary.observe({ c: 'x' }, 1);
// @ts-expect-error: a summary has no exemplars
summary.observe({ labels: { a: 'x' }, value: 1, exemplarLabels: {} });
const child: SummarySeries = summary.labels({ a: 'x' });
child.observe(1);
const value: SummaryValue = summary.value({ b: 'x' });
value.quantiles.map(({ quantile, value }) => quantile + value);
const seconds: number = summary.startTimer({ a: 'x' })({ b: 'y' });
const constant = [0.5, 0.9] as const;
const configuration: SummaryConfiguration<'a'> = {
  name: 's',
  help: 'h',
  labelNames: ['a'],
  percentiles: [...constant],
  unit: 's',
};
new Summary({ ...configuration, percentiles: constant }).observe({ a: seconds }, 1);
new Registry().summary({ name: 's', help: 'h', labelNames: ['a'] }).remove({ a: 'x' });
// @ts-expect-error: percentiles are numbers
new Summary({ name: 's', help: 'h', percentiles: ['0.5'] });

const info = new Info({ name: 'i', help: 'h', labelNames: ['version', 'slot'], identity: ['slot'] });
info.set({ version: '1', slot: 2 });
// @ts-expect-error: not a label of this info
info.set({ revision: '1' });
// @ts-expect-error: identity is of the label names
new Info({ name: 'i', help: 'h', labelNames: ['version'], identity: ['slot'] });

const breaker = new StateSet({ name: 'b', help: 'h', states: ['open', 'closed'], labelNames: ['host'] });
breaker.set({ host: 'a' }, 'open');
breaker.turn({ host: 'a' }, 'closed', false);
breaker.set('open');
const states: readonly ('open' | 'closed')[] = breaker.states;
const on: ('open' | 'closed')[] = breaker.value({ host: 'a' });
on.push(...states);
// @ts-expect-error: not a state
breaker.set('half');
// @ts-expect-error: not a label
breaker.set({ hots: 'a' }, 'open');
// @ts-expect-error: not a state
new StateSet({ name: 'b', help: 'h', states: ['open', 'closed'], initial: 'half' });
const labels: LabelValues<'host'> = { host: 'a' };
new Registry().stateSet({ name: 'b', help: 'h', states: ['open'], labelNames: ['host'] }).set(labels, 'open');
