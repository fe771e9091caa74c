// Tests pushes of processes that share their metrics: each pushes its own, so that a receiver's sums count each value once.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { start } from '../http/exporter/support/children.mjs';
import { startGateway } from './support/gateway.mjs';
import { valuesOf } from './support/requests.mjs';

test('each process that shares its metrics pushes its own', async (t) => {
  const receiver = await startGateway(t, (_, response) => response.writeHead(204).end());
  const dir = mkdtempSync(join(tmpdir(), 'prometheus-push-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const program = async ({ argument: { url, dir, amount }, client, say, heard }) => {
    await client.shareProcesses({ dir });
    new client.Counter({ name: 'rows_total', help: 'Rows' }).inc(amount);
    const pusher = await client.startPusher({ url, protocol: 'remote-write-1', job: 'shared', intervalMs: 3_600_000 });
    await say('ready');
    await heard();
    await pusher.flush();
    await say((await client.register.scrape()).body.toString());
    await heard();
    process.exit(0);
  };
  const children = [3, 4].map((amount) => start(t, program, { url: receiver.url, dir, amount }));
  for (const child of children) await child.heard();
  for (const child of children) {
    child.say('push');
    t.regex(await child.heard(), /^rows_total 7$/m);
  }
  const pushed = receiver.requests.map((request) => valuesOf(request)['rows_total{job="shared"}']);
  t.deepEqual(pushed.sort(), [3, 4]);
  for (const child of children) child.say('end');
  for (const child of children) await child.ended;
});
