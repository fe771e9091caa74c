/**
 * Runs every shell command of docs/runbooks.md against the example, or against an exporter where only that can answer. A
 * command prints something and succeeds, unless the comment before it says otherwise.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { Registry, startExporter } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { GATEWAY_MAIN } from './support/gateway.mjs';
import { Process, poll } from './support/processes.mjs';

const page = readFileSync(new URL('../../docs/runbooks.md', import.meta.url), 'utf8');

/** The commands, each with its comment: the lines before it, or the end of its own line. */
function commandsOf(block) {
  const commands = [];
  let comment = '';
  for (const line of block.replaceAll('\\\n', ' ').split('\n')) {
    if (line.startsWith('#')) comment += line;
    else if (line.trim() !== '') {
      const [, command, own] = /^(.*?)(?:\s+# (.*))?$/.exec(line);
      commands.push({ command, comment: own ?? comment });
      comment = '';
    }
  }
  return commands;
}

const commands = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block]) => commandsOf(block));

let ports;
const started = [];
test.after.always(() => Promise.all(started.map((end) => end())));

test.before(async () => {
  const lines = [];
  const env = { PORT: '0', METRICS_ENDPOINT_PORT: '0' };
  const example = new Process(process.execPath, [GATEWAY_MAIN], { env, onLine: (line) => lines.push(line) });
  started.push(() => example.stop());
  const printed = () => lines.map((line) => /^Metrics +(http:\S+)/.exec(line)?.[1]).find(Boolean);
  const url = await example.until(printed, 'it printed its URLs');
  await poll(async () => /_llm_requests_total\{/.test(await (await fetch(url)).text()) || undefined, 'a request');
  const registry = new Registry();
  registry.counter({ name: 'asked_total', help: 'Requests', labelNames: ['route'] }).inc({ route: '/' });
  const exporter = await startExporter({ registry, host: '127.0.0.1', port: 0 });
  started.push(() => exporter.close());
  ports = { example: new URL(url).port, exporter: `${exporter.port}` };
});

async function run(command) {
  const flags = ['-o', 'pipefail', '-c', command];
  try {
    return { code: 0, ...(await promisify(execFile)('bash', flags)) };
  } catch (error) {
    return { code: error.code, stdout: error.stdout, stderr: error.stderr };
  }
}

test('the page has commands', (t) => {
  t.true(commands.length >= 20, `${commands.length}`);
});

for (const [at, { command, comment }] of commands.entries()) {
  test.serial(`command ${at + 1}: ${command}`, async (t) => {
    t.regex(command, /\b9090\b/);
    const port = /only an exporter/.test(comment) ? ports.exporter : ports.example;
    const { code, stdout, stderr } = await run(command.replace(/\b9090\b/g, port));
    const said = JSON.stringify({ comment, stdout, stderr });
    const exits = /exits with (\d+)/.exec(comment)?.[1];
    if (exits !== undefined) {
      t.is(code, Number(exits), said);
      t.regex(stderr, /^llmdevops_metrics_series_count [^\n]*\n$/);
    } else if (/prints nothing/.test(comment)) {
      // In the example no limit is reached and no thread disagrees.
      t.deepEqual([code, stdout, stderr], [1, '', ''], said);
    } else {
      t.is(code, 0, said);
      t.true(stdout.trim().length > 0, said);
      t.is(stderr, '');
    }
  });
}

test('a command that finds nothing fails here', async (t) => {
  t.like(await run('printf a | grep b'), { code: 1, stdout: '' });
});
