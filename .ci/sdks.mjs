/**
 * Runs the tests against the real SDKs and frameworks, with their pinned versions, under a Node.js that they accept.
 * `npm test` does the same. Installs both from npm. The library must be built.
 *
 * Arguments go to AVA, e.g. `node .ci/sdks.mjs __test__/sdks/openai.test.mjs`.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root, step } from './steps.mjs';

const folder = join(root, '__test__', 'sdks');
const modules = join(folder, 'node_modules');
/** The oldest Node.js that all of the SDKs accept. */
const OLDEST_NODE = [22, 15];

/** `npm ci` in the folder of the SDKs, unless it was done for this very lock file. */
export async function installSdks(options) {
  const lock = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
  const stamp = join(modules, '.prepared');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  // Some SDKs reject an older Node.js, which does not matter: the one that is installed here runs them.
  const flags = ['--no-audit', '--no-fund', '--engine-strict=false', '--loglevel=error'];
  await step('Installing the SDKs', 'npm', ['ci', '--prefix', folder, ...flags], options);
  writeFileSync(stamp, lock);
}

/** Runs the tests. Ends the process with a hint if no Node.js is new enough. */
export function testSdks(args = [], options = {}) {
  const node = installedNode() ?? ownNode();
  if (node === undefined) {
    console.error(`✗ The tests of the SDKs need Node.js ${OLDEST_NODE.join('.')} or newer (this is ${process.version}), and npm has none for this
  platform. Run them with a newer Node.js. \`npm test -- --only=rust\` runs the Rust tests alone.`);
    process.exit(1);
  }
  const ava = join(root, 'node_modules', 'ava', 'entrypoints', 'cli.mjs');
  return step(
    'Tests of the SDKs',
    node,
    [ava, '--config', join('__test__', 'sdks', 'ava.config.mjs'), ...args],
    options,
  );
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
  await testSdks(process.argv.slice(2));
}
