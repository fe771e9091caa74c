// The rules that the program writes, and what it refuses. __test__/judges/command.test.mjs runs them with promtool.

import test from 'ava';
import { OBJECTIVES } from './support/objectives.mjs';
import { run } from './support/program.mjs';

const rules = (...args) => run(['rules', '-', ...args], { input: OBJECTIVES });

/** The expression of the first recording rule. */
const first = ({ stdout }) => /expr: '(.*)'/.exec(stdout)[1].replaceAll("''", "'");

test('a counter: the failed part by its status, with zero before the first failure', async (t) => {
  const all = 'sum by (job) (rate(http_requests_total[5m]))';
  const written = await rules('--slo', '99.9', '--metric', 'http_requests_total');
  t.deepEqual({ code: written.code, stderr: written.stderr }, { code: 0, stderr: '' });
  t.is(first(written), `(sum by (job) (rate(http_requests_total{status=~"5.."}[5m])) or 0 * ${all}) / ${all}`);
  t.deepEqual(
    [...written.stdout.matchAll(/record: '(.*)'/g)].map(([, name]) => name),
    ['5m', '30m', '1h', '2h', '6h', '1d', '3d'].map((window) => `job:http_requests_total:bad_ratio_rate${window}`),
  );
  const limits = [...written.stdout.matchAll(/rate(\w+) > ([\d.]+)/g)].map(([, window, limit]) => `${window} ${limit}`);
  t.deepEqual(limits, [
    ...['1h 0.0144', '5m 0.0144', '6h 0.006', '30m 0.006'],
    ...['1d 0.003', '2h 0.003', '3d 0.001', '6h 0.001'],
  ]);
  const words = await rules('--slo', '99', '--metric', 'jobs_total');
  t.true(first(words).includes('jobs_total{result=~"error|timeout"}[5m]'), words.stdout);
  const own = await rules('--slo', '99', '--metric', 'plain_total', '--bad', 'zone="a"');
  t.true(first(own).includes('plain_total{zone="a"}[5m]'));
});

test('a histogram: the part over a bucket', async (t) => {
  const half = await rules('--slo', '95', '--metric', 'wait_seconds', '--threshold', '0.5');
  t.is(
    first(half),
    '1 - sum by (job) (rate(wait_seconds_bucket{le="0.5"}[5m])) / sum by (job) (rate(wait_seconds_count[5m]))',
  );
  const one = await rules('--slo', '95', '--metric', 'wait_seconds', '--threshold', '1');
  t.true(first(one).includes('wait_seconds_bucket{le=~"1|1.0"}[5m]'));
});

test('the metric is found if only one has failures', async (t) => {
  const input = OBJECTIVES.replace(/^.*jobs_total.*\n/gm, '');
  const { code, stdout } = await run(['rules', '--slo', '99', '-'], { input });
  t.is(code, 0);
  t.true(stdout.includes('http_requests_total{status=~"5.."}'));
});

test('incomplete and wrong options are refused', async (t) => {
  const refused = [
    [[], /Expected --slo, such as --slo 99\.9/],
    [['--slo', '90'], /Expected a number of at least 95 for --slo/],
    [['--slo', '100'], /Expected less than 100 for --slo/],
    [['--slo', '99'], /Expected --metric, such as one of http_requests_total, jobs_total/],
    [['--slo', '99', '--metric', 'nothing'], /Expected a metric of the exposition but received "nothing"/],
    [['--slo', '99', '--metric', 'plain_total'], /Expected a histogram, or a counter and --bad/],
    [['--slo', '99', '--metric', 'jobs_total', '--bad', 'x'], /Expected a histogram, or a counter and --bad/],
    [
      ['--slo', '99', '--metric', 'jobs_total', '--bad', 'a=~"5[0-9]+"'],
      /Expected a histogram, or a counter and --bad/,
    ],
    [['--slo', '99', '--metric', 'wait_seconds'], /Expected one of 0\.5, 1 for --threshold/],
    [['--slo', '99', '--metric', 'wait_seconds', '--threshold', '2'], /Expected one of 0\.5, 1 for --threshold/],
  ];
  for (const [args, message] of refused) {
    const { code, stdout, stderr } = await rules(...args);
    t.deepEqual({ code, stdout }, { code: 2, stdout: '' }, args.join(' '));
    t.regex(stderr, message);
  }
});
