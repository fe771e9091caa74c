// Shared by all benches: options, statistics, interleaved rounds, child processes that answer calls, and the form in
// which results go to the report. It knows no metrics and no library.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Options that run.mjs passes on. A bench that is started by hand takes the same ones. */
export const options = {
  quick: process.argv.includes('--quick'),
  peersOnly: process.argv.includes('--peers-only'),
  json: optionOf('--json='),
  /** The folder of another built checkout of this library. */
  beside: optionOf('--beside='),
};

function optionOf(flag) {
  return process.argv.find((argument) => argument.startsWith(flag))?.slice(flag.length);
}

/** Progress goes to stderr, so that stdout contains only the JSON. */
export function progress(line) {
  process.stderr.write(`  ${line}\n`);
}

/**
 * Hands over the result of a bench: `{name, title, about, tables, verdicts, samples}`.
 *
 * A table is `{caption, columns, rows, note?}`. A verdict is `{work, reach, measured, met}`; `met` is null if nothing
 * could be judged. Samples are the raw figures and are published unchanged.
 */
export function publish(result) {
  const text = JSON.stringify(result, (_key, value) => (typeof value === 'number' ? round(value) : value));
  if (options.json) writeFileSync(options.json, text);
  else process.stdout.write(`${text}\n`);
}

// ---- statistics ----

export function median(numbers) {
  return quantile(numbers, 0.5);
}

export function quantile(numbers, q) {
  if (numbers.length === 0) return Number.NaN;
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const below = Math.floor(at);
  return sorted[below] + (sorted[Math.ceil(at)] - sorted[below]) * (at - below);
}

/**
 * The median of the ratios of each round. A machine's speed drifts during a run. The two halves of a round are
 * milliseconds apart, so their ratio is reliable where the ratio of two medians is not.
 */
export function ratioOfRounds(above, below) {
  return median(above.map((value, index) => value / below[index]));
}

/** The key with the lowest median among those that have samples. */
export function fastest(samples, keys) {
  const measured = keys.filter((key) => samples[key]?.length > 0);
  return measured.sort((a, b) => median(samples[a]) - median(samples[b]))[0];
}

/** A verdict on a figure that must be at least `reach`. */
export function atLeast(work, value, reach, text) {
  return { work, reach: text ?? `>= ${reach}x`, measured: `${show(value)}x`, ...judge(reach / value) };
}

/** A verdict on a figure that must be at most `reach`. */
export function atMost(work, value, reach, unit) {
  const of = (figure) => (unit === 'x' ? `${figure}x` : `${figure} ${unit}`);
  return { work, reach: `<= ${of(reach)}`, measured: of(show(value)), ...judge(value / reach) };
}

/** A number for people: three significant digits, no exponent. */
export function show(value) {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 100) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

// ---- rounds ----

/**
 * Measures every entry once per round. Each round starts one entry later, so that a library does not always run after
 * the same neighbour.
 */
export async function interleave(entries, rounds, measure) {
  const samples = Object.fromEntries(entries.map((entry) => [entry.id, []]));
  for (let turn = 0; turn < rounds; turn++) {
    for (let step = 0; step < entries.length; step++) {
      const entry = entries[(turn + step) % entries.length];
      samples[entry.id].push(await measure(entry, turn));
    }
  }
  return samples;
}

// ---- child processes ----

const ROLE = '--role=';

/** The role this process was started in by `startRole`, or undefined in the bench itself. */
export function ownRole() {
  const argument = process.argv.find((candidate) => candidate.startsWith(ROLE));
  return argument && JSON.parse(argument.slice(ROLE.length));
}

/** Answers the parent's calls with the methods of `service`, until the parent disconnects. */
export function serveRole(service) {
  process.on('disconnect', () => process.exit(0));
  process.on('message', async ({ call, argument }) => {
    try {
      process.send({ answer: (await service[call](argument)) ?? null });
    } catch (error) {
      process.send({ failure: String(error?.message ?? error) });
    }
  });
}

/**
 * Starts the module at `url` as a child process in `role`. `ask(call, argument, timeoutMs)` rejects with the reason if
 * the child fails, dies or is too slow. After a death, every further call rejects with the same reason.
 */
export function startRole(url, role, { execArgv = [] } = {}) {
  const passedOn = options.beside ? [`--beside=${options.beside}`] : [];
  const child = fork(fileURLToPath(url), [`${ROLE}${JSON.stringify(role)}`, ...passedOn], {
    execArgv,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let death;
  let stderr = '';
  let settle;
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    stderr = (stderr + chunk).slice(-20_000);
  });
  child.on('message', ({ answer, failure }) => settle?.(failure && new Error(failure), answer));
  // Not 'close': Node.js does not emit it after a disconnect() by the parent.
  const ended = Promise.all([once(child, 'exit'), once(child.stderr, 'close')]).then(([[code, signal]]) => {
    death ??= new Error(causeOfDeath(code, signal, stderr));
    settle?.(death);
  });
  return {
    ask(call, argument, timeoutMs = 120_000) {
      return new Promise((resolve, reject) => {
        if (death) return reject(death);
        const timer = setTimeout(() => {
          death = new Error(`no answer within ${timeoutMs / 1000} s`);
          child.kill('SIGKILL');
        }, timeoutMs);
        settle = (error, answer) => {
          clearTimeout(timer);
          settle = undefined;
          error ? reject(error) : resolve(answer);
        };
        child.send({ call, argument }, (error) => error && settle?.(death ?? error));
      });
    },
    stop() {
      if (child.connected) child.disconnect();
      return ended;
    },
  };
}

/** Collects garbage, if the process was started with --expose-gc. */
export function collectGarbage() {
  for (let pass = 0; pass < 4; pass++) globalThis.gc?.({ type: 'major', flavor: 'last-resort' });
}

function causeOfDeath(code, signal, stderr) {
  const reason = stderr.match(/^(?:FATAL ERROR: .*|\w*Error: .*)$/m)?.[0];
  return [`ended with ${signal ?? `exit code ${code}`}`, reason].filter(Boolean).join(': ');
}

function judge(excess) {
  if (!Number.isFinite(excess)) return { met: null };
  if (excess <= 1) return { met: true };
  return { met: false, missedBy: excess < 2 ? `${show((excess - 1) * 100)} %` : `${show(excess)}x` };
}

/** Five significant digits: more is noise, and the published samples stay small. */
function round(value) {
  return Number.isInteger(value) ? value : Number(value.toPrecision(5));
}
