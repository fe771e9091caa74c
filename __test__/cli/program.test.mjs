// The program itself: help, version, wrong arguments, closed pipes, and what it loads.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import test from 'ava';
import { MANIFEST, PROGRAM, run } from './support/program.mjs';

const COMMANDS = ['check', 'diff', 'docs', 'dashboard', 'watch', 'demo', 'rules'];

test('--help lists the commands, and each command has its own', async (t) => {
  const { code, stdout, stderr } = await run(['--help']);
  t.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  t.deepEqual(
    [...stdout.matchAll(/^ {2}(\w+) /gm)].map(([, name]) => name),
    COMMANDS,
  );
  for (const name of COMMANDS) {
    const help = await run([name, '--help']);
    t.deepEqual({ code: help.code, stderr: help.stderr }, { code: 0, stderr: '' }, name);
    t.true(help.stdout.startsWith(`prometheus-metrics ${name}`), name);
    t.regex(help.stdout, /-h, --help +show this help\n$/, name);
    if (name === 'check') t.is((await run(['help', name])).stdout, help.stdout);
  }
});

test('--version is that of the package', async (t) => {
  for (const option of ['--version', '-V']) {
    t.deepEqual(await run([option]), { code: 0, stdout: `${MANIFEST.version}\n`, stderr: '' });
  }
});

test('wrong arguments end with 2, say what is wrong, and name what is similar', async (t) => {
  const wrong = [
    [[], /^prometheus-metrics <command>/],
    [['chekc'], /^Unknown command "chekc"\. Did you mean check\? Run with --help for the list\.\n$/],
    [['zzzzzz'], /^Unknown command "zzzzzz"\. Run with --help for the list\.\n$/],
    [['toString'], /^Unknown command "toString"/],
    [['check'], /^prometheus-metrics check <url/],
    [['check', 'a', 'b'], /^prometheus-metrics check <url/],
    [['diff', 'a'], /^prometheus-metrics diff <before> <after>/],
    [['check', '--heder', 'x'], /Unknown option --heder\. Did you mean --header\? Run check --help for the list\.\n$/],
    [['check', '-', '--timeout'], /--timeout/],
    [['check', '-', '--max-series', 'many'], /Expected a number of at least 1 for --max-series but received "many"/],
    [['check', '-', '--max-bytes='], /Expected a number of at least 1 for --max-bytes but received ""/],
    [['check', 'http://127.0.0.1:1', '--timeout', '-1'], /--timeout/],
    [
      ['check', 'http://127.0.0.1:1', '--format', 'xml'],
      /Expected text or openmetrics for --format but received "xml"/,
    ],
    [['check', 'http://127.0.0.1:1', '--header', 'a: b\nc: d'], /Expected 'name: value' for --header/],
    [['check', 'http://'], /Expected a URL but received "http:\/\/"/],
    [['diff', '-', '-'], /Expected one operand to be a URL or a file/],
    [['demo', '--port', 'x'], /Expected a number of at least 0 for --port/],
    [['demo', '--port', '70000'], /65535/],
  ];
  for (const [args, message] of wrong) {
    const { code, stdout, stderr } = await run(args);
    t.deepEqual({ code, stdout }, { code: 2, stdout: '' }, args.join(' '));
    t.regex(stderr, message);
    t.notRegex(stderr, /\n +at /, 'no stack');
  }
});

test('a reader that closes the pipe ends the program without an error', async (t) => {
  const samples = Array.from({ length: 20_000 }, (_, i) => `# HELP m${i}_ms h\n# TYPE m${i}_ms gauge\nm${i}_ms 1\n`);
  for (const command of ['check', 'docs']) {
    const child = execFile('sh', ['-c', `"${process.execPath}" "${PROGRAM}" ${command} - | head -n 1`]);
    child.stdin.on('error', () => {}).end(samples.join(''));
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (text) => {
      stdout += text;
    });
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    await new Promise((resolve) => child.on('close', resolve));
    t.is(stdout.split('\n').length, 2);
    t.is(stderr, '', command);
  }
});

test('help and version need no addon, and a program that requires the package loads no command', async (t) => {
  const env = { METRICS_ADDON_PATH: '/nowhere.node' };
  t.is((await run(['--version'], { env })).code, 0);
  t.is((await run(['check', '--help'], { env })).code, 0);
  const script = `require('@llm-devops/prometheus-metrics'); console.log(Object.keys(require.cache).join('\\n'))`;
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script]);
  t.regex(stdout, /api\.js/);
  t.notRegex(stdout, /cli/);
});

test('the file can be executed', (t) => {
  t.true(readFileSync(PROGRAM, 'utf8').startsWith('#!/usr/bin/env node\n'));
});
