// The Python process that reads expositions (exposition-reader.py), in the environment that .ci/judges.sh makes.

import { fileURLToPath } from 'node:url';
import { Process } from './processes.mjs';

const READER = fileURLToPath(new URL('./exposition-reader.py', import.meta.url));
const VENV_PYTHON = fileURLToPath(new URL('../../../target/judges-venv/bin/python', import.meta.url));

/** @returns a function from a request to the reader's answer; requests are answered in the order they are made. */
export function startExpositionReader(t) {
  const waiting = [];
  const python = new Process(VENV_PYTHON, [READER], {
    onLine: (line) => waiting.shift().resolve(JSON.parse(line)),
  });
  python.exited.then(({ stderr, error }) => {
    for (const { reject } of waiting) reject(error ?? new Error(`The exposition reader ended:\n${stderr}`));
  });
  t.teardown(() => python.stop());

  return async (request) => {
    const answer = await new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      python.stdin.write(`${JSON.stringify(request)}\n`);
    });
    if (answer.error !== undefined) throw new Error(`The ${request.format} parser refuses: ${answer.error}`);
    return answer;
  };
}
