/**
 * Makes a fresh checkout ready: checks the toolchains, installs, builds the addon and the TypeScript. Needs nothing
 * but Node.js, and says plainly what is missing. Run by `npm start`, `npm test` and `npm run bench`.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const OLDEST_NODE = 20;
const OLDEST_RUST = [1, 88];

checkNode();
checkRust();
checkLinker();
install();
step('Building the addon (Rust, release)', 'npm', ['run', '--silent', 'build:addon']);
step('Building the TypeScript', 'npm', ['run', '--silent', 'build:ts']);

function checkNode() {
  const [major] = process.versions.node.split('.').map(Number);
  if (major < OLDEST_NODE)
    missing(`Node.js ${OLDEST_NODE} or newer (this is ${process.version})`, 'https://nodejs.org/');
}

function checkRust() {
  const found = output('rustc', ['--version'])?.match(/(\d+)\.(\d+)\./);
  const wanted = OLDEST_RUST.join('.');
  const hint = `https://rustup.rs/ (then open a new shell, or add ~/.cargo/bin to PATH)`;
  if (!found || output('cargo', ['--version']) === null) missing(`Rust ${wanted} or newer (cargo and rustc)`, hint);
  const [major, minor] = [Number(found[1]), Number(found[2])];
  if (major < OLDEST_RUST[0] || (major === OLDEST_RUST[0] && minor < OLDEST_RUST[1])) {
    missing(`Rust ${wanted} or newer (this is ${found[0]}0)`, '`rustup update stable`');
  }
}

function checkLinker() {
  // On Windows rustc finds the linker of the Visual Studio Build Tools by itself and names it when it is missing.
  if (process.platform === 'win32' || output('cc', ['--version']) !== null) return;
  const hint =
    process.platform === 'darwin'
      ? '`xcode-select --install`'
      : '`apt install build-essential`, or gcc of your distribution';
  missing('a C linker (cc)', hint);
}

/** `npm ci`, unless it was done for this very lock file. */
function install() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = join(root, 'node_modules', '.prepared');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  step('Installing npm packages', 'npm', ['ci', '--no-audit', '--no-fund']);
  writeFileSync(stamp, lock);
}

function step(title, command, args) {
  const started = Date.now();
  process.stdout.write(`• ${title} …\n`);
  const { status, error, stdout, stderr } = run(command, args);
  if (status !== 0) {
    process.stdout.write(`${stdout ?? ''}${stderr ?? ''}`);
    console.error(`✗ ${title} failed${error ? `: ${error.message}` : ''}. The output above says why.`);
    process.exit(1);
  }
  process.stdout.write(`  done in ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
}

function run(command, args) {
  // npm is a script: run it with this Node.js where npm says where it lies, which also serves Windows.
  const npm = process.env.npm_execpath;
  const viaNode = command === 'npm' && npm;
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28, shell: !viaNode && process.platform === 'win32' };
  return viaNode ? spawnSync(process.execPath, [npm, ...args], options) : spawnSync(command, args, options);
}

function output(command, args) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? stdout : null;
}

function missing(what, where) {
  console.error(`✗ This project needs ${what}.\n  Get it: ${where}`);
  process.exit(1);
}
