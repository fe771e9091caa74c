/**
 * Starts the zero-code mode and prints what becomes of it, in lines on stderr. Never throws: the application starts even if
 * the library cannot be loaded. So this file imports nothing that loads the native addon.
 */
import { writeSync } from 'node:fs';
import type * as Mode from './mode';

/** Marks a realm in which the mode has started: a program may both `--require` and `--import` it. */
const STARTED = Symbol.for('@llm-devops/prometheus-metrics.auto');

const realm = globalThis as { [STARTED]?: Promise<void> };

const STDERR = 2;

/** @returns a promise that resolves when the exporter listens and the application's packages are measured */
export function start(): Promise<void> {
  realm[STARTED] ??= begin().catch((error: unknown) => say(`does not measure this process: ${Object(error).message}`));
  return realm[STARTED];
}

async function begin(): Promise<void> {
  const { measureProcess } = require('./mode') as typeof Mode;
  await measureProcess(say);
}

/** Not with `process.stderr`, which reports a closed pipe later, by an event that ends the program. */
function say(text: string): void {
  try {
    writeSync(STDERR, `prometheus-metrics: ${text.replace(/\s+/g, ' ').trim()}\n`);
  } catch {
    // A closed stderr must not end the program.
  }
}
