/**
 * Shows the fastest-moving series of an endpoint: a table that a terminal redraws, or plain lines for other readers.
 */
import { setTimeout } from 'node:timers';
import { familiesOf } from './families';
import { nameOf, readExposition } from './source';
import { coloured, seriesText, shown, table, writeLine } from './terminal';
import { numberOf, textOf, type Values } from './values';

interface Moving {
  readonly series: string;
  /** True for counters, and for counts and sums of distributions. */
  readonly grows: boolean;
  last: number;
  /** Change per second; the newest is the last. */
  readonly rates: number[];
  round: number;
}

const HISTORY = 30;
const LINES = 10;
const BARS = '▁▂▃▄▅▆▇█';

export async function watch([target]: string[], values: Values): Promise<number> {
  const interval = numberOf(values, 'interval', 2, 0.05) * 1000;
  const count = numberOf(values, 'count', Number.POSITIVE_INFINITY, 1);
  const isTerminal = process.stdout.isTTY === true && values.json !== true;
  const top = numberOf(values, 'top', isTerminal ? Math.max(1, (process.stdout.rows ?? 24) - 3) : LINES, 1);
  const wanted = textOf(values, 'match') ?? '';
  const known = new Map<string, Moving>();
  const restore = isTerminal ? useScreen() : () => {};
  try {
    let before = 0;
    for (let round = 1; ; round++) {
      const start = performance.now();
      let failure = '';
      try {
        follow(
          known,
          countsOf(await readExposition(target, values), wanted),
          round,
          (performance.now() - before) / 1000,
        );
        before = performance.now();
      } catch (error) {
        // A program that is watched while it is developed restarts often.
        if (round === 1) throw error;
        failure = (error as Error).message;
      }
      const fastest = fastestOf(known, top);
      if (values.json === true) writeJsonLine(fastest, failure);
      else if (isTerminal) draw(target, known.size, fastest, failure);
      else if (round > 1) writePlain(fastest, failure);
      if (round >= count) return 0;
      await pause(interval - (performance.now() - start));
    }
  } finally {
    restore();
  }
}

/** The values to follow, by series: without buckets, whose counts follow from others. */
function countsOf(exposition: Parameters<typeof familiesOf>[0], wanted: string): [string, number, boolean][] {
  return familiesOf(exposition).flatMap(({ name, type, samples }) =>
    samples
      .filter((sample) => !/_(?:bucket|created)$/.test(sample.name) || type === 'gauge')
      .map((sample): [string, number, boolean] => {
        const grows = type === 'counter' || ((type === 'histogram' || type === 'summary') && sample.name !== name);
        return [seriesText(sample.name, sample.labels), sample.value, grows];
      })
      .filter(([series, value]) => series.includes(wanted) && Number.isFinite(value)),
  );
}

function follow(known: Map<string, Moving>, counts: [string, number, boolean][], round: number, seconds: number): void {
  for (const [series, value, grows] of counts) {
    const moving = known.get(series);
    if (moving === undefined) {
      known.set(series, { series, grows, last: value, rates: [], round });
      continue;
    }
    // A counter that fell was reset, and has counted its value since.
    const change = grows && value < moving.last ? value : value - moving.last;
    moving.rates.push(change / seconds);
    if (moving.rates.length > HISTORY) moving.rates.shift();
    moving.last = value;
    moving.round = round;
  }
  for (const [series, moving] of known) if (moving.round !== round) known.delete(series);
}

const speedOf = ({ rates }: Moving) => Math.abs(rates.at(-1) ?? 0);
/** The change of a gauge as a part of its value: sizes in bytes would hide all others. */
const shareOf = (moving: Moving) => speedOf(moving) / (Math.abs(moving.last) + speedOf(moving) || 1);

/** Counters first, by their rate; then gauges. */
function bySpeed(one: Moving, two: Moving): number {
  if (one.grows !== two.grows) return one.grows ? -1 : 1;
  const speed = one.grows ? speedOf : shareOf;
  return speed(two) - speed(one) || (one.series < two.series ? -1 : 1);
}

function fastestOf(known: ReadonlyMap<string, Moving>, top: number): Moving[] {
  return [...known.values()]
    .filter(({ rates }) => rates.some((rate) => rate !== 0))
    .sort(bySpeed)
    .slice(0, top);
}

function writeJsonLine(fastest: readonly Moving[], failure: string): void {
  const series = fastest.map(({ series, last, rates }) => ({ series, value: last, rate: rates.at(-1) }));
  const time = new Date().toISOString();
  writeLine(JSON.stringify(failure === '' ? { time, series } : { time, error: failure }));
}

function writePlain(fastest: readonly Moving[], failure: string): void {
  const time = new Date().toISOString().slice(11, 19);
  const moved = failure === '' ? fastest : [];
  if (moved.length === 0) writeLine(`${time} ${shown(failure) || 'nothing moved'}`);
  for (const { series, last, rates } of moved) {
    writeLine(`${time} ${perSecond(rates.at(-1))} ${short(last)} ${shown(series)}`);
  }
}

const perSecond = (rate = 0) => `${rate < 0 ? '' : '+'}${short(rate)}/s`;
const short = (value: number) => String(Number(value.toPrecision(4)));

function sparkline(rates: readonly number[]): string {
  const sizes = rates.map(Math.abs);
  const most = sizes.reduce((largest, size) => Math.max(largest, size), 0);
  const bars = sizes.map((size) => BARS[most === 0 ? 0 : Math.round((size / most) * (BARS.length - 1))]);
  return bars.join('').padStart(HISTORY);
}

function draw(target: string, total: number, fastest: readonly Moving[], failure: string): void {
  const width = process.stdout.columns || 80;
  const rows = fastest.map(({ series, last, rates }) => [
    perSecond(rates.at(-1)),
    short(last),
    sparkline(rates),
    series,
  ]);
  const fixed = rows.reduce((most, [rate, value]) => Math.max(most, rate.length + value.length), 0) + HISTORY + 6;
  const cut = rows.map((row) => [
    ...row.slice(0, 3),
    Array.from(shown(row[3]))
      .slice(0, Math.max(8, width - fixed))
      .join(''),
  ]);
  const paint = (cell: string, column: number) => (column === 2 ? coloured('green', cell) : cell);
  const head = shown(`${nameOf(target)}  ${total} series  ${new Date().toISOString().slice(11, 19)}`);
  const lines = [coloured('dim', head.slice(0, width)), ...table(cut, paint)];
  if (failure !== '') lines[0] = coloured('red', shown(failure).slice(0, width));
  else if (fastest.length === 0) lines.push('waiting for a series to move');
  // Each line ends with "erase to the end", so that the picture does not flicker.
  process.stdout.write(`\x1b[H${lines.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J`);
}

/** Draws on the second screen of the terminal, and gives the first one back at the end. */
function useScreen(): () => void {
  process.stdout.write('\x1b[?1049h\x1b[?25l\x1b[2J');
  const restore = () => {
    process.off('exit', restore);
    process.stdout.write('\x1b[?25h\x1b[?1049l');
  };
  process.on('exit', restore);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(0));
  return restore;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, ms));
  });
}
