// Checks that Node.js, Rust and a C linker are there and new enough, and says where to get them.

import { spawnSync } from 'node:child_process';

const OLDEST_NODE = 20;
const OLDEST_RUST = [1, 88];

/** Ends the process with a hint if a tool is missing; returns the triple of the machine, as Rust names it. */
export function checkToolchains() {
  checkNode();
  const host = checkRust();
  checkLinker();
  return host;
}

function checkNode() {
  const [major] = process.versions.node.split('.').map(Number);
  if (major < OLDEST_NODE) {
    missing(`Node.js ${OLDEST_NODE} or newer (this is ${process.version})`, 'https://nodejs.org/');
  }
}

function checkRust() {
  const told = output('rustc', ['-vV']);
  const found = told?.match(/(\d+)\.(\d+)\./);
  const wanted = OLDEST_RUST.join('.');
  const hint = `https://rustup.rs/ (then open a new shell, or add ~/.cargo/bin to PATH)`;
  if (!found || output('cargo', ['--version']) === null) missing(`Rust ${wanted} or newer (cargo and rustc)`, hint);
  const [major, minor] = [Number(found[1]), Number(found[2])];
  if (major < OLDEST_RUST[0] || (major === OLDEST_RUST[0] && minor < OLDEST_RUST[1])) {
    missing(`Rust ${wanted} or newer (this is ${found[0]}0)`, '`rustup update stable`');
  }
  return told.match(/^host: (.+)$/m)[1];
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

function output(command, args) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? stdout : null;
}

function missing(tool, where) {
  console.error(`✗ This project needs ${tool}.\n  Get it: ${where}`);
  process.exit(1);
}
