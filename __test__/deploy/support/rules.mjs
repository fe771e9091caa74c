// Reads the rules of deploy/prometheus/rules. It supports only the YAML layout of these files.
// __test__/judges/rules.test.mjs checks that Prometheus reads the same.

import { readdir, readFile } from 'node:fs/promises';

export const RULES_FOLDER = new URL('../../../deploy/prometheus/rules/', import.meta.url);

/** @returns {Promise<{file: string, record?: string, alert?: string, expr: string, for?: string, labels: object, annotations: object}[]>} */
export async function readRules() {
  const files = (await readdir(RULES_FOLDER)).filter((name) => name.endsWith('.yml')).sort();
  const texts = await Promise.all(files.map((file) => readFile(new URL(file, RULES_FOLDER), 'utf8')));
  return texts.flatMap((text, i) => rulesIn(text).map((rule) => ({ file: files[i], ...rule })));
}

function rulesIn(text) {
  const rules = [];
  let section;
  let block;
  for (const line of text.split('\n')) {
    const indent = line.search(/\S/);
    if (block !== undefined && indent >= 10) {
      rules.at(-1)[block] += `${line.slice(10)}\n`;
      continue;
    }
    block = undefined;
    const [, dash, key, value] = /^ {6}(- | {2})(\w+):(?: (.*))?$/.exec(line) ?? [];
    if (key !== undefined) {
      if (dash === '- ') rules.push({ labels: {}, annotations: {} });
      section = value === undefined ? key : undefined;
      if (value === '|') {
        block = key;
        rules.at(-1)[key] = '';
      } else if (value !== undefined) rules.at(-1)[key] = plain(value);
    }
    const [, name, inner] = /^ {10}(\w+): (.*)$/.exec(line) ?? [];
    if (section !== undefined && name !== undefined) rules.at(-1)[section][name] = plain(inner);
  }
  return rules.map((rule) => ({ ...rule, expr: rule.expr.trim() }));
}

function plain(text) {
  return text.startsWith("'") ? text.slice(1, -1).replaceAll("''", "'") : text;
}
