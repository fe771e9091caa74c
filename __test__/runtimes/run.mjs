/**
 * Runs the smoke program on this Node.js, on Bun and on Deno, with the packed package, and counts its steps. Differences
 * that the documentation names are expected here: if one goes away, the check fails.
 */
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { install, pack } from '../bundlers/packed.mjs';
import { root, run, work, write } from '../bundlers/shell.mjs';
import { check, tally } from '../support/tally.mjs';

const tools = fileURLToPath(new URL('node_modules/', import.meta.url));
const deno = join(tools, 'deno', process.platform === 'win32' ? 'deno.exe' : 'deno');
const env = { NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' };

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
    command: [deno, 'run', '--allow-all'],
    missing: UNKNOWN,
  },
};

async function stepsOf(title, { command }) {
  const folder = write(join(work, `runtime-${title}`), {
    'package.json': { name: 'application', version: '1.0.0', private: true, type: 'module' },
  });
  install(folder);
  cpSync(new URL('smoke.mjs', import.meta.url), join(folder, 'smoke.mjs'));
  const output = await run(folder, [...command, 'smoke.mjs'], { env });
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Deno with the permissions that README names, and without the first of them. */
async function checkPermissions() {
  const [, permissions] = readFileSync(join(root, 'README.md'), 'utf8').match(/^\| Deno \| .*, with `(.+?)`/m);
  const folder = write(join(work, 'permissions'), {
    'package.json': { name: 'application', version: '1.0.0', private: true, type: 'module' },
    'main.mjs': `import { register } from '@llm-devops/prometheus-metrics';
register.counter({ name: 'jobs_total', help: 'Jobs' }).inc(42);
console.log(await register.getSingleMetricAsString('jobs_total'));
`,
  });
  install(folder);
  const start = (flags) => run(folder, [deno, 'run', '--no-prompt', ...flags, 'main.mjs'], { env });
  const flags = permissions.split(' ');
  await check(`Deno runs with ${permissions}`, async () => {
    const shown = await start(flags);
    if (!shown.endsWith('\njobs_total 42\n')) throw new Error(shown);
  });
  await check(`Deno without ${flags[0]} says what is missing`, async () => {
    const { message } = await start(flags.slice(1)).catch((error) => error);
    if (!message?.includes(`What to do: start Deno with ${permissions}.\n`)) throw new Error(message);
  });
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
  await checkPermissions();
} finally {
  rmSync(work, { recursive: true, force: true, maxRetries: 5 });
}
process.exitCode = tally();
