// The command `check` and promtool find the same in names, types, help texts and labels: in expositions of this library and
// of prom-client, and in thousands of generated families. promtool also runs the rules that the command writes.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { OBJECTIVES } from '../cli/support/objectives.mjs';
import { run as command } from '../cli/support/program.mjs';
import { count } from '../support/count.mjs';
import { expositions } from './support/expositions.mjs';
import { run, temporaryFolder } from './support/processes.mjs';

/** The rules that promtool does not have. */
const OWN = ['type', 'label-id', 'series', 'buckets', 'size'].flatMap((rule) => ['--ignore', rule]);

/** What each finds, one line for each finding, sorted. promtool repeats a finding for each series. */
async function verdicts(input) {
  const theirs = await run('promtool', ['check', 'metrics'], { input });
  const ours = await command(['check', '--json', ...OWN, '-'], { input });
  const { findings } = JSON.parse(ours.stdout);
  return {
    theirs: [...new Set(theirs.stderr.split('\n').filter((line) => line !== ''))].sort(),
    ours: findings.map(({ metric, text }) => `${metric} ${text}`).sort(),
    codes: [theirs.code, ours.code],
  };
}

test('expositions of libraries', async (t) => {
  let read = 0;
  for (const text of await expositions('text')) {
    const { theirs, ours, codes } = await verdicts(text);
    // Each refuses texts that the other reads: promtool blanks after a sample, ours samples of a histogram without a suffix
    // and empty expositions.
    if (theirs[0]?.startsWith('error while linting: ') || ours[0]?.startsWith(' ')) continue;
    read += 1;
    t.deepEqual(ours, theirs, text);
    t.deepEqual(codes, theirs.length === 0 ? [0, 0] : [3, 1]);
  }
  t.true(read >= 6, `${read} read`);
});

const PREFIXES = ['', 'nano', 'micro', 'milli', 'centi', 'kilo', 'kibi', 'mega', 'gibi', 'pebi'];
const UNITS = [
  ...['seconds', 'bytes', 'meters', 'metres', 'grams', 'volts', 'amperes', 'joules', 'celsius', 'kelvin', 'kelvins'],
  ...['minutes', 'hours', 'days', 'weeks', 'bits', 'miles', 'inches', 'yards', 'pounds', 'ounces', 'calories'],
  ...['fahrenheit', 'rankine', 'thermometers', 'Seconds'],
];
const WORDS = [
  ...[
    'http',
    'requests',
    'queue',
    'total',
    'count',
    'sum',
    'bucket',
    'ratio',
    'counter',
    'gauge',
    'summary',
    'histogram',
  ],
  ...[
    'untyped',
    's',
    'ms',
    'us',
    'ns',
    'sec',
    'b',
    'kb',
    'mb',
    'gb',
    'tb',
    'pb',
    'm',
    'h',
    'd',
    'MS',
    'camelCase',
    'UPPER',
  ],
  ...['a:b', 'x1', 'info', 'created'],
];
// promtool names one unit of a metric, by chance: a name has at most one.
const unit = fc.tuple(fc.constantFrom(...PREFIXES), fc.constantFrom(...UNITS)).map((parts) => parts.join(''));
const name = fc
  .tuple(
    fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 3 }),
    fc.option(unit, { nil: undefined }),
    fc.array(fc.constantFrom(...WORDS), { maxLength: 2 }),
  )
  .map(([first, unit, last]) => [...first, ...(unit === undefined ? [] : [unit]), ...last].join('_'));
const labels = fc.uniqueArray(fc.constantFrom('le', 'quantile', 'route', 'statusCode', 'a_b', 'X'), { maxLength: 3 });
const family = fc.record({
  name,
  type: fc.constantFrom('counter', 'gauge', 'histogram', 'summary', 'untyped', undefined),
  help: fc.constantFrom('Help.', '', undefined),
  labels,
});

/** A family as text. The names of families differ by their numbers, which are in front, where no rule looks. */
function written({ name, type, help, labels }, at) {
  const own = `n${at}_${name}`;
  const lines = [];
  if (help !== undefined) lines.push(`# HELP ${own} ${help}`);
  if (type !== undefined) lines.push(`# TYPE ${own} ${type}`);
  const reserved = { histogram: 'le', summary: 'quantile' }[type];
  const set = (...more) => {
    const pairs = [...labels.filter((label) => label !== reserved).map((label) => `${label}="1"`), ...more];
    return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
  };
  if (reserved === undefined) lines.push(`${own}${set()} 1`);
  else {
    lines.push(type === 'summary' ? `${own}${set('quantile="0.5"')} 1` : `${own}_bucket${set('le="+Inf"')} 1`);
    lines.push(`${own}_sum${set()} 1`, `${own}_count${set()} 1`);
  }
  return `${lines.join('\n')}\n`;
}

test('generated families', async (t) => {
  const families = fc.sample(family, { numRuns: count(2000, 20_000), seed: 1 });
  const { theirs, ours } = await verdicts(families.map(written).join(''));
  const [missing, wrong] = [
    theirs.filter((line) => !ours.includes(line)),
    ours.filter((line) => !theirs.includes(line)),
  ];
  t.deepEqual({ missing: missing.slice(0, 5), wrong: wrong.slice(0, 5) }, { missing: [], wrong: [] });
  t.is(ours.length, theirs.length);
  t.true(theirs.length > families.length);
});

for (const args of [
  ['--slo', '99.9', '--metric', 'http_requests_total'],
  ['--slo', '95', '--metric', 'jobs_total'],
  ['--slo', '99.99', '--metric', 'jobs_total', '--bad', 'result="it\'s ok"'],
  ['--slo', '99', '--metric', 'wait_seconds', '--threshold', '0.5'],
  ['--slo', '97.3', '--metric', 'wait_seconds', '--threshold', '1'],
]) {
  test(`rules ${args.join(' ')}: promtool accepts them, and their cases pass and can fail`, async (t) => {
    const folder = await temporaryFolder(t);
    const [rules, cases] = [join(folder, 'rules.yml'), join(folder, 'cases.yml')];
    const written = await command(['rules', ...args, '-'], { input: OBJECTIVES });
    const tests = await command(['rules', ...args, '--tests', 'rules.yml', '-'], { input: OBJECTIVES });
    t.deepEqual([written.code, tests.code], [0, 0], written.stderr + tests.stderr);
    await writeFile(rules, written.stdout);
    await writeFile(cases, tests.stdout);
    const checked = await run('promtool', ['check', 'rules', rules]);
    t.regex(checked.stdout, /SUCCESS: 9 rules found/, checked.stdout + checked.stderr);
    const tested = await run('promtool', ['test', 'rules', cases]);
    t.is(tested.code, 0, tested.stdout + tested.stderr);

    for (const [old, other] of [
      [/> [\d.]+/g, '> 2'],
      [/> [\d.]+/g, '>= 0'],
    ]) {
      await writeFile(rules, written.stdout.replaceAll(old, other));
      t.is((await run('promtool', ['test', 'rules', cases])).code, 1, other);
    }
  });
}
