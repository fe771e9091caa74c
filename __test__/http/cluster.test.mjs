// Tests what startExporter() says in workers of node:cluster that want the same port.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';

const program = fileURLToPath(new URL('support/clustered.cjs', import.meta.url));

test('the second worker on a port learns what to do', async (t) => {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  const { stdout } = await promisify(execFile)(process.execPath, [program, `${port}`]);
  const told = JSON.parse(stdout);
  t.is(told.filter(({ listens }) => listens).length, 1);
  const { code, message } = told.find(({ listens }) => !listens);
  t.is(code, 'BIND_FAILED');
  t.regex(message, new RegExp(`^Cannot listen on 127\\.0\\.0\\.1:${port}: .*in use`, 'i'));
  t.true(message.includes(`startExporter({ port: ${port} + cluster.worker.id })`), message);
});
