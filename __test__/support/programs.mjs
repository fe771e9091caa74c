/**
 * Runs programs in folders of their own, and packs packages as a release does: for the tests that install and bundle the
 * packed packages. Must not know which packages, nor what is tried with them.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Runs a program to its end and returns what it wrote to its standard output.
 *
 * @throws if it exits with another code than 0
 */
export function runProgram(folder, [command, ...args], { env, timeoutMs }) {
  return new Promise((resolve, reject) => {
    const options = { cwd: folder, env, maxBuffer: 1 << 26, timeout: timeoutMs };
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${[command, ...args].join(' ')}\nin ${folder}: ${error.code}\n${stdout}${stderr}`));
    });
  });
}

/** Writes files below a folder: objects are written as JSON. Returns the folder. */
export function write(folder, files) {
  for (const [file, content] of Object.entries(files)) {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`);
  }
  return folder;
}

export const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/**
 * Packs a folder without running its scripts; returns the path of the tarball in `target`.
 *
 * @param run runs a command in a folder
 * @param npm the command of npm
 */
export async function packFolder(folder, target, { run, npm }) {
  mkdirSync(target, { recursive: true });
  const args = ['pack', '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', target];
  const [{ filename }] = Object.values(JSON.parse(await run(folder, [...npm, ...args])));
  return join(target, filename);
}

/** Unpacks a tarball of npm into a folder, and returns the folder. */
export async function unpack(tarball, folder, { run }) {
  mkdirSync(folder, { recursive: true });
  await run(folder, ['tar', '-xzf', tarball, '-C', folder, '--strip-components=1']);
  return folder;
}
