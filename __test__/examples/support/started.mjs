/** Starts an example with the command that its first comment gives, and reads what it prints. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const ROOT = new URL('../../../', import.meta.url);
const TSX = createRequire(import.meta.url).resolve('tsx/cli');

/** The lines of an example's first comment that are commands. */
export function commandsOf(file) {
  const [comment] = readFileSync(new URL(file, ROOT), 'utf8').split('\n\n');
  return [...comment.matchAll(/^\/\/ {3}((?:npx|node|curl) .*)$/gm)].map(([, command]) => command);
}

/** Runs an example's first command on a free port. Calls the programs directly, because npx would ask npm first. */
function start(file) {
  const [command] = commandsOf(file);
  const found = command.match(/^(npx tsx|node) (.+)$/);
  if (found === null) throw new Error(`${file}: expected a command with npx tsx or node but received ${command}`);
  const args = [...(found[1] === 'node' ? [] : [TSX]), ...found[2].split(' ')];
  return spawn(process.execPath, args, {
    cwd: fileURLToPath(ROOT),
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** What an example prints that ends by itself. */
export async function printedBy(file) {
  const child = start(file);
  const exit = once(child, 'exit');
  const printed = await child.stdout.setEncoding('utf8').reduce((whole, piece) => whole + piece, '');
  const [code, signal] = await exit;
  if (code !== 0) throw new Error(`${file} ended with ${signal ?? code} after printing:\n${printed}`);
  return printed;
}

/** The address that a serving example prints, without its path. The example is stopped when the test ends. */
export async function addressOf(t, file) {
  const child = start(file);
  const exit = once(child, 'exit');
  t.teardown(async () => {
    child.kill();
    await exit;
  });
  let printed = '';
  for await (const piece of child.stdout.setEncoding('utf8')) {
    printed += piece;
    const url = printed.match(/^(http:\/\/\S+)\/metrics$/m);
    if (url !== null) return url[1];
  }
  throw new Error(`${file} ended without printing the address of its metrics; it printed:\n${printed}`);
}
