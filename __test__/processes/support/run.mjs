// Runs programs of this folder in processes of their own.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const OURS = '@llm-devops/prometheus-metrics';
export const PROM_CLIENT = 'prom-client';
export const SUCCESSOR = '@prometheus-io/client';

const run = promisify(execFile);

/** Programs that run at the same time. Each has several processes, and many only wait for a time-out. */
const RUNNING_MAX = 3;
const waiting = [];
let running = 0;

async function taken() {
  if (running < RUNNING_MAX) running += 1;
  else await new Promise((resolve) => waiting.push(resolve));
}

function given() {
  const next = waiting.shift();
  if (next === undefined) running -= 1;
  else next();
}

/** Runs a program with a scenario; returns what each of its steps came to. Fails if it prints a warning. */
export async function runScenario(program, scenario, { mayWarn = false } = {}) {
  const file = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, program);
  await taken();
  try {
    const { stdout, stderr } = await run(process.execPath, [file, JSON.stringify(scenario)], { timeout: 60_000 });
    if (stderr !== '' && !mayWarn) throw new Error(`Expected no warning but:\n${stderr}`);
    return JSON.parse(stdout);
  } finally {
    given();
  }
}

export const runCluster = (scenario, options) => runScenario('cluster-program.cjs', scenario, options);
export const runThreads = (scenario, options) => runScenario('threads-program.cjs', scenario, options);

/** The lines of an exposition, sorted: the order of the series follows the order of the answers. */
export const lines = (exposition) => exposition.split('\n').sort();
