// Uses the testing kit in a compiled program. Each `@ts-expect-error` is an error that the compiler must find.

import { Counter, type Registry } from '@llm-devops/prometheus-metrics';
import {
  assertCounted,
  assertMetric,
  assertObserved,
  assertValidExposition,
  MockClock,
  MockRegistry,
  metricMatchers,
  type Operation,
  type Selector,
} from '@llm-devops/prometheus-metrics/testing';

const registry: MockRegistry = new MockRegistry({ defaultLabels: { zone: 'a' } }).isolate();
const asRegistry: Registry = registry;
new Counter({ name: 'c_total', help: 'C', registers: [registry] }).inc();
const selector: Selector = { a: 1, b: 'x', c: /y/, d: undefined, e: { asymmetricMatch: () => true } };
registry.assertCounted('c_total');
registry.assertCounted('c_total', 1);
registry.assertCounted('c_total', selector, 1);
registry.assertNotCounted('c_total', selector);
registry.assertObserved('h', {}, { count: 1 });
registry.assertGauge('g', 1);
registry.assertGauge('g', {}, { asymmetricMatch: () => true });
const operations: Operation[] = registry.operations({ type: 'inc', name: 'c_total', labels: selector });
const value: number | undefined = operations[0]?.value;
registry.clearOperations();
registry.restore();
// @ts-expect-error: no such operation
registry.operations({ type: 'add' });
// @ts-expect-error: a function is not a label value
registry.assertCounted('c_total', { a: () => 'x' });
// @ts-expect-error: a gauge is asserted with its value
registry.assertGauge('g');
// @ts-expect-error: recorded operations are read-only
operations[0].value = 1;

const clock: MockClock = new MockClock({ now: new Date(0) }).install();
clock.advanceMs(1);
clock.advanceSeconds(0.5);
clock.set(Date.UTC(2026, 0));
const nowMs: number = clock.nowMs;
clock.restore();
// @ts-expect-error: a clock takes a time, not its text
new MockClock({ now: '2026-01-01' });
{
  using installed = new MockClock().install();
  using isolated = new MockRegistry().isolate();
  void [installed, isolated];
}

assertMetric(registry, 'g', selector, 1);
assertMetric('g 1\n', 'g', 1);
assertMetric(new Counter({ name: 'd_total', help: 'D' }), 'd_total');
assertCounted(asRegistry, 'c_total', {}, 1);
assertObserved(registry, 'h', {}, { count: 1, sum: { asymmetricMatch: () => true } });
assertValidExposition('', { format: 'openmetrics' });
assertValidExposition({ headers: {}, body: Buffer.from('') });
// @ts-expect-error: an unknown part of a distribution
assertObserved(registry, 'h', {}, { mean: 1 });
// @ts-expect-error: a registry is not an exposition
assertValidExposition(registry);
// @ts-expect-error: an unknown format
assertValidExposition('', { format: 'json' });

const { pass, message } = metricMatchers.toHaveMetric(registry, 'g');
const outcome: [boolean, string] = [pass, message()];
void [value, nowMs, outcome];
