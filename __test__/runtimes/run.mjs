/**
 * Runs the smoke program on this Node.js, on Bun and on Deno, with the packed package, and counts its steps. Differences
 * that the documentation names are expected here: if one goes away, the check fails.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install, pack } from '../bundlers/packed.mjs';
import { run, work, write } from '../bundlers/shell.mjs';
import { check, tally } from '../support/tally.mjs';

const tools = fileURLToPath(new URL('node_modules/', import.meta.url));

/** Bun and Deno report no collections of garbage, and an event loop that is never busy. */
const UNKNOWN = [
  'nodejs_eventloop_utilization_histogram_sum',
  'nodejs_eventloop_utilization_summary',
  'nodejs_eventloop_utilization_summary_sum',
  'nodejs_gc_duration_seconds_sum',
];
/** Bun lists no handles. */
const HANDLES = ['active_handles', 'active_handles_total', 'active_resources', 'active_resources_total'];

/** Each with its command, and with the default metrics that have no value there, or are always 0. */
const RUNTIMES = {
  'Node.js': { command: [process.execPath], missing: [] },
  Bun: {
    command: [join(tools, 'bun/bin/bun.exe')],
    missing: [...HANDLES.map((name) => `nodejs_${name}`), ...UNKNOWN],
  },
  Deno: {
    command: [join(tools, 'deno', process.platform === 'win32' ? 'deno.exe' : 'deno'), 'run', '--allow-all'],
    missing: UNKNOWN,
  },
};

async function stepsOf(title, { command }) {
  const folder = write(join(work, `runtime-${title}`), {
    'package.json': { name: 'application', version: '1.0.0', private: true, type: 'module' },
  });
  install(folder);
  cpSync(new URL('smoke.mjs', import.meta.url), join(folder, 'smoke.mjs'));
  const output = await run(folder, [...command, 'smoke.mjs'], { env: { NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' } });
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

try {
  await pack();
  let reference;
  for (const [title, runtime] of Object.entries(RUNTIMES)) {
    let steps = [];
    await check(`${title} runs the program to its end`, async () => {
      steps = await stepsOf(title, runtime);
      reference ??= steps;
      const names = (list) => list.map(({ step }) => step).join('\n');
      if (names(steps) !== names(reference))
        throw new Error(`expected\n${names(reference)}\nreceived\n${names(steps)}`);
    });
    for (const { step, value, error } of steps) {
      await check(`${title}: ${step}`, () => {
        if (error !== undefined) throw new Error(error);
        if (value === undefined) return;
        const missing = reference.find((other) => other.step === step).value.filter((name) => !value.includes(name));
        if (missing.join() !== runtime.missing.join()) throw new Error(`without a value: ${missing.join(' ')}`);
      });
    }
  }
} finally {
  rmSync(work, { recursive: true, force: true, maxRetries: 5 });
}
process.exitCode = tally();
