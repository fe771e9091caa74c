// Runs the Python processes that read expositions (exposition-reader.py, exposition-verdicts.py), in the environment
// that .ci/judges.sh makes.

import { fileURLToPath } from 'node:url';
import { Process } from './processes.mjs';

export const VENV_PYTHON = fileURLToPath(new URL('../../../target/judges-venv/bin/python', import.meta.url));

/** @returns a function that sends a request to the reader and returns its answer; requests are answered in order. */
export function startExpositionReader(t) {
  const ask = start(t, 'exposition-reader.py');
  return async (request) => {
    const answer = await ask(request);
    if (answer.error !== undefined) throw new Error(`The ${request.format} parser refuses: ${answer.error}`);
    return answer;
  };
}

/**
 * @returns a function that takes a format and texts and returns what the format's parser reads in each; null for a
 * rejected text.
 */
export function startVerdicts(t) {
  return start(t, 'exposition-verdicts.py');
}

function start(t, script) {
  const waiting = [];
  const path = fileURLToPath(new URL(script, import.meta.url));
  const python = new Process(VENV_PYTHON, [path], {
    onLine: (line) => waiting.shift().resolve(JSON.parse(line)),
  });
  python.exited.then(({ stderr, error }) => {
    for (const { reject } of waiting) reject(error ?? new Error(`${script} ended:\n${stderr}`));
  });
  t.teardown(() => python.stop());

  return (request) =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      python.stdin.write(`${JSON.stringify(request)}\n`);
    });
}
