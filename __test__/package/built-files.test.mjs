// The layout of the built JavaScript: what Node.js shows of it when an error is not caught, and what bundlers may change.

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const dist = fileURLToPath(new URL('../../dist/', import.meta.url));

/** What a program that does not catch its error writes to standard error. */
function uncaught(source) {
  const program = `const client = require('@llm-devops/prometheus-metrics');\n${source}`;
  return new Promise((resolve) => {
    const options = { cwd: fileURLToPath(new URL('.', import.meta.url)) };
    execFile(process.execPath, ['-e', program], options, (_, __, stderr) => resolve(stderr));
  });
}

const MISTAKES = {
  "new client.Counter({ name: 'a b', help: 'h' })": 'Invalid metric name: a b',
  "new client.Counter({ name: 'a', help: 'h', labelNames: ['x'] }).inc({ y: 1 })": 'Added label "y"',
  "new client.Counter({ name: 'a', help: 'h' }).inc(-1)": 'It is not possible to decrease a counter',
  'client.createMetricsHandler({ prot: 1 })': 'Unknown option "prot"',
  'client.startExporter({ prot: 1 })': 'Unknown option "prot"',
  "client.register.counter({ name: 'a', help: 'h' });\nclient.register.gauge({ name: 'a', help: 'h' })":
    'Expected a to be',
};

for (const [source, message] of Object.entries(MISTAKES)) {
  test(`an uncaught error stands on the first screen: ${source}`, async (t) => {
    const [place, line, marker, ...rest] = (await uncaught(source)).split('\n');
    t.regex(place, /\.js:\d+$/);
    // Node.js shows the whole line of the `throw`.
    t.true(line.length < 600 && marker.length < 600, `${line.length} characters`);
    t.true(rest.slice(0, 3).join('\n').includes(message), rest.join('\n'));
  });
}

test('no text of the built files goes over the end of a line, because bundlers indent lines', (t) => {
  const files = readdirSync(dist, { recursive: true }).filter((file) => /^(bundle|entry)\b.*\.m?js$/.test(file));
  t.true(files.length > 50);
  for (const file of files) t.notRegex(readFileSync(join(dist, file), 'utf8'), /\\\n/, file);
});
