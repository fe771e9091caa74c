/**
 * Compares benches of a change with those of its base, measured on the same machine, and prints a table in Markdown. Fails
 * if a case takes more than `--limit` times as long as before.
 *
 *   --record=base.json,head.json   samples of `npm run bench -- --only=record --out=folder`
 *   --criterion=folder             criterion's folder, with baselines named `base` and `head`
 *   --budgets=require.json         samples of one bench: it fails if a budget of that bench is not met
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/**
 * The cases that both runs of the record bench have. A case is measured against a bare addition in the same round, so that
 * a machine that was slower during one of the runs makes no difference.
 */
export function compareRecords(base, head) {
  const times = ({ samples }) =>
    new Map(
      Object.entries(samples).flatMap(([setting, cases]) =>
        Object.entries(cases).map(([name, { ours, floor }]) => [
          `${name}, ${setting}`,
          median(ours.map((time, round) => time / floor[round])),
        ]),
      ),
    );
  return compareTimes(times(base), times(head), (time) => `${time.toPrecision(3)} bare additions`);
}

/** The cases of criterion's folder that have both baselines. */
export function compareCriterion(folder) {
  const times = (baseline) =>
    new Map(
      readdirSync(folder, { recursive: true })
        .filter((path) => path.endsWith(join(baseline, 'estimates.json')))
        .map((path) => [
          relative('.', path).split(sep).slice(0, -2).join('/'),
          JSON.parse(readFileSync(join(folder, path), 'utf8')).median.point_estimate,
        ]),
    );
  return compareTimes(times('base'), times('head'), (time) => `${time.toPrecision(3)} ns`);
}

function compareTimes(base, head, shown) {
  return [...head]
    .filter(([name]) => base.has(name))
    .map(([name, time]) => ({ name, base: shown(base.get(name)), head: shown(time), ratio: time / base.get(name) }));
}

/** The table, with the cases over the limit in bold. */
export function table(cases, limit) {
  const rows = cases.map(({ name, base, head, ratio }) => {
    const factor = `${ratio.toFixed(2)}x`;
    return `| ${name} | ${base} | ${head} | ${ratio > limit ? `**${factor}**` : factor} |`;
  });
  return ['| case | base | change | change / base |', '|---|--:|--:|--:|', ...rows].join('\n');
}

/** The budgets of a bench as a table, and whether all of them are met. */
export function budgets({ verdicts }) {
  if (verdicts.length === 0) throw new Error('Expected budgets but found none');
  const rows = verdicts.map(({ work, reach, measured, met }) => {
    return `| ${work} | ${reach} | ${met === true ? measured : `**${measured}**`} |`;
  });
  return {
    table: ['| budget | limit | measured |', '|---|--:|--:|', ...rows].join('\n'),
    areMet: verdicts.every(({ met }) => met === true),
  };
}

function main() {
  const string = { type: 'string' };
  const { values } = parseArgs({ options: { limit: string, record: string, criterion: string, budgets: string } });
  const limit = Number(values.limit ?? 1.5);
  if (!(limit >= 1)) throw new Error(`Expected --limit to be a number of at least 1 but received ${values.limit}`);
  if (values.budgets !== undefined) {
    const { table, areMet } = budgets(JSON.parse(readFileSync(values.budgets, 'utf8')));
    console.log(`${table}\n`);
    if (!areMet) process.exitCode = 1;
    if (values.record === undefined && values.criterion === undefined) return;
  }
  const cases = [];
  if (values.record !== undefined) {
    const [base, head] = values.record.split(',').map((path) => JSON.parse(readFileSync(path, 'utf8')));
    cases.push(...compareRecords(base, head));
  }
  if (values.criterion !== undefined) {
    if (!existsSync(values.criterion)) throw new Error(`Expected criterion's folder at ${values.criterion}`);
    cases.push(...compareCriterion(values.criterion));
  }
  if (cases.length === 0) throw new Error('Expected cases that both runs have but found none');
  console.log(table(cases, limit));
  const slower = cases.filter(({ ratio }) => ratio > limit);
  console.log(
    slower.length === 0
      ? `\nNo case takes more than ${limit} times as long as before.`
      : `\n${slower.length} of ${cases.length} cases take more than ${limit} times as long as before.`,
  );
  if (slower.length > 0) process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
