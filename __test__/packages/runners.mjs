/**
 * Runs a test with Jest and one with Vitest in a program that has installed the package.
 */

import { check } from '../support/tally.mjs';
import { npmInstall, npmrc } from './installs.mjs';
import { NAME } from './programs.mjs';
import { folderOf, node, run } from './shell.mjs';

const TEST = `
test('counts', async () => {
  const requests = new client.Counter({ name: 'requests_total', help: 'Requests', labelNames: ['model'] });
  requests.inc({ model: 'small' }, 2);
  await expect(client.register).toHaveMetric('requests_total', { model: 'small' }, 2);
});
`;

export async function checkRunners(url, isFull) {
  if (!isFull) return console.log('   only with --full');
  const folder = folderOf('runners', {
    'package.json': { name: 'application', private: true },
    ...npmrc(url),
    'jest/counts.test.js': `const client = require('${NAME}');\nrequire('${NAME}/testing/jest');\n${TEST}`,
    'vitest/counts.test.mjs': `import { expect, test } from 'vitest';
import client from '${NAME}';
import '${NAME}/testing/vitest';
${TEST}`,
  });
  await run(folder, npmInstall(NAME, 'jest@30.5.2', 'vitest@3.2.7'));
  await check('Jest runs a test', () => node(folder, 'node_modules/jest/bin/jest.js', '--rootDir', 'jest'));
  await check('Vitest runs a test', () => node(folder, 'node_modules/vitest/vitest.mjs', 'run', '--dir', 'vitest'));
}
