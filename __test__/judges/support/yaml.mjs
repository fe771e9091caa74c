// Reads YAML with PyYAML, in the environment that .ci/judges.sh makes.

import { fileURLToPath } from 'node:url';
import { run } from './processes.mjs';
import { VENV_PYTHON } from './python.mjs';

const SCRIPT = fileURLToPath(new URL('yaml-documents.py', import.meta.url));

/** @returns {Promise<Map<string, object[]>>} the documents of each file, by its path. */
export async function readYaml(paths) {
  const { code, stdout, stderr } = await run(VENV_PYTHON, [SCRIPT, ...paths]);
  if (code !== 0) throw new Error(`The YAML was not read:\n${stderr}`);
  return new Map(Object.entries(JSON.parse(stdout)));
}
