// The types beside those of the peers: each name of their declaration files fits, and typed programs written for them
// compile. .ci/packages.sh does the same with the oldest supported compilers.

import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import client from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { IS_FULL } from '../support/count.mjs';
import { adaptedDeclarations, declarationsOf, namesOf, programOf } from './support/peer-declarations.mjs';

const OURS = '@llm-devops/prometheus-metrics';
const PEERS = ['prom-client', '@prometheus-io/client'];

const root = fileURLToPath(new URL('../..', import.meta.url));
const require = createRequire(import.meta.url);
const COMPILERS = {
  'the newest compiler': join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
  'an older compiler': createRequire(require.resolve('@napi-rs/cli/package.json')).resolve('typescript/bin/tsc'),
};

/** A folder with files and a compiler's project, in which this library is installed. */
async function project(t, files) {
  const folder = await mkdtemp(join(tmpdir(), 'prometheus-metrics-peer-types-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'node_modules', '@llm-devops'), { recursive: true });
  await symlink(root, join(folder, 'node_modules', ...OURS.split('/')), 'junction');
  for (const [name, content] of Object.entries(files)) {
    if (content instanceof URL) await copyFile(content, join(folder, name));
    else await writeFile(join(folder, name), content);
  }
  const compilerOptions = {
    ...{ target: 'es2022', lib: ['es2022'], module: 'node16', moduleResolution: 'node16', strict: true, noEmit: true },
    ...{ skipLibCheck: false, types: ['node'], typeRoots: [join(root, 'node_modules', '@types')] },
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: Object.keys(files) }));
  return folder;
}

function compile(compiler, folder) {
  return new Promise((resolve) => {
    execFile(process.execPath, [compiler, '-p', folder, '--pretty', 'false'], (_error, stdout, stderr) => {
      resolve((stdout + stderr).split('\n').filter((line) => line.includes('error')));
    });
  });
}

function declarationFiles(peer, exported = namesOf(client)) {
  const { text, count } = programOf(peer, OURS, exported, './peer');
  return { count, files: { 'peer.d.ts': adaptedDeclarations(peer, OURS, exported), 'held.ts': text } };
}

// One after the other: each compiler takes a processor and some 200 MB for itself.
for (const [title, compiler] of Object.entries(COMPILERS)) {
  // It takes ten seconds each time.
  if (title === 'an older compiler' && !IS_FULL) continue;
  for (const peer of PEERS) {
    test.serial(`${title}: each name of the declarations of ${peer} fits`, async (t) => {
      const { files, count } = declarationFiles(peer);
      t.true(count >= 79, `${count} checks`);
      t.deepEqual(await compile(compiler, await project(t, files)), []);
    });
  }

  test.serial(`${title}: typed programs of the peers compile`, async (t) => {
    const files = { 'peer-habits.ts': new URL('types/peer-habits.ts', import.meta.url) };
    t.deepEqual(await compile(compiler, await project(t, files)), []);
  });
}

test.serial('a missing name and a signature that does not fit are found', async (t) => {
  const { files } = declarationFiles('prom-client');
  const changed = files['peer.d.ts']
    .replace('reset(): void;', 'reset(): string;')
    .replace('export type Collector', 'export type Collected = () => void;\nexport type Collector');
  const held = `${files['held.ts']}export const more: Peer.Collected = null! as Ours.Collected;\n`;
  const errors = await compile(
    COMPILERS['the newest compiler'],
    await project(t, { 'peer.d.ts': changed, 'held.ts': held }),
  );
  t.is(errors.length, 2, errors.join('\n'));
});

test('the declarations of both peers are read completely', (t) => {
  for (const peer of PEERS) {
    const declarations = declarationsOf(peer);
    const names = declarations.map(({ kind, name }) => `${kind} ${name}`);
    for (const name of ['class Registry', 'class Counter', 'class Gauge', 'class Histogram', 'class Summary']) {
      t.true(names.includes(name), `${peer}: ${name}`);
    }
    t.true(names.includes('interface MetricConfiguration') && names.includes('type CollectFunction'));
    const { members } = declarations.find(({ kind, name }) => kind === 'class' && name === 'Gauge');
    t.deepEqual(
      members.map(({ member }) => member),
      ['inc', 'dec', 'set', 'get', 'setToCurrentTime', 'startTimer', 'labels', 'reset', 'remove'],
    );
  }
});
