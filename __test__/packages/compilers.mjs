/**
 * Compiles small programs to CommonJS and to ES modules with the compilers that people use, and runs the result.
 */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { check } from '../support/tally.mjs';
import { npmInstall, npmrc } from './installs.mjs';
import { EXPECTED, expectOutput, NAME } from './programs.mjs';
import { folderOf, node, run, tool } from './shell.mjs';

/** Each prints `EXPECTED`, and uses one entry by its default export, by a name, and as a namespace. */
const PROGRAMS = {
  main: `import client, { register } from '${NAME}';
import * as all from '${NAME}';
const requests: client.Counter<'model'> = new client.Counter({ name: 'requests_total', help: 'Requests', labelNames: ['model'] });
requests.inc({ model: 'small' }, 2);
if (client.register !== register || all.register !== register) throw new Error('not one library');
register.metrics().then((text: string) => console.log(text.trim()));
`,
  openai: entry('openai', 'instrumentOpenAI'),
  fastify: entry('fastify', 'fastifyMetrics'),
  testing: entry('testing', 'MockRegistry'),
  prices: entry('prices', 'SAMPLE_PRICES'),
};

function entry(subpath, name) {
  return `import client from '${NAME}';
import subpath, { ${name} } from '${NAME}/${subpath}';
import * as all from '${NAME}/${subpath}';
if (subpath.${name} === undefined) throw new Error('no default');
if (subpath.${name} !== ${name} || all.${name} !== ${name}) throw new Error('not one library');
new client.Counter({ name: 'requests_total', help: 'Requests', labelNames: ['model'] }).inc({ model: 'small' }, 2);
client.register.metrics().then((text: string) => console.log(text.trim()));
`;
}

export async function checkCompilers(url, isFull) {
  const folder = folderOf('compilers', {
    'package.json': { name: 'application', private: true },
    ...npmrc(url),
    ...Object.fromEntries(Object.entries(PROGRAMS).map(([name, source]) => [`${name}.ts`, source])),
  });
  await run(folder, npmInstall(NAME));
  mkdirSync(join(folder, 'node_modules', '@types'));
  symlinkSync(tool('@types/node', ''), join(folder, 'node_modules', '@types', 'node'), 'junction');
  const names = isFull ? Object.keys(PROGRAMS) : ['main'];
  for (const [title, compile] of Object.entries(compilers(folder))) {
    for (const form of ['cjs', 'mjs']) {
      for (const name of names) {
        const what = form === 'cjs' ? 'CommonJS' : 'an ES module';
        await check(`${title} to ${what}: ${name}`, async () => {
          const target = await compile(name, form, readFileSync(join(folder, `${name}.ts`), 'utf8'));
          expectOutput(await target(), EXPECTED);
        });
      }
    }
  }
}

/** Each compiles `<name>.ts` and returns a function that runs the result. */
function compilers(folder) {
  const written = (compiler, name, form, code) => {
    const file = `${name}.${compiler}.${form}`;
    writeFileSync(join(folder, file), code);
    return () => node(folder, file);
  };
  return {
    'tsc 5.0': (name, form) => tsc(folder, 'typescript-5', name, form),
    tsc: (name, form) => tsc(folder, 'typescript', name, form),
    async Babel(name, form, source) {
      const { default: babel } = await import('@babel/core');
      const presets = [
        ['@babel/preset-env', { targets: { node: '20' }, modules: form === 'cjs' ? 'commonjs' : false }],
        '@babel/preset-typescript',
      ];
      const options = { filename: `${name}.ts`, cwd: import.meta.dirname, presets, babelrc: false, configFile: false };
      return written('babel', name, form, (await babel.transformAsync(source, options)).code);
    },
    async SWC(name, form, source) {
      const { default: swc } = await import('@swc/core');
      const type = form === 'cjs' ? 'commonjs' : 'es6';
      const jsc = { parser: { syntax: 'typescript' }, target: 'es2022' };
      return written('swc', name, form, (await swc.transform(source, { jsc, module: { type } })).code);
    },
    async esbuild(name, form, source) {
      const { transform } = await import('esbuild');
      const options = { loader: 'ts', format: form === 'cjs' ? 'cjs' : 'esm', platform: 'node' };
      return written('esbuild', name, form, (await transform(source, options)).code);
    },
    async tsx(name, form, source) {
      const file = `${name}.tsx.${form === 'cjs' ? 'cts' : 'mts'}`;
      writeFileSync(join(folder, file), source);
      return () => node(folder, tool('tsx', 'dist/cli.mjs'), file);
    },
  };
}

async function tsc(folder, compiler, name, form) {
  const output = `${compiler}-${name}-${form}`;
  const isCommonJs = form === 'cjs';
  // The newest compiler does not know `node10` any more.
  const resolution = isCommonJs && compiler === 'typescript-5' ? 'node10' : 'bundler';
  const compilerOptions = {
    target: 'es2022',
    module: isCommonJs ? 'commonjs' : 'esnext',
    moduleResolution: resolution,
    esModuleInterop: true,
    strict: true,
    // The declarations of the package are checked with the types.
    skipLibCheck: true,
    types: ['node'],
    rootDir: '.',
    outDir: output,
  };
  const config = `${output}.json`;
  writeFileSync(join(folder, config), JSON.stringify({ compilerOptions, files: [`${name}.ts`] }));
  await node(folder, tool(compiler, 'bin/tsc'), '-p', config);
  writeFileSync(join(folder, output, 'package.json'), JSON.stringify({ type: isCommonJs ? 'commonjs' : 'module' }));
  if (!existsSync(join(folder, output, `${name}.js`))) throw new Error('expected that the compiler writes a file');
  return () => node(join(folder, output), `${name}.js`);
}
