// docs/command.md describes each command, option and rule that the program has.

import { readFileSync } from 'node:fs';
import test from 'ava';
import { run } from './support/program.mjs';

const page = readFileSync(new URL('../../docs/command.md', import.meta.url), 'utf8');

/** The part of the page under each heading. */
const parts = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((part) => [part.slice(0, part.indexOf('\n')), part]),
);

test('each command has a part with a line to copy, an example of its output, and its options', async (t) => {
  const { stdout } = await run(['--help']);
  for (const [, name] of stdout.matchAll(/^ {2}(\w+) /gm)) {
    const part = parts.get(name) ?? '';
    t.regex(part, new RegExp(`npx @llm-devops/prometheus-metrics ${name}\\b`), name);
    t.regex(part, /^```\n[^`]/m, name);
    const help = await run([name, '--help']);
    for (const [, option] of help.stdout.matchAll(/(--[\w-]+)/g)) {
      if (option !== '--help')
        t.true(part.includes(option) || parts.get('Sources').includes(option), `${name} ${option}`);
    }
  }
});

test('each rule of check is in its table', (t) => {
  const sources = ['check', 'promlint', 'hygiene'].map((file) =>
    readFileSync(new URL(`../../src/cli/${file}.ts`, import.meta.url), 'utf8'),
  );
  const named = sources.flatMap((source) => [
    ...source.matchAll(/(?:\badd\((?:'(?:note|warning)', )?|rule: )'([a-z-]+)'/g),
  ]);
  const rules = new Set(named.map(([, rule]) => rule));
  t.true(rules.size >= 14, [...rules].join());
  for (const rule of rules) t.true(parts.get('check').includes(`\`${rule}\``), rule);
});
