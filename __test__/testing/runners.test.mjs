// Runs matchers and assertions in a real project of each runner. One file passes, and so does the example of
// docs/testing.md. Each test of another file fails, and its whole message is checked. The projects are in `support/`.

import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseExposition } from '@llm-devops/prometheus-metrics/testing';
import test from 'ava';
import { blockOf, readPage } from '../docs/support/pages.mjs';

const require = createRequire(import.meta.url);
const SUPPORT = fileURLToPath(new URL('support', import.meta.url));
const project = (runner, ...path) => join(SUPPORT, `${runner}-project`, ...path);
/** Runners start in the package's folder, as a user starts them. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The folder of each runner's project, and how its test files end. */
const RUNNERS = new Map([
  ['Jest', { folder: 'jest-project', extension: 'cjs' }],
  ['Vitest', { folder: 'vitest-project', extension: 'mjs' }],
  ['node:test', { folder: 'node-project', extension: 'mjs' }],
  ['AVA', { folder: 'ava-project', extension: 'mjs' }],
]);

const PAGE = readPage('docs/testing.md');
/** A block of docs/testing.md by the comment in its first line. */
const documented = (title) => blockOf(PAGE, `// ${title}\n`).code;

const PASSED = ['a chat is counted and timed', 'passes'];

/** Writes the example of a runner into its project, with the module that it tests. */
async function document(t, runner) {
  const { folder, extension } = RUNNERS.get(runner);
  const example = join(SUPPORT, folder, `documented.spec.${extension}`);
  const app = join(SUPPORT, folder, 'app.cjs');
  t.teardown(() => Promise.all([example, app].map((file) => rm(file))));
  await Promise.all([writeFile(example, documented(runner)), writeFile(app, documented('app.cjs'))]);
}

/** Starts a runner without the environment variables of this runner. */
function run(args) {
  const { NODE_OPTIONS, NODE_TEST_CONTEXT, FORCE_COLOR, ...env } = process.env;
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: ROOT, env }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}

/** The expected message of each test of `failing.spec`. The text of the parser's error is included. */
function messages(t, { status, none }) {
  const fault = t.throws(() => parseExposition('a 1\nb{ 2\n'));
  return {
    'another label': [
      `Expected app_requests_total{route="/chat",status${status}} to have been counted by 2, but it was not counted.`,
      '',
      'app_requests_total has:',
      '  app_requests_total{route="/chat",status="200"} 1',
      '  app_requests_total{route="/chat",status="404"} 1',
    ].join('\n'),
    'another name': [
      'Expected the registry to have app_inflight with value 1, but it does not.',
      '',
      'Similar names:',
      '  app_in_flight 0',
    ].join('\n'),
    negated: none,
    'no exposition': `Expected a valid exposition, but it is invalid.\n\n${fault.message}`,
  };
}

const OF_MATCHERS = {
  status: '=StringContaining "50"',
  none: 'Expected app_request_seconds{route="/chat"} not to have observed count 2, but it has observed count 2 and sum 2.',
};
const OF_ASSERTIONS = {
  status: '=~/^50/',
  none: 'Expected app_requests_total{route="/chat"} not to have been counted, but it was counted by 2.',
};

/** Results from Jest's and Vitest's JSON: the passed tests, and the message of each failed test. */
function resultsOfJson(stdout) {
  const results = JSON.parse(stdout.slice(stdout.indexOf('{'))).testResults.flatMap((file) => file.assertionResults);
  const said = ({ failureMessages: [message] }) => message.replace(/^Error: /, '').split(/\n\s+at /)[0];
  return {
    passed: results.filter(({ status }) => status === 'passed').map(({ title }) => title),
    failed: Object.fromEntries(
      results.filter(({ status }) => status === 'failed').map((result) => [result.title, said(result)]),
    ),
  };
}

/** Results from TAP; `said` finds the message in the block of a failed test. */
function resultsOfTap(stdout, said) {
  const parts = stdout.split(/^(?=(?:not )?ok \d+ - )/m).slice(1);
  const title = (part) => /^(?:not )?ok \d+ - (?:.* › )?(.*)$/m.exec(part)[1];
  return {
    passed: parts.filter((part) => part.startsWith('ok')).map(title),
    failed: Object.fromEntries(parts.filter((part) => part.startsWith('not')).map((part) => [title(part), said(part)])),
  };
}

const JEST = [
  require.resolve('jest/bin/jest'),
  '--rootDir',
  project('jest'),
  '--config',
  project('jest', 'jest.config.cjs'),
];
const VITEST = [
  join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs'),
  'run',
  '--root',
  project('vitest'),
];

for (const [runner, args] of [
  ['Jest', [...JEST, '--runInBand', '--json']],
  ['Vitest', [...VITEST, '--reporter=json']],
]) {
  test.serial(`${runner}: matchers`, async (t) => {
    await document(t, runner);
    const { code, stdout, stderr } = await run(args);
    const { passed, failed } = resultsOfJson(stdout);
    t.deepEqual(passed.sort(), PASSED, stderr);
    t.deepEqual(failed, messages(t, OF_MATCHERS));
    t.is(code, 1);
  });
}

test.serial('node:test: assertions', async (t) => {
  await document(t, 'node:test');
  const files = ['passing.spec.mjs', 'documented.spec.mjs', 'failing.spec.mjs'].map((file) => project('node', file));
  const { code, stdout, stderr } = await run(['--test', '--test-reporter=tap', ...files]);
  const said = (part) => {
    const [, block, line] = /^ {2}error: (?:\|-\n((?: {4}.*\n)+)|'(.*)'\n)/m.exec(part);
    return line ?? block.replace(/^ {4}/gm, '').trimEnd();
  };
  const { passed, failed } = resultsOfTap(stdout, said);
  t.deepEqual(passed.sort(), PASSED, stderr);
  const trimmed = Object.entries(messages(t, OF_ASSERTIONS)).map(([title, message]) => [title, message.trimEnd()]);
  t.deepEqual(failed, Object.fromEntries(trimmed));
  t.is(code, 1);
});

test.serial('AVA: assertions', async (t) => {
  await document(t, 'AVA');
  const cli = join(dirname(fileURLToPath(import.meta.resolve('ava'))), 'cli.mjs');
  const { code, stdout, stderr } = await run([cli, '--config', project('ava', 'ava.config.mjs'), '--tap']);
  // AVA's reporter wraps long lines, so the message is compared word by word.
  const words = (text) => text.split(/\s+/).join(' ').trim();
  const said = (part) => words(/'Assertion failed: ': (?:>-|\|-)?\n([\s\S]*?)\n {4}message: /.exec(part)[1]);
  const { passed, failed } = resultsOfTap(stdout, said);
  t.deepEqual(passed.sort(), PASSED, stderr);
  const expected = Object.entries(messages(t, OF_ASSERTIONS)).map(([title, message]) => [title, words(message)]);
  t.deepEqual(failed, Object.fromEntries(expected));
  t.is(code, 1);
});
