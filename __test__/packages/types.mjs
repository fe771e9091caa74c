/**
 * Checks the types of the installed package: the oldest supported compiler and the newest, each way of finding
 * modules, strict settings, with and without the types of Node.js.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { adaptedDeclarations, namesOf, programOf } from '../package/support/peer-declarations.mjs';
import { check } from '../support/tally.mjs';
import { npmInstall, npmrc } from './installs.mjs';
import { NAME } from './programs.mjs';
import { folderOf, node, run, tool } from './shell.mjs';

const SUBPATHS = [
  'ai-sdk',
  'anthropic',
  'fastify',
  'google-genai',
  'index.js',
  'langchain',
  'lib/bucketGenerators',
  'mastra',
  'mcp',
  'openai',
  'openai-agents',
  'prices',
  'testing',
];

const imports = SUBPATHS.map((path, index) => `import * as entry${index} from '${NAME}/${path}';`).join('\n');
const uses = `export const entries = [${SUBPATHS.map((_, index) => `entry${index}`).join(', ')}];
const requests: client.Counter<'model'> = new client.Counter({ name: 'requests_total', help: 'Requests', labelNames: ['model'] });
// @ts-expect-error: the counter has no label of this name
requests.inc({ other: 'x' });
const registry: client.Registry = client.register;
const llm: client.LlmMetricsCollector = new client.LlmMetricsCollector({ registry });
const handler: client.MetricsHandler = client.createMetricsHandler();
export { handler, llm, registry };
`;

const BY_DEFAULT = `import client from '${NAME}';
import { Counter, type CounterConfiguration, type Gauge } from '${NAME}';
${imports}
${uses}
export class Own extends Counter<'a'> {}
export type Configuration = CounterConfiguration<'a'>;
export type Named = Gauge<'a'>;
`;

const BY_REQUIRE = `import client = require('${NAME}');
import Counter = require('${NAME}/lib/counter');
import collectDefaultMetrics = require('${NAME}/lib/defaultMetrics.js');
${imports}
${uses}
export class Own extends Counter<'a'> {}
collectDefaultMetrics();
`;

/** Ways to find modules: extension, source, options, compilers. */
const RESOLUTIONS = {
  node10: ['ts', BY_DEFAULT, { module: 'commonjs', moduleResolution: 'node10', esModuleInterop: true }, ['4.9', '5.0']],
  'node10 without esModuleInterop': [
    'ts',
    BY_DEFAULT,
    { module: 'commonjs', moduleResolution: 'node10' },
    ['4.9', '5.0'],
  ],
  'node16, CommonJS': ['cts', BY_DEFAULT, { module: 'node16', moduleResolution: 'node16' }],
  'node16, CommonJS by require': ['cts', BY_REQUIRE, { module: 'node16', moduleResolution: 'node16' }],
  'node16, ES module': ['mts', BY_DEFAULT, { module: 'node16', moduleResolution: 'node16' }],
  'nodenext, CommonJS': ['cts', BY_DEFAULT, { module: 'nodenext', moduleResolution: 'nodenext' }],
  'nodenext, ES module': ['mts', BY_DEFAULT, { module: 'nodenext', moduleResolution: 'nodenext' }],
  bundler: ['ts', BY_DEFAULT, { module: 'esnext', moduleResolution: 'bundler' }, ['5.0', 'newest']],
};

const COMPILERS = { 4.9: 'typescript-4.9', '5.0': 'typescript-5', newest: 'typescript' };
const SHORT = ['node16, CommonJS', 'bundler'];

/** The peers whose declarations are held against this library. */
const PEERS = ['prom-client', '@prometheus-io/client'];

export async function checkTypes(url, isFull) {
  const folder = folderOf('types', { 'package.json': { name: 'application', private: true }, ...npmrc(url) });
  await run(folder, npmInstall(NAME));
  for (const [title, [extension, source, options, versions = Object.keys(COMPILERS)]] of Object.entries(RESOLUTIONS)) {
    if (!isFull && !SHORT.includes(title)) continue;
    for (const version of versions) {
      for (const hasNode of [true, false]) {
        const kind = hasNode ? 'with @types/node' : 'without @types/node';
        await check(`TypeScript ${version}, ${title}, ${kind}`, async () => {
          const file = `${title.replace(/\W/g, '-')}.${extension}`;
          writeFileSync(join(folder, file), source);
          const config = { compilerOptions: { ...strict(hasNode), ...options }, files: [file] };
          writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
          await node(folder, tool(COMPILERS[version], 'bin/tsc'), '-p', '.');
        });
      }
    }
  }
}

/** Compiles typed programs written for the peers, and each name of the peers' declarations, with each compiler. */
export async function checkPeerTypes(url) {
  const folder = folderOf('peer-types', { 'package.json': { name: 'application', private: true }, ...npmrc(url) });
  await run(folder, npmInstall(NAME));
  const exported = namesOf(createRequire(join(folder, 'x.js'))(NAME));
  const habits = readFileSync(new URL('../package/types/peer-habits.ts', import.meta.url), 'utf8');
  for (const [version, compiler] of Object.entries(COMPILERS)) {
    for (const peer of PEERS) {
      await check(`TypeScript ${version}, declarations of ${peer}`, async () => {
        const files = {
          'peer.d.ts': adaptedDeclarations(peer, NAME, exported),
          'held.ts': programOf(peer, NAME, exported, './peer').text,
          'habits.ts': habits,
        };
        for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
        const options = { module: 'node16', moduleResolution: 'node16', exactOptionalPropertyTypes: false };
        const config = { compilerOptions: { ...strict(true), ...options }, files: Object.keys(files) };
        writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
        await node(folder, tool(compiler, 'bin/tsc'), '-p', '.');
      });
    }
  }
}

function strict(hasNode) {
  const common = { target: 'es2022', lib: ['es2022'], strict: true, noEmit: true, skipLibCheck: false };
  const types = hasNode ? { types: ['node'], typeRoots: [tool('@types', '')] } : { types: [], typeRoots: [] };
  return { ...common, ...types, exactOptionalPropertyTypes: true };
}
