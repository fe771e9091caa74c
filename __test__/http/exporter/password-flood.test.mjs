// Sends thousands of wrong passwords from eight addresses, the scraper's own included: the verified scraper is still served.

import test from 'ava';
import { count } from '../../support/count.mjs';
import { seriesValue } from '../../support/exposition.mjs';
import { start } from './support/children.mjs';
import { ask, basic, rejected } from './support/doors.mjs';

/** 'right password', at cost 9: some 35 ms for each guess that is hashed. */
const HASH = '$2b$09$zbDcDqRHV2pt1fw2auv2p.mdJg.TwNMbHFiFgHy3qh6nA1ScE7bcO';
const GUESSES = count(1_000, 5_000);
const ADDRESSES = 8;

test('a verified scraper is served during thousands of wrong passwords', async (t) => {
  const child = start(
    t,
    async ({ client, say, heard, argument: hash }) => {
      const counter = new client.Counter({ name: 'c', help: 'h', labelNames: ['n'] });
      for (let n = 0; n < 1000; n++) counter.inc({ n });
      const basicUsers = [`prometheus:${hash}`];
      await say((await client.startExporter({ host: '127.0.0.1', port: 0, basicUsers })).port);
      await heard();
    },
    HASH,
  );
  const to = { port: await child.heard() };
  const headers = basic('prometheus', 'right password');
  t.is((await ask(to, '/metrics', { headers })).status, 200);
  const attacker = start(
    t,
    async ({ say, require, argument: { port, guesses, addresses } }) => {
      const net = require('node:net');
      const counts = {};
      const attack = (address) =>
        new Promise((resolve) => {
          const socket = net.connect({ port, host: '127.0.0.1', localAddress: `127.0.0.${address + 1}` });
          let [sent, rest] = [0, ''];
          const guess = () => {
            if (sent === guesses / addresses) return socket.end();
            const credentials = Buffer.from(`prometheus:guess ${address} ${sent++}`).toString('base64');
            return socket.write(`GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${credentials}\r\n\r\n`);
          };
          socket.on('data', (chunk) => {
            rest += chunk;
            // Answers are short and whole: a status line for each guess.
            if (!rest.endsWith('.\n')) return;
            const status = rest.slice(9, 12);
            counts[status] = (counts[status] ?? 0) + 1;
            rest = '';
            guess();
          });
          socket.on('connect', guess);
          socket.on('close', resolve);
        });
      await Promise.all(Array.from({ length: addresses }, (_, address) => attack(address)));
      await say(counts);
    },
    { port: to.port, guesses: GUESSES, addresses: ADDRESSES },
  );
  let attacking = true;
  const attacked = attacker.heard().finally(() => {
    attacking = false;
  });
  const times = [];
  while (attacking) {
    const started = performance.now();
    const { status } = await ask(to, '/metrics', { headers });
    times.push(performance.now() - started);
    t.is(status, 200);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const counts = await attacked;
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.floor((times.length - 1) * share)];
  const figures = [0.5, 0.95, 0.99, 1].map((share) => at(share).toFixed(1));
  t.log(
    `${times.length} scrapes meanwhile: p50 ${figures[0]}, p95 ${figures[1]}, p99 ${figures[2]}, max ${figures[3]} ms`,
  );
  t.log(`guesses were answered with ${JSON.stringify(counts)}`);
  t.true(times.length >= 5);
  // In one queue with the guesses, a scrape would wait for those of all addresses: one answer for eight hashes.
  const hashed = counts[401] ?? 0;
  t.true(times.length > (2 * hashed) / ADDRESSES, `${times.length} scrapes, ${hashed} hashes`);
  // No guess was right, and each was answered.
  t.deepEqual(
    Object.keys(counts).filter((status) => !['401', '429'].includes(status)),
    [],
  );
  t.is((counts[401] ?? 0) + (counts[429] ?? 0), GUESSES);
  const text = (await ask(to, '/metrics', { headers })).body.toString();
  t.is(rejected(text, 'unauthorized') + rejected(text, 'credential_limit'), GUESSES);
  t.is(rejected(text, 'unauthorized'), counts[401] ?? 0);
  t.is(seriesValue(text, 'c{n="999"}'), 1);
});
