// Reads the figures that criterion left in target/criterion and makes one more section of the report. It runs nothing:
// run `cargo bench` first.

import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { show } from './harness.mjs';

const directory = fileURLToPath(new URL('../target/criterion/', import.meta.url));

/** A section like those of the Node benches, or undefined if there are no figures. */
export function criterionSection() {
  if (!existsSync(directory)) return undefined;
  const found = globSync('**/new/estimates.json', { cwd: directory }).sort().map(read);
  if (found.length === 0) return undefined;
  const dates = found.map(({ date }) => date).sort();
  const groups = Map.groupBy(found, ({ group }) => group);
  return {
    name: 'rust',
    title: 'Rust',
    about: `Measured by criterion (\`cargo bench\`) between ${dates[0]} and ${dates.at(-1)}; the interval is the 95 % interval of the median.`,
    tables: [...groups].map(([group, entries]) => ({
      caption: group,
      columns: ['', 'median', 'from', 'to'],
      rows: entries.map(({ id, median: { point_estimate: middle, confidence_interval: interval } }) => [
        `\`${id}\``,
        ...[middle, interval.lower_bound, interval.upper_bound].map(duration),
      ]),
    })),
    verdicts: [],
    samples: Object.fromEntries(found.map(({ id, median }) => [id, median])),
  };
}

function read(path) {
  const file = join(directory, path);
  const { group_id: group, full_id: id } = JSON.parse(readFileSync(join(dirname(file), 'benchmark.json'), 'utf8'));
  const { median } = JSON.parse(readFileSync(file, 'utf8'));
  return { group, id, median, date: statSync(file).mtime.toISOString().slice(0, 10) };
}

function duration(ns) {
  if (ns < 1e3) return `${show(ns)} ns`;
  if (ns < 1e6) return `${show(ns / 1e3)} us`;
  return `${show(ns / 1e6)} ms`;
}
