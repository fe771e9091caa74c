// Tests diffSnapshots(): the changes between two expositions, and their text.

import { openMetricsContentType } from '@llm-devops/prometheus-metrics';
import {
  diffSnapshots,
  parseExposition,
  replay,
  SnapshotDiff,
  synthesize,
} from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';
import { text } from '../support/exposition.mjs';

const BEFORE = text(
  '# HELP jobs_total Jobs',
  '# TYPE jobs_total counter',
  'jobs_total{queue="mail"} 3',
  'jobs_total{queue="files"} 9',
  '# HELP depth Jobs that wait',
  '# TYPE depth gauge',
  'depth 4',
  'depth{queue="gone"} 1',
  '# TYPE wait histogram',
  'wait_bucket{le="10"} 1',
  'wait_bucket{le="2"} 1',
  'wait_bucket{le="+Inf"} 1',
  'wait_sum 1.5',
  'wait_count 1',
  'same NaN',
);
const AFTER = text(
  '# TYPE wait histogram',
  'wait_bucket{le="2"} 2',
  'wait_bucket{le="10"} 2',
  'wait_bucket{le="+Inf"} 0',
  'wait_sum 1',
  'wait_count 0',
  '# HELP depth Jobs in the "queue"',
  '# TYPE depth untyped',
  'depth 1',
  '# HELP jobs_total Jobs',
  '# TYPE jobs_total counter',
  'jobs_total{queue="files"} 2',
  'jobs_total{queue="mail"} 5',
  'jobs_total{queue="new",x="1"} 1',
  'same NaN 5',
);

test('added, removed and changed series, sorted', (t) => {
  const diff = diffSnapshots(BEFORE, AFTER);
  t.true(diff instanceof SnapshotDiff);
  t.false(diff.isEmpty);
  t.deepEqual(diff.added, [{ name: 'jobs_total', labels: { queue: 'new', x: '1' }, value: 1 }]);
  t.deepEqual(diff.removed, [{ name: 'depth', labels: { queue: 'gone' }, value: 1 }]);
  t.deepEqual(diff.changed, [
    { name: 'depth', labels: {}, before: 4, after: 1, delta: -3, reset: false },
    { name: 'jobs_total', labels: { queue: 'files' }, before: 9, after: 2, delta: -7, reset: true },
    { name: 'jobs_total', labels: { queue: 'mail' }, before: 3, after: 5, delta: 2, reset: false },
    { name: 'wait_bucket', labels: { le: '2' }, before: 1, after: 2, delta: 1, reset: false },
    { name: 'wait_bucket', labels: { le: '10' }, before: 1, after: 2, delta: 1, reset: false },
    { name: 'wait_bucket', labels: { le: '+Inf' }, before: 1, after: 0, delta: -1, reset: true },
    { name: 'wait_count', labels: {}, before: 1, after: 0, delta: -1, reset: true },
    { name: 'wait_sum', labels: {}, before: 1.5, after: 1, delta: -0.5, reset: false },
  ]);
  t.deepEqual(diff.families, [
    {
      name: 'depth',
      before: { type: 'gauge', help: 'Jobs that wait', unit: '' },
      after: { type: 'unknown', help: 'Jobs in the "queue"', unit: '' },
    },
  ]);
});

test('the text of the differences', (t) => {
  t.is(
    String(diffSnapshots(BEFORE, AFTER)),
    [
      '1 series added, 1 removed, 8 changed',
      '  ~ type of depth: gauge → unknown',
      '  ~ help of depth: "Jobs that wait" → "Jobs in the \\"queue\\""',
      '  + jobs_total{queue="new",x="1"} 1',
      '  - depth{queue="gone"} 1',
      '  ~ depth 4 → 1 (-3)',
      '  ~ jobs_total{queue="files"} 9 → 2 (reset)',
      '  ~ jobs_total{queue="mail"} 3 → 5 (+2)',
      '  ~ wait_bucket{le="2"} 1 → 2 (+1)',
      '  ~ wait_bucket{le="10"} 1 → 2 (+1)',
      '  ~ wait_bucket{le="+Inf"} 1 → 0 (reset)',
      '  ~ wait_count 1 → 0 (reset)',
      '  ~ wait_sum 1.5 → 1 (-0.5)',
    ].join('\n'),
  );
  t.is(
    String(diffSnapshots('# TYPE a gauge\n', '# TYPE b gauge\n')),
    ['0 series added, 0 removed, 0 changed', '  - gauge a', '  + gauge b'].join('\n'),
  );
});

test('growth of a series', (t) => {
  const diff = diffSnapshots(BEFORE, AFTER);
  t.is(diff.delta('jobs_total', { queue: 'mail' }), 2);
  t.is(diff.delta('jobs_total', { x: '1', queue: 'new' }), 1, 'from nothing');
  t.is(diff.delta('depth', { queue: 'gone' }), -1, 'to nothing');
  t.is(diff.delta('wait_bucket', { le: '2.0' }), 1);
  t.is(diff.delta('same'), 0);
  t.is(diff.delta('unheard_of'), 0);
});

test('two texts with the same content have no differences', async (t) => {
  const snapshot = await synthesize({ seed: 7, hostile: true, families: 16 }).metrics();
  const registry = replay(snapshot);
  registry.setContentType(openMetricsContentType);
  const openmetrics = await registry.metrics();
  t.not(openmetrics, snapshot);
  const diff = diffSnapshots(snapshot, parseExposition(openmetrics));
  t.is(String(diff), 'Nothing changed');
  t.true(diff.isEmpty);
  t.true(diffSnapshots('a{b="",c="1"} 1\n', Buffer.from('a{c="1"} 1 7\n')).isEmpty);
});

test('an invalid exposition throws', (t) => {
  t.throws(() => diffSnapshots('a 1\n', 'a one\n'), { code: 'INVALID_EXPOSITION', message: /line 1, column 3/ });
});
