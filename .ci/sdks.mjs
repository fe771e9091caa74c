/**
 * Runs the tests against the real SDKs and frameworks, with their pinned versions, under a Node.js that they accept.
 * `npm test` does the same. Installs both from npm. The library must be built.
 *
 * Arguments go to AVA, e.g. `node .ci/sdks.mjs __test__/sdks/openai.test.mjs`. `--promises` runs part of the tests in
 * processes whose global `Promise` zone.js or bluebird has replaced.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installOnce } from './prepare.mjs';
import { root, step } from './steps.mjs';

const folder = join(root, '__test__', 'sdks');
const modules = join(folder, 'node_modules');
/** The oldest Node.js that all of the SDKs accept. */
const OLDEST_NODE = [22, 15];

/** Some SDKs reject an older Node.js, which does not matter: the one that is installed here runs them. */
export const installSdks = (options) =>
  installOnce(folder, 'Installing the SDKs', ['--engine-strict=false', '--loglevel=error'], options);

/** A Node.js that the SDKs accept. Ends the process with a hint if there is none. */
export function findNode() {
  const node = installedNode() ?? ownNode();
  if (node !== undefined) return node;
  console.error(`✗ The tests of the SDKs need Node.js ${OLDEST_NODE.join('.')} or newer (this is ${process.version}), and npm has none for this
  platform. Run them with a newer Node.js. \`npm test -- --only=rust\` runs the Rust tests alone.`);
  process.exit(1);
}

/** Runs the tests. */
export function testSdks(args = [], options = {}) {
  const node = findNode();
  const ava = join(root, 'node_modules', 'ava', 'entrypoints', 'cli.mjs');
  return step(
    'Tests of the SDKs',
    node,
    [ava, '--config', join('__test__', 'sdks', 'ava.config.mjs'), ...args],
    options,
  );
}

/**
 * Left out are tests in which the library itself changes the outcome: it runs handlers so late that a reader leaves, or a
 * connection is cut, before the SDK has passed a chunk on; and bluebird refuses that an SDK loaded later inherits from it.
 */
const LEFT_OUT = [
  '!a request is cancelled when its reader leaves',
  '!a broken stream counts as interrupted*',
  '!*the result of require() is instrumented*',
];
const WITH_PROMISES = ['doors', 'openai', 'api-client', 'anthropic', 'google-genai', 'mcp'];

async function testReplacedPromises() {
  const files = WITH_PROMISES.map((name) => join('__test__', 'sdks', `${name}.test.mjs`));
  const matches = ['*', ...LEFT_OUT].map((pattern) => `--match=${pattern}`);
  for (const library of ['zone', 'bluebird']) {
    const preload = `--import=${join(folder, 'preloads', `${library}.mjs`)}`;
    const env = { REPLACED_PROMISE: library, NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} ${preload}`.trim() };
    console.log(`With the Promise of ${library}:`);
    await testSdks([...files, ...matches], { env });
  }
}

/** The Node.js that npm has installed beside the SDKs. */
function installedNode() {
  const name = readdirSync(modules).find((name) => /^node-(linux|win)-/.test(name));
  const file = name && join(modules, name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  return name && existsSync(file) ? file : undefined;
}

function ownNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const isNewer = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  return isNewer ? process.execPath : undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!existsSync(join(root, 'dist', 'entry', 'index.js'))) {
    console.error('✗ dist/entry/index.js is missing. Run `npm test` or `npm run build` first.');
    process.exit(1);
  }
  await installSdks();
  if (process.argv[2] === '--promises') await testReplacedPromises();
  else await testSdks(process.argv.slice(2));
}
