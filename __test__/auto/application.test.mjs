// Tests which file is the application, and when the list of its packages must come from package.json.

import { join, resolve } from 'node:path';
import test from 'ava';
import { readApplication } from '../../dist/auto/application.js';
import { folder } from './support/programs.mjs';

const manifest = (fields) =>
  JSON.stringify({ dependencies: { koa: '1' }, devDependencies: { lodash: '1' }, ...fields });

test('a folder is the application that its package.json names, or its index.js', (t) => {
  const text = `require('express')`;
  const path = folder(t, {
    'named/package.json': manifest({ main: 'lib/start.js', dependencies: { express: '1', koa: '1' } }),
    'named/lib/start.js': text,
    'plain/package.json': manifest({ dependencies: { express: '1', koa: '1' } }),
    'plain/index.js': text,
    'plain/other.js': text,
  });
  const FOUND = { named: 'named/lib/start.js', plain: 'plain/index.js', 'plain/other': 'plain/other.js' };
  for (const [main, file] of Object.entries(FOUND)) {
    const application = readApplication(join(path, main));
    t.is(application.file, join(path, file));
    t.deepEqual([...application.imports], ['express']);
  }
  t.is(readApplication(join(path, 'missing')).file, join(path, 'missing'));
  t.is(readApplication(undefined).file, resolve('eval.js'));
});

test('a specifier that no list of package.json has adds the dependencies', (t) => {
  const files = { 'package.json': manifest({ name: 'own' }) };
  for (const specifier of [
    '#db',
    '#',
    '~/db',
    '@/db',
    '/srv/db.js',
    'file:///srv/db.js',
    'own/db',
    '@scope/db',
    'unknown',
  ]) {
    const path = folder(t, { ...files, 'main.js': `import db from '${specifier}';` });
    t.deepEqual([...readApplication(join(path, 'main.js')).imports], [specifier, 'koa']);
  }
  for (const specifier of ['fs', 'node:fs/promises', 'lodash', 'lodash/fp', 'a text']) {
    const path = folder(t, { ...files, 'main.js': `import db from '${specifier}';` });
    t.deepEqual([...readApplication(join(path, 'main.js')).imports], [specifier]);
  }
});
