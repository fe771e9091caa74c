/**
 * Finds `llvm-profdata` and `llvm-cov`, which read what instrumented Rust code has counted. They must be as new as the
 * LLVM of the Rust compiler. Installs them if they are missing: with rustup, or from Debian's packages.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const TOOLS = ['llvm-profdata', 'llvm-cov'];

/** The paths of both tools, in this order. Ends the process with a hint if they cannot be had. */
export function llvmTools() {
  const compiler = execFileSync('rustc', ['-vV'], { encoding: 'utf8' });
  const wanted = Number(compiler.match(/^LLVM version: (\d+)/m)[1]);
  const host = compiler.match(/^host: (.+)$/m)[1];
  const attempts = [() => {}, installWithRustup, () => installWithApt(wanted)];
  for (const install of attempts) {
    install();
    const found = find(wanted, host);
    if (found !== undefined) return found;
  }
  console.error(
    `✗ Coverage needs llvm-profdata and llvm-cov of LLVM ${wanted}, which is the LLVM of this Rust compiler.\n` +
      `  Get them: \`rustup component add llvm-tools\`, or \`apt install llvm-${wanted}\`.`,
  );
  return process.exit(1);
}

function find(wanted, host) {
  const sysroot = execFileSync('rustc', ['--print', 'sysroot'], { encoding: 'utf8' }).trim();
  const ofRust = (name) => join(sysroot, 'lib', 'rustlib', host, 'bin', name);
  const homes = [
    ofRust,
    (name) => `${name}-${wanted}`,
    (name) => `/usr/lib/llvm-${wanted}/bin/${name}`,
    (name) => name,
  ];
  const tools = homes.map((home) => TOOLS.map(home));
  return tools.find((paths) => paths.every((path) => isNewEnough(path, wanted)));
}

/** Newer tools read the files of older compilers. */
function isNewEnough(path, wanted) {
  const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  return status === 0 && Number(stdout.match(/LLVM version (\d+)/)?.[1]) >= wanted;
}

function installWithApt(wanted) {
  if (!existsSync('/usr/bin/apt-get')) return;
  console.log(`  Installing llvm-${wanted} from the system's packages`);
  const asRoot = process.getuid() === 0 ? [] : ['sudo', '--non-interactive'];
  const env = ['env', 'DEBIAN_FRONTEND=noninteractive'];
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', `llvm-${wanted}`]]) {
    const [command, ...rest] = [...asRoot, ...env, 'apt-get', '-qq', ...args];
    // A failure shows when the caller looks for the tools again.
    spawnSync(command, rest, { stdio: ['ignore', 'ignore', 'inherit'] });
  }
}

function installWithRustup() {
  console.log('  Installing llvm-tools with rustup');
  spawnSync('rustup', ['component', 'add', 'llvm-tools'], { stdio: ['ignore', 'ignore', 'inherit'], timeout: 120_000 });
}
