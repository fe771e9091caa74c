// Requests that a program sends, by each kind of client, with each outcome.

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
const send = (host) => new Promise((resolve) => http.get(origin, { headers: { host } }, (response) => response.on('close', resolve).resume()));
for (let at = 0; at < 120; at++) await send('host-' + at + '.example');
${END}`,
  });
  const { stdout } = await run(path, 'main.mjs');
  const counts = stdout.split('\n').filter((line) => line.startsWith('llmdevops_http_client_requests_total'));
  t.is(counts.length, 101);
  t.true(counts.includes('llmdevops_http_client_requests_total{method="GET",host="other",status_class="2xx"} 20'));
});

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
