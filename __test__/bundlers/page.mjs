/**
 * The lines of docs/bundlers.md and docs/frameworks.md: the tests run what the reader is told.
 */
import { execFile } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { blockOf, readPage } from '../docs/support/pages.mjs';
import { PLATFORM } from './packed.mjs';
import { environment, fullTools, tools } from './shell.mjs';

const PAGES = { bundlers: readPage('docs/bundlers.md'), frameworks: readPage('docs/frameworks.md') };

/** The pages name one platform as an example. */
const forThisPlatform = (text) => text.replaceAll('linux-x64-gnu', PLATFORM);

/** The one block of a page that contains a text. */
export function block(text, page = 'bundlers') {
  return forThisPlatform(blockOf(PAGES[page], text).code);
}

/** The JSON block of docs/bundlers.md that contains a text. */
export function json(text) {
  return forThisPlatform(
    PAGES.bundlers.blocks.find(({ language, code }) => language === 'json' && code.includes(text)).code,
  );
}

/** The one line in the shell blocks of docs/bundlers.md that begins so. */
export function line(start) {
  const lines = PAGES.bundlers.blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ code }) => code.split('\n'));
  const fitting = lines.filter((each) => each.startsWith(start));
  if (fitting.length !== 1) {
    throw new Error(`Expected one line of docs/bundlers.md to start with '${start}' but ${fitting.length} do`);
  }
  return forThisPlatform(fitting[0]);
}

/** Runs a line of the shell, with the tools of the tests on the path. */
export function shell(folder, command) {
  const bins = [dirname(process.execPath), join(tools, '.bin'), join(fullTools, '.bin')];
  const env = { ...environment(), PATH: [...bins, process.env.PATH].join(delimiter) };
  return new Promise((resolve, reject) => {
    execFile('sh', ['-c', command], { cwd: folder, env, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout + stderr);
      else reject(new Error(`${command}\nin ${folder}: ${error.code}\n${stdout}${stderr}`));
    });
  });
}
