// Makes programs of blocks and runs them, each in a Node.js of its own, inside the package, so that they find it by its
// name. Must not know any page.

import { execFile, spawn } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { until } from '../../http/metrics/support/ledger.mjs';
import { isTypeScript, ROOT } from './pages.mjs';

const TELLING = new URL('telling.mjs', import.meta.url).href;
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const COMPILE = ['--ignoreConfig', '--target', 'es2022', '--module', 'nodenext', '--types', 'node', '--skipLibCheck'];

let started = 0;

/**
 * One source of several: blocks that follow each other on a page import the same names again, which one module may not.
 */
export function joined(sources) {
  const known = new Set();
  return sources
    .map((source) =>
      source.replace(/^import \{([^}]*)\} from ('[^']+');\n/gm, (_, names, from) => {
        const fresh = names
          .split(',')
          .map((name) => name.trim())
          .filter((name) => name !== '' && !known.has(name));
        for (const name of fresh) known.add(name);
        return fresh.length === 0 ? '' : `import { ${fresh.join(', ')} } from ${from};\n`;
      }),
    )
    .join('\n');
}

/** The source of a recipe: its preamble, its blocks with their replacements, and its checks, also between two blocks. */
export function sourceOf({ before = '', between = [], after = '', replace = [] }, blocks) {
  const plain = (code = '') => code.replace(/^ +/gm, '');
  const parts = blocks.flatMap(({ code }, index) => [code, plain(between[index])]);
  let code = joined([plain(before), ...parts, plain(after)]);
  for (const [text, by] of replace) {
    if (!code.includes(text)) throw new Error(`Expected the block to contain ${JSON.stringify(text)}`);
    code = code.replace(text, by);
  }
  return code;
}

/** Writes a program; returns its path. TypeScript is compiled first, and so is syntax that is newer than Node.js 20. */
export async function written(t, source, { typescript = false, folder = '__test__/docs' } = {}) {
  const name = `.run-${process.pid}-${++started}`;
  const path = (file) => join(ROOT, folder, file);
  if (!typescript && !/^ *(await )?using /m.test(source)) {
    await writeFile(path(`${name}.mjs`), source);
    t.teardown(() => rm(path(`${name}.mjs`)));
    return path(`${name}.mjs`);
  }
  await mkdir(path(name));
  t.teardown(() => rm(path(name), { recursive: true }));
  const input = join(path(name), typescript ? 'program.mts' : 'program.mjs');
  await writeFile(input, source);
  const language = typescript ? ['--strict'] : ['--allowJs'];
  const args = [TSC, ...COMPILE, ...language, '--rootDir', path(name), '--outDir', join(path(name), 'out'), input];
  const { code, stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT }).catch((failure) => failure);
  if (code !== undefined) throw new Error(`The compiler refuses the block:\n${stdout}`);
  return join(path(name), 'out', 'program.mjs');
}

/** Runs a program until the test ends. Its servers listen at ports of their own and tell them. */
export async function start(t, source, { env = {}, ...where } = {}) {
  const file = await written(t, source, where);
  const child = spawn(process.execPath, ['--import', TELLING, file], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => {
      output[name] += text;
    });
  }
  const ended = new Promise((resolve) => child.once('close', (code) => resolve({ code, ...output })));
  t.teardown(async () => {
    child.kill();
    await ended;
  });
  return {
    ended,
    /** The port of its first server. */
    port: async () => {
      await Promise.race([until(() => /^port \d+\n/m.test(output.stdout)), ended]);
      const port = /^port (\d+)\n/m.exec(output.stdout)?.[1];
      if (port === undefined) throw new Error(`The program has no server: ${output.stdout}${output.stderr}`);
      return Number(port);
    },
    /** What its default registry shows. */
    registry: async () => {
      output.stdout = '';
      child.stdin.write('tell\n');
      await until(() => output.stdout.endsWith('# told\n'));
      return output.stdout;
    },
  };
}

/** Imports a program into this process, to call what it exports. */
export async function load(t, source) {
  return import(pathToFileURL(await written(t, source)));
}

/** Runs the blocks of one recipe and holds what it says of them. */
export async function runRecipe(t, recipe, blocks, options = {}) {
  const source = sourceOf(recipe, blocks);
  const where = { typescript: blocks.some(isTypeScript), ...options };
  if (recipe.exports !== undefined) return recipe.exports(t, await load(t, source));
  const program = await start(t, source, where);
  if (recipe.serves !== undefined) return recipe.serves(t, program);
  const { code, stdout, stderr } = await program.ended;
  t.is(code, 0, stderr);
  if (recipe.prints !== undefined) t.is(stdout, recipe.prints, stderr);
}
